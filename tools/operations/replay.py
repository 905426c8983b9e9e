"""Re-runs the workflow of an environment for its dead letters.

A replay handles what is in the queue when it starts, one dead letter after the other in order of time, and waits for
each execution. It stops at the first failure: the next ones would most likely fail as well, each with a notification. A
dead letter is deleted once its execution succeeded, and stays otherwise.

Nothing is handled twice without need. STANDARD executions are named after the message, and Step Functions refuses the
same name again. Names of EXPRESS executions do not deduplicate: there, the dead letter is hidden until its execution
must have ended. If it is handled again after that, its check has the same time, and adds nothing.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import boto3
from botocore.exceptions import ClientError

from components.paths import PROJECT
from components.workflow_definition import INPUT_REFUSED
from settings import Names, OperatorError, load_environment
from tools.operations.account import check_account
from tools.operations.dead_letter_queue import Queue
from tools.operations.dead_letters import DeadLetter, in_order
from tools.operations.executions import Machine, Outcome

CAUSE_CHARACTERS: Final = 1000


class ReplayError(OperatorError):
    """The dead letters cannot be received or handled."""


class UnknownDeadLetterError(ReplayError):
    """There is no dead letter with this message id."""

    exit_code = 2


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
        dead_letters = queue.received()
        if discard is not None:
            return _discard(queue, dead_letters, discard, dry_run=dry_run, say=say)
        ordered = in_order(dead_letters)
        if dry_run:
            for dead_letter in ordered:
                say(f"waiting: {dead_letter.summary()} ({_ids(dead_letter)})")
            say(f"{len(dead_letters)} in {queue.name}. Nothing was changed.")
            return 0
        done = _run_all(ordered, Machine(region, machine, queue.keep_hidden), queue, environment=environment, say=say)
        say(f"{done} handled, {len(dead_letters) - done} left in {queue.name}")
        return len(dead_letters) - done


def _run_all(
    dead_letters: Iterable[DeadLetter],
    machine: Machine,
    queue: Queue,
    *,
    environment: str,
    say: Callable[[str], None],
) -> int:
    """How many dead letters were handled before the first failure."""
    done = 0
    waiting = list(dead_letters)
    for number, dead_letter in enumerate(waiting, start=1):
        queue.hold(dead_letter, machine.hold_seconds)
        try:
            outcome = machine.run(dead_letter)
        except ClientError as error:
            outcome = Outcome(status="NOT STARTED", cause=str(error))
        queue.release(dead_letter, ended=outcome.status != "RUNNING")
        if outcome.status != "SUCCEEDED":
            say(f"failed: {dead_letter.summary()}: {_reason(outcome)}")
            say(_next_step(dead_letter, outcome, environment, len(waiting) - number))
            return done
        queue.delete(dead_letter)
        done += 1 + len(dead_letter.copies)
        say(f"handled: {dead_letter.summary()}")
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


def _next_step(dead_letter: DeadLetter, outcome: Outcome, environment: str, more: int) -> str:
    again = f"media-workflow replay {environment}"
    remove = f"{again} --discard {dead_letter.id}"
    if outcome.status == "RUNNING":
        todo = f"Once the execution has ended, run the replay again: {again}."
    elif outcome.error == INPUT_REFUSED or dead_letter.input is None:
        todo = f"It can never be handled. Delete it: {remove}. Then run the replay again."
    else:
        todo = f"Fix the cause, and run the replay again: {again}. If it can never be handled, delete it: {remove}."
    rest = f" Not tried, and left in the queue: {more} more." if more else ""
    return f"Stopped at the message {dead_letter.id}. {todo}{rest}"


def _discard(
    queue: Queue, dead_letters: Iterable[DeadLetter], message_id: str, *, dry_run: bool, say: Callable[[str], None]
) -> int:
    dead_letter = next((dead_letter for dead_letter in dead_letters if dead_letter.id == message_id), None)
    if dead_letter is None:
        waiting = ", ".join(dead_letter.id for dead_letter in dead_letters) or "none"
        raise UnknownDeadLetterError(f"No message {message_id} in {queue.name}. Messages: {waiting}.")
    if dry_run:
        say(f"would be deleted: {dead_letter.summary()} ({dead_letter.id}). Nothing was changed.")
        return 0
    queue.delete(dead_letter)
    say(f"deleted from {queue.name}: {dead_letter.summary()} ({dead_letter.id}). Its body: {dead_letter.body}")
    return 0


def _ids(dead_letter: DeadLetter) -> str:
    return ", ".join((dead_letter.id, *dead_letter.copies))
