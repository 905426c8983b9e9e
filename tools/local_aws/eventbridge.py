"""Delivers events as EventBridge does: to the state machine of every rule they match, or to a dead-letter queue.

Also events of AWS's own sources, which PutEvents refuses. Nothing is retried, and what roles permit is not checked.
How a pattern matches is in `matching`. Targets, inputs and operators that nothing deployed uses are refused.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from moto.core.exceptions import ServiceException
from moto.events.models import events_backends

from tools.local_aws import executions, faults
from tools.local_aws.backends import ACCOUNT_ID, send_to_queue
from tools.local_aws.executions import CannotStartError
from tools.local_aws.matching import matches
from tools.local_aws.resource_policies import acting

LOST: Final[set[str]] = set()
"""Sources whose events currently get lost on their way, without a trace."""

KNOWN: Final = frozenset({"Id", "Arn", "RoleArn", "RetryPolicy", "DeadLetterConfig"})
"""Parts of a target that are served. A target gets the whole event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event for one target of one rule: the execution that it started, or the error."""

    rule: str
    target_arn: str
    execution_arn: str | None = None
    error: str | None = None


def event(
    *, source: str, detail_type: str, detail: Mapping[str, Any], resources: list[str], time: datetime, region: str
) -> dict[str, Any]:
    """An event in its envelope. The id follows from the content, so that the same event has the same."""
    envelope = {
        "version": "0",
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT_ID,
        "time": time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": resources,
        "detail": dict(detail),
    }
    digest = hashlib.sha256(json.dumps(envelope, sort_keys=True).encode()).hexdigest()
    return {"id": f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}", **envelope}


def deliver(given: Mapping[str, Any], *, region: str) -> list[Delivery]:
    """Deliver an event to the targets of every enabled rule of the default bus that it matches.

    In the order of the rules' names and the targets' ids.

    Raises:
        NotImplementedError: a pattern, or the target of a matching rule, uses what is not served here.
    """
    if given["source"] in LOST:
        return []
    bus = events_backends[ACCOUNT_ID][region].event_buses["default"]
    rules = sorted(bus.rules.values(), key=lambda rule: str(rule.name))
    return [delivery for rule in rules for delivery in _through(rule, given)]


def _through(rule: Any, given: Mapping[str, Any]) -> list[Delivery]:
    pattern = rule.event_pattern.get_pattern()  # none: a rule that only runs on a schedule
    if rule.state == "DISABLED" or not pattern or not matches(pattern, given):
        return []
    return [_to_target(rule, target, given) for target in sorted(rule.targets, key=lambda target: str(target["Id"]))]


def _to_target(rule: Any, target: Mapping[str, Any], given: Mapping[str, Any]) -> Delivery:
    arn = str(target["Arn"])
    unknown = sorted(target.keys() - KNOWN)
    if arn.split(":")[2] != "states" or unknown:
        raise NotImplementedError(
            f"the local EventBridge cannot serve the target {arn} of the rule {rule.name}"
            f"{' with ' + ', '.join(unknown) if unknown else ''}: use a state machine that gets the whole event"
        )
    try:
        started = _start(arn, given)
    except (CannotStartError, ServiceException) as error:
        _to_dead_letter_queue(rule, target, given, error)
        return Delivery(rule=rule.name, target_arn=arn, error=_message(error))
    return Delivery(rule=rule.name, target_arn=arn, execution_arn=started)


def _start(state_machine_arn: str, given: Mapping[str, Any]) -> str:
    if fault := faults.next_error("eventbridge"):
        raise ServiceException("InternalFailure", f"The local eventbridge is made to answer {fault}.")
    return executions.start(state_machine_arn, given)


def _to_dead_letter_queue(rule: Any, target: Mapping[str, Any], given: Mapping[str, Any], error: Exception) -> None:
    """Send the event to the target's queue, with attributes that say what went wrong."""
    queue_arn = target.get("DeadLetterConfig", {}).get("Arn")
    if not queue_arn:
        return
    attributes = {
        "RULE_ARN": str(rule.arn),
        "TARGET_ARN": str(target["Arn"]),
        "ERROR_CODE": _error_code(error),
        "ERROR_MESSAGE": _message(error),
        "RETRY_ATTEMPTS": "0",
    }
    # A queue that refuses loses the event; EventBridge counts it in InvocationsFailedToBeSentToDlq.
    with suppress(ServiceException), acting("events.amazonaws.com", str(rule.arn)):
        send_to_queue(str(queue_arn), json.dumps(given), attributes)


def _message(error: Exception) -> str:
    return str(getattr(error, "message", error))


def _error_code(error: Exception) -> str:
    """EventBridge's code for a refusal; see "Using dead-letter queues to process undelivered events"."""
    cause = error.__cause__ if isinstance(error, CannotStartError) else error
    code = str(getattr(cause, "error_type", getattr(cause, "code", "")))
    return "NO_RESOURCE" if re.search("DoesNotExist|NotFound|NonExistent", code) else "ERROR_FROM_TARGET"
