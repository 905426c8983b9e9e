"""Starts the workflow of an environment again with what waits in its dead-letter queue.

A replay handles what was in the queue when it started, one letter after the other in the order of their own times, and
waits for each execution. It stops at the first letter that is not handled: the next ones would most likely fail as
well, each with a notification. A letter is deleted once its execution succeeded, and stays otherwise.

Nothing is handled twice without need. STANDARD executions are named after the message, and Step Functions refuses the
same name again. Names of EXPRESS executions do not deduplicate: there, the letter is hidden from everybody until its
execution must have ended. If it is handled again after that, its check has the same time, and adds nothing.
"""

import itertools
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from components.paths import PROJECT
from components.workflow_definition import EXPRESS_SECONDS, INPUT_REFUSED, REPLAY, worst_case_seconds
from settings import Names, load_environment
from tools.operations.account import check_account
from tools.operations.dead_letters import Letter, in_order, read_letter

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

HIDDEN_SECONDS: Final = 120
"""How long a letter is out of others' sight at a time; renewed while the replay runs."""
BATCH: Final = 10
"""Messages that SQS takes in one call."""
BATCHES_WITHOUT_NEW: Final = 3
"""How often only letters are received that came after the start, before the queue counts as read."""
LONGEST_WAIT_SECONDS: Final = 1800
"""For one execution, if its definition has no limit of its own."""
SPARE_SECONDS: Final = 30
"""Added to what an execution may take, for the calls around it."""
POLL_SECONDS: Final = (0.2, 0.5, 1, 2)
SHOWN_OF_CAUSE: Final = 1000


class ReplayError(RuntimeError):
    """The dead letters cannot be reached or handed over; the message says why."""


class UnknownLetterError(ReplayError):
    """There is no dead letter with this message id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an execution ended; `status` is RUNNING if it had not within the time."""

    status: str
    error: str = ""
    cause: str = ""
    execution: str = ""


def replay(
    environment: str,
    *,
    dry_run: bool,
    say: Callable[[str], None],
    discard: str | None = None,
    root: Path = PROJECT,
) -> int:
    """Start an execution for each dead letter, wait for it, and delete the letter if it succeeded.

    Args:
        environment: as in `environments/<name>.toml`.
        dry_run: only list the letters. Hides each for a moment, and counts as receiving it.
        say: called with a line on each letter.
        discard: message id of a letter to delete instead; nothing is replayed.
        root: the folder with `environments/`.

    Returns:
        How many letters are left: the one at which it stopped, and those after it.

    Raises:
        SettingsError: the environment cannot be loaded.
        InputError: the credentials are of an account that the environment does not allow.
        UnknownLetterError: no letter has the id to discard.
        ReplayError: there is no dead-letter queue.
        botocore.exceptions.ClientError: AWS refused to show the queue or the state machine.
    """
    settings = load_environment(environment, root=root, environ=os.environ, context={})
    names, region = Names(environment), settings.region
    account = check_account(settings)
    machine = f"arn:{account.partition}:states:{region}:{account.id}:stateMachine:{names.state_machine}"
    sqs = boto3.client("sqs", region_name=region)
    try:
        queue = Queue(sqs, names.dead_letter_queue)
    except sqs.exceptions.QueueDoesNotExist as error:
        deploy = f"Deploy it with `make deploy ENV={environment}`."
        raise ReplayError(
            f"{environment} has no dead letters: {names.dead_letter_queue} is not there. {deploy}"
        ) from error
    with queue:
        letters = queue.received()
        if discard is not None:
            return _discard(queue, letters, discard, dry_run=dry_run, say=say)
        ordered = in_order(letters)
        if dry_run:
            for letter in ordered:
                say(f"waits: {letter.words()} ({_ids(letter)})")
            say(f"{len(letters)} in {queue.name}; nothing was changed")
            return 0
        done = _run_all(ordered, Machine(region, machine, queue.keep_hidden), queue, environment=environment, say=say)
        say(f"{done} handed over, {len(letters) - done} kept in {queue.name}")
        return len(letters) - done


