"""Hands the dead letters of an environment to its workflow again.

Each body in the queue is an input of the state machine, whoever put it there: EventBridge, the scheduler or the state
machine itself. A message is deleted only once an execution was started with it, and the execution is named after the
message, so that a replay that was cut off starts nothing twice.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3

from operations.account import check_account
from operations.terraform import PROJECT
from settings import Names, load_environment

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

HIDDEN_SECONDS: Final = 120
"""How long a message is out of others' sight while it is handed over."""
SHOWN: Final = 100
"""Characters of a body that is no event."""


class ReplayError(RuntimeError):
    """The dead letters cannot be reached or handed over; the message says why."""


def replay(environment: str, *, dry_run: bool, say: Callable[[str], None], root: Path = PROJECT) -> int:
    """Start an execution for each dead letter and delete it; with `dry_run` only list them.

    Args:
        environment: as in `environments/<name>.toml`.
        dry_run: change nothing.
        say: told of each message in a line.
        root: the folder with `environments/`.

    Returns:
        How many messages are left because they could not be handed over.

    Raises:
        SettingsError: the environment cannot be loaded.
        InputError: the credentials are of an account that the environment does not allow.
        botocore.exceptions.ClientError: AWS refused to show the queue.
    """
    settings = load_environment(environment, root=root, environ={}, context={})
    names, region = Names(environment), settings.region
    account = check_account(settings)
    machine = f"arn:{account.partition}:states:{region}:{account.id}:stateMachine:{names.state_machine}"
    sqs = boto3.client("sqs", region_name=region)
    url = sqs.get_queue_url(QueueName=names.dead_letter_queue)["QueueUrl"]
    states = boto3.client("stepfunctions", region_name=region)
    done, left, seen = 0, 0, []
    for message in _messages(sqs, url):
        seen.append(message)
        what = _words(message["Body"])
        if dry_run:
            say(f"waits: {what}")
            continue
        try:
            _start(states, machine, message)
        except states.exceptions.ClientError as error:
            left += 1
            say(f"kept: {what}: {error}")
            continue
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        done += 1
        say(f"handed over: {what}")
    if dry_run:
        for message in seen:  # in sight again at once
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
        say(f"{len(seen)} in {names.dead_letter_queue}; nothing was changed")
    else:
        say(f"{done} handed over, {left} kept in {names.dead_letter_queue}")
    return left


def _messages(sqs: "SQSClient", url: str) -> "Iterator[MessageTypeDef]":
    """Each message once; SQS gives at most ten at a time."""
    seen: set[str] = set()
    while True:
        got = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=HIDDEN_SECONDS, WaitTimeSeconds=1
        )
        new = [message for message in got.get("Messages", []) if message["MessageId"] not in seen]
        if not new:
            return
        seen |= {message["MessageId"] for message in new}
        yield from new


def _start(states: Any, machine: str, message: "MessageTypeDef") -> None:
    name = f"replay-{message['MessageId']}"
    try:
        states.start_execution(stateMachineArn=machine, name=name, input=message["Body"])
    except states.exceptions.ExecutionAlreadyExists:
        return  # an earlier replay was cut off before it could delete the message


def _words(body: str) -> str:
    """What a dead letter is about, in a line."""
    try:
        given = json.loads(body)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return body[:SHOWN]
    about = ", ".join(str(arn) for arn in given.get("resources", [])) or given.get("flow_arn") or given.get("flow_name")
    kind = given.get("detail-type") or given.get("kind") or "asked by a person"
    return f"{given.get('time', 'no time')} {kind} of {about or body[:SHOWN]}"
