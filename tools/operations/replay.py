"""Re-runs the workflow of an environment for its dead letters.

A replay handles what is in the queue when it starts, one dead letter after the other in order of time, and waits for
each execution. It stops at the first failure: the next ones would most likely fail as well, each with a notification. A
dead letter is deleted once its execution succeeded, and stays otherwise.

Nothing is handled twice without need. STANDARD executions are named after the message, and Step Functions refuses the
same name again. Names of EXPRESS executions do not deduplicate: there, the dead letter is hidden until its execution
must have ended. If it is handled again after that, its check has the same time, and adds nothing.
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
from settings import Names, OperatorError, load_environment
from tools.operations.account import check_account
from tools.operations.dead_letters import DeadLetter, in_order, read_dead_letter

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

HIDDEN_SECONDS: Final = 120
"""Visibility timeout of a dead letter; renewed while the replay runs."""
BATCH: Final = 10
"""Messages that SQS takes in one call."""
BATCHES_WITHOUT_NEW: Final = 3
"""Batches with nothing from before the start of the replay, after which the queue counts as read."""
LONGEST_WAIT_SECONDS: Final = 1800
"""For one execution, if its definition has no limit of its own."""
MARGIN_SECONDS: Final = 30
"""Added to what an execution may take, for the calls around it."""
POLL_SECONDS: Final = (0.2, 0.5, 1, 2)
CAUSE_CHARACTERS: Final = 1000


class ReplayError(OperatorError):
    """The dead letters cannot be received or handled."""


class UnknownDeadLetterError(ReplayError):
    """There is no dead letter with this message id."""

    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an execution ended; `status` is RUNNING if it did not within its time limit."""

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
    """Start an execution for each dead letter, wait for it, and delete the dead letter if it succeeded.

    Args:
        environment: as in `environments/<name>.toml`.
        dry_run: only list the dead letters. Hides each for a moment, and SQS counts it as a receive.
        say: called with a line on each dead letter.
        discard: message id of a dead letter to delete instead; nothing is replayed.
        root: the folder with `environments/`.

    Returns:
        How many dead letters are left: the one at which it stopped, and those after it.

    Raises:
        SettingsError: the environment cannot be loaded.
        InputError: the credentials are of an account that the environment does not allow.
        UnknownDeadLetterError: no dead letter has the id to discard.
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
        raise ReplayError(f"{environment} has no dead-letter queue {names.dead_letter_queue}. {deploy}") from error
    with queue:
        letters = queue.received()
        if discard is not None:
            return _discard(queue, letters, discard, dry_run=dry_run, say=say)
        ordered = in_order(letters)
        if dry_run:
            for letter in ordered:
                say(f"waiting: {letter.summary()} ({_ids(letter)})")
            say(f"{len(letters)} in {queue.name}. Nothing was changed.")
            return 0
        done = _run_all(ordered, Machine(region, machine, queue.keep_hidden), queue, environment=environment, say=say)
        say(f"{done} handled, {len(letters) - done} left in {queue.name}")
        return len(letters) - done


def _run_all(
    letters: Iterable[DeadLetter], machine: "Machine", queue: "Queue", *, environment: str, say: Callable[[str], None]
) -> int:
    """How many dead letters were handled before the first failure."""
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
            say(f"failed: {letter.summary()}: {_reason(outcome)}")
            say(_next_step(letter, outcome, environment, len(waiting) - number))
            return done
        queue.delete(letter)
        done += 1 + len(letter.copies)
        say(f"handled: {letter.summary()}")
    return done


def _reason(outcome: Outcome) -> str:
    cause = outcome.cause[:CAUSE_CHARACTERS]
    match outcome.status:
        case "NOT STARTED":
            return cause
        case "RUNNING":
            return f"its execution is still running ({outcome.execution})"
        case _:
            details = ": ".join(part for part in (outcome.error, cause) if part) or "no cause was given"
            return f"its execution is {outcome.status} ({outcome.execution}): {details}"


def _next_step(letter: DeadLetter, outcome: Outcome, environment: str, more: int) -> str:
    again = f"media-workflow replay {environment}"
    remove = f"{again} --discard {letter.id}"
    if outcome.status == "RUNNING":
        todo = f"Once the execution has ended, run the replay again: {again}."
    elif outcome.error == INPUT_REFUSED or letter.input is None:
        todo = f"It can never be handled. Delete it: {remove}. Then run the replay again."
    else:
        todo = f"Fix the cause, and run the replay again: {again}. If it can never be handled, delete it: {remove}."
    rest = f" Not tried, and left in the queue: {more} more." if more else ""
    return f"Stopped at the message {letter.id}. {todo}{rest}"


def _discard(
    queue: "Queue", letters: Iterable[DeadLetter], message_id: str, *, dry_run: bool, say: Callable[[str], None]
) -> int:
    letter = next((letter for letter in letters if letter.id == message_id), None)
    if letter is None:
        waiting = ", ".join(letter.id for letter in letters) or "none"
        raise UnknownDeadLetterError(f"No message {message_id} in {queue.name}. Messages: {waiting}.")
    if dry_run:
        say(f"would be deleted: {letter.summary()} ({letter.id}). Nothing was changed.")
        return 0
    queue.delete(letter)
    say(f"deleted from {queue.name}: {letter.summary()} ({letter.id}). Its body: {letter.body}")
    return 0


def _ids(letter: DeadLetter) -> str:
    return ", ".join((letter.id, *letter.copies))


class Queue:
    """The dead-letter queue. As a context, it hides its messages from others until its end."""

    def __init__(self, client: "SQSClient", name: str) -> None:
        self.name = name
        self._client = client
        answer = client.get_queue_url(QueueName=name)
        self._url = answer["QueueUrl"]
        # By SQS's clock, which dates the messages; its header has whole seconds.
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

    def received(self) -> list[DeadLetter]:
        """All dead letters from before the start. SQS returns at most ten at a time, and some of them twice."""
        letters: list[DeadLetter] = []
        without_new = 0
        while without_new < BATCHES_WITHOUT_NEW:
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
            old = [letter for letter in map(_letter, new) if letter.sent <= self._started]
            letters += old
            without_new = 0 if old else without_new + 1
        return letters

    def keep_hidden(self) -> None:
        """Hide the messages for longer, once half of the visibility timeout is over."""
        if time.monotonic() - self._hidden_at > HIDDEN_SECONDS / 2:
            self._hide(set(self._receipts) - self._held, HIDDEN_SECONDS)
            self._hidden_at = time.monotonic()

    def hold(self, letter: DeadLetter, seconds: int) -> None:
        """Hide a dead letter until its execution must have ended, even if this process ends before."""
        ids = {letter.id, *letter.copies}
        self._hide(ids, seconds)
        self._held |= ids

    def release(self, letter: DeadLetter, *, ended: bool) -> None:
        """Show a dead letter again at the end, if its execution ended."""
        if ended:
            self._held -= {letter.id, *letter.copies}

    def delete(self, letter: DeadLetter) -> None:
        """Delete a dead letter and its copies."""
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


def _letter(message: Mapping[str, Any]) -> DeadLetter:
    attributes = message.get("MessageAttributes", {})
    return read_dead_letter(
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
        while_waiting: called between two polls of a running execution.
    """

    def __init__(self, region: str, arn: str, while_waiting: Callable[[], None]) -> None:
        self._client: Any = boto3.client("stepfunctions", region_name=region)
        self._arn = arn
        self._while_waiting = while_waiting
        described = self._client.describe_state_machine(stateMachineArn=arn)
        self._express = described["type"] == "EXPRESS"
        self._wait = min(worst_case_seconds(json.loads(described["definition"])), LONGEST_WAIT_SECONDS) + MARGIN_SECONDS
        self._sync: Any = boto3.client(
            "stepfunctions",
            region_name=region,
            # A retry would start a second execution.
            config=Config(read_timeout=EXPRESS_SECONDS + MARGIN_SECONDS, retries={"total_max_attempts": 1}),
        )

    @property
    def hold_seconds(self) -> int:
        """Seconds after which an execution must have ended."""
        return EXPRESS_SECONDS + 2 * MARGIN_SECONDS if self._express else int(self._wait) + MARGIN_SECONDS

    def run(self, letter: DeadLetter) -> Outcome:
        """Run an execution to its end or its time limit.

        Raises:
            botocore.exceptions.ClientError: Step Functions refused to start or show it.
        """
        if letter.input is None:
            return Outcome(status="NOT STARTED", cause="its body is not JSON, so no execution can be started with it")
        return self._run_express(letter) if self._express else self._run_standard(letter)

    def _run_express(self, letter: DeadLetter) -> Outcome:
        try:
            ended = self._sync.start_sync_execution(
                stateMachineArn=self._arn, name=f"{REPLAY}{letter.id}", input=letter.input
            )
        except ReadTimeoutError:
            return Outcome(status="RUNNING", execution=f"{REPLAY}{letter.id}")
        return _outcome(ended)

    def _run_standard(self, letter: DeadLetter) -> Outcome:
        deadline = time.monotonic() + self._wait
        execution = self._started(letter)
        for pause in itertools.chain(POLL_SECONDS, itertools.repeat(POLL_SECONDS[-1])):
            described = self._client.describe_execution(executionArn=execution)
            if described["status"] != "RUNNING" or time.monotonic() > deadline:
                return _outcome(described)
            self._while_waiting()
            time.sleep(pause)
        raise AssertionError("an endless loop has ended")

    def _started(self, letter: DeadLetter) -> str:
        """The execution of a dead letter: the one of an earlier replay, unless that failed."""
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


def _outcome(described: Mapping[str, Any]) -> Outcome:
    return Outcome(
        status=described["status"],
        error=described.get("error", ""),
        cause=described.get("cause", ""),
        execution=described["executionArn"],
    )