def _run_all(
    letters: Iterable[Letter], machine: "Machine", queue: "Queue", *, environment: str, say: Callable[[str], None]
) -> int:
    """How many letters were handled before the first that was not."""
    done = 0
    waiting = list(letters)
    for number, letter in enumerate(waiting, start=1):
        queue.hold(letter, machine.hold_seconds)
        try:
            outcome = machine.run(letter)
        except ClientError as error:
            outcome = Outcome(status="NOT STARTED", cause=str(error))
        queue.release(letter, ended=outcome.status != "RUNNING")
        if outcome.status != "SUCCEEDED":
            say(f"kept: {letter.words()}: {_why(outcome)}")
            say(_what_to_do(letter, outcome, environment, len(waiting) - number))
            return done
        queue.delete(letter)
        done += 1 + len(letter.copies)
        say(f"handed over: {letter.words()}")
    return done


def _why(outcome: Outcome) -> str:
    cause = outcome.cause[:SHOWN_OF_CAUSE]
    match outcome.status:
        case "NOT STARTED":
            return cause
        case "RUNNING":
            return f"its execution still runs ({outcome.execution})"
        case _:
            said = ": ".join(part for part in (outcome.error, cause) if part) or "no cause was given"
            return f"its execution ended {outcome.status} ({outcome.execution}): {said}"


def _what_to_do(letter: Letter, outcome: Outcome, environment: str, more: int) -> str:
    again = f"make replay ENV={environment}"
    remove = f"{again} ARGS='--discard {letter.id}'"
    if outcome.status == "RUNNING":
        todo = f"Look at the execution, and run the replay again once it has ended: {again}."
    elif outcome.error == INPUT_REFUSED or letter.input is None:
        todo = f"It can never be handled. Remove it: {remove}. Then run the replay again."
    else:
        todo = f"Fix the cause, and run the replay again: {again}. If it can never be handled, remove it: {remove}."
    rest = f" Not tried, and still in the queue: {more} more." if more else ""
    return f"Stopped at the message {letter.id}. {todo}{rest}"


def _discard(
    queue: "Queue", letters: Iterable[Letter], message_id: str, *, dry_run: bool, say: Callable[[str], None]
) -> int:
    letter = next((letter for letter in letters if letter.id == message_id), None)
    if letter is None:
        waiting = ", ".join(letter.id for letter in letters) or "none"
        raise UnknownLetterError(f"No message {message_id} in {queue.name}. Waiting: {waiting}.")
    if dry_run:
        say(f"would be removed: {letter.words()} ({letter.id}); nothing was changed")
        return 0
    queue.delete(letter)
    say(f"removed from {queue.name}: {letter.words()} ({letter.id}). It was: {letter.body}")
    return 0


def _ids(letter: Letter) -> str:
    return ", ".join((letter.id, *letter.copies))


class Queue:
    """The dead-letter queue. As a context, its letters are hidden from others, and shown again at the end."""

    def __init__(self, client: "SQSClient", name: str) -> None:
        self.name = name
        self._client = client
        answer = client.get_queue_url(QueueName=name)
        self._url = answer["QueueUrl"]
        # By SQS's clock, which dates the letters; its header has whole seconds.
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        now = parsedate_to_datetime(date) if date else datetime.now(UTC)
        self._started = now + timedelta(seconds=1)
        self._receipts: dict[str, str] = {}
        self._held: set[str] = set()
        self._hidden_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._hide(set(self._receipts) - self._held, 0)

    def received(self) -> list[Letter]:
        """All letters that were there at the start. SQS gives at most ten at a time, and some of them twice."""
        letters: list[Letter] = []
        barren = 0
        while barren < BATCHES_WITHOUT_NEW:
            self.keep_hidden()
            messages = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=BATCH,
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=1,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["SentTimestamp"],
            ).get("Messages", [])
            if not messages:
                break
            new = [message for message in messages if message["MessageId"] not in self._receipts]
            self._receipts |= {message["MessageId"]: message["ReceiptHandle"] for message in messages}
            there = [letter for letter in map(_letter, new) if letter.sent <= self._started]
            letters += there
            barren = 0 if there else barren + 1
        return letters

    def keep_hidden(self) -> None:
        """Hide the letters for longer, once half of the time is over."""
        if time.monotonic() - self._hidden_at > HIDDEN_SECONDS / 2:
            self._hide(set(self._receipts) - self._held, HIDDEN_SECONDS)
            self._hidden_at = time.monotonic()

    def hold(self, letter: Letter, seconds: int) -> None:
        """Hide a letter until its execution must have ended, even if this process ends before."""
        mine = {letter.id, *letter.copies}
        self._hide(mine, seconds)
        self._held |= mine

    def release(self, letter: Letter, *, ended: bool) -> None:
        """Let a letter be shown again at the end, if its execution ended."""
        if ended:
            self._held -= {letter.id, *letter.copies}

    def delete(self, letter: Letter) -> None:
        """Delete a letter and its copies."""
        for message_id in (letter.id, *letter.copies):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=self._receipts.pop(message_id))

    def _hide(self, message_ids: Iterable[str], seconds: int) -> None:
        ordered = sorted(message_ids)
        for batch in (ordered[first : first + BATCH] for first in range(0, len(ordered), BATCH)):
            self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": self._receipts[message_id], "VisibilityTimeout": seconds}
                    for number, message_id in enumerate(batch)
                ],
            )


def _letter(message: Mapping[str, Any]) -> Letter:
    attributes = message.get("MessageAttributes", {})
    return read_letter(
        message_id=message["MessageId"],
        body=message["Body"],
        attributes={name: value.get("StringValue", "") for name, value in attributes.items()},
        sent=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
    )


class Machine:
    """The state machine of the environment.

    Args:
        region: its Region.
        arn: its ARN.
        while_waiting: called between two looks at a running execution.
    """

    def __init__(self, region: str, arn: str, while_waiting: Callable[[], None]) -> None:
        self._client: Any = boto3.client("stepfunctions", region_name=region)
        self._arn = arn
        self._while_waiting = while_waiting
        shown = self._client.describe_state_machine(stateMachineArn=arn)
        self._express = shown["type"] == "EXPRESS"
        self._wait = min(worst_case_seconds(json.loads(shown["definition"])), LONGEST_WAIT_SECONDS) + SPARE_SECONDS
        self._sync: Any = boto3.client(
            "stepfunctions",
            region_name=region,
            # Tried again, the call would start a second execution.
            config=Config(read_timeout=EXPRESS_SECONDS + SPARE_SECONDS, retries={"total_max_attempts": 1}),
        )

    @property
    def hold_seconds(self) -> int:
        """How long an execution must have ended after."""
        return EXPRESS_SECONDS + 2 * SPARE_SECONDS if self._express else int(self._wait) + SPARE_SECONDS

    def run(self, letter: Letter) -> Outcome:
        """Run an execution to its end, or as long as it may take.

        Raises:
            botocore.exceptions.ClientError: Step Functions refused to start or show it.
        """
        if letter.input is None:
            return Outcome(status="NOT STARTED", cause="its body is not JSON, so no execution can be started with it")
        return self._run_express(letter) if self._express else self._run_standard(letter)

    def _run_express(self, letter: Letter) -> Outcome:
        try:
            ended = self._sync.start_sync_execution(
                stateMachineArn=self._arn, name=f"{REPLAY}{letter.id}", input=letter.input
            )
        except ReadTimeoutError:
            return Outcome(status="RUNNING", execution=f"{REPLAY}{letter.id}")
        return _outcome(ended)

    def _run_standard(self, letter: Letter) -> Outcome:
        deadline = time.monotonic() + self._wait
        execution = self._started(letter)
        for pause in itertools.chain(POLL_SECONDS, itertools.repeat(POLL_SECONDS[-1])):
            shown = self._client.describe_execution(executionArn=execution)
            if shown["status"] != "RUNNING" or time.monotonic() > deadline:
                return _outcome(shown)
            self._while_waiting()
            time.sleep(pause)
        raise AssertionError("an endless loop has ended")

    def _started(self, letter: Letter) -> str:
        """The execution of a letter: the one of an earlier replay, unless that failed."""
        for attempt in itertools.count(1):
            name = f"{REPLAY}{letter.id}" + (f"-{attempt}" if attempt > 1 else "")
            try:
                started = self._client.start_execution(stateMachineArn=self._arn, name=name, input=letter.input)
                return str(started["executionArn"])
            except self._client.exceptions.ExecutionAlreadyExists:
                execution = f"{self._arn.replace(':stateMachine:', ':execution:')}:{name}"
                status = self._client.describe_execution(executionArn=execution)["status"]
                if status in {"RUNNING", "SUCCEEDED"}:
                    return execution
        raise AssertionError("an endless loop has ended")


def _outcome(shown: Mapping[str, Any]) -> Outcome:
    return Outcome(
        status=shown["status"],
        error=shown.get("error", ""),
        cause=shown.get("cause", ""),
        execution=shown["executionArn"],
    )
