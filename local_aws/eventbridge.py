"""Delivers events as the default bus does: to the targets of every rule they match, or to their dead-letter queues.

Also events of AWS's own sources, which PutEvents refuses. Matching is moto's; targets are what moto lacks.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from moto.events.models import events_backends
from moto.sqs.models import sqs_backends

from local_aws import executions
from local_aws.executions import CannotStartError

ACCOUNT_ID: Final = "123456789012"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event given to one target of one rule; `execution_arn` or `error` says what came of it."""

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
    """Give an event to the targets of every enabled rule that it matches, by name of rule and id of target."""
    bus = events_backends[ACCOUNT_ID][region].event_buses["default"]
    done = []
    for rule in sorted(bus.rules.values(), key=lambda rule: str(rule.name)):
        if rule.state == "ENABLED" and rule.event_pattern.get_pattern() and rule.event_pattern.matches_event(given):
            done += [
                _to_target(rule, target, given) for target in sorted(rule.targets, key=lambda item: str(item["Id"]))
            ]
    return done


def _to_target(rule: Any, target: Mapping[str, Any], given: Mapping[str, Any]) -> Delivery:
    arn = str(target["Arn"])
    try:
        if ":states:" not in arn:
            raise NotImplementedError(f"the local EventBridge has no target of this kind: {arn}")
        started = executions.start(arn, _input(target, given))
    except CannotStartError as error:
        _to_dead_letters(rule, target, given, str(error))
        return Delivery(rule=rule.name, target_arn=arn, error=str(error))
    return Delivery(rule=rule.name, target_arn=arn, execution_arn=started)


def _input(target: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """What a target asked to be given instead of the whole event."""
    if "Input" in target:
        return json.loads(target["Input"])
    if "InputPath" in target:
        found: Any = given
        for step in str(target["InputPath"]).removeprefix("$").strip(".").split("."):
            found = found[step] if step else found
        return found
    if "InputTransformer" in target:
        raise NotImplementedError(f"the local EventBridge has no input transformer, as {target['Arn']} asks for")
    return given


def _to_dead_letters(rule: Any, target: Mapping[str, Any], given: Mapping[str, Any], message: str) -> None:
    """The event in the target's queue, with the attributes that say what went wrong."""
    queue_arn = target.get("DeadLetterConfig", {}).get("Arn")
    if not queue_arn:
        return
    *_, region, account_id, name = str(queue_arn).split(":")
    attributes = {
        "RULE_ARN": rule.arn,
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": "RESOURCE_NOT_FOUND",
        "ERROR_MESSAGE": message,
    }
    sqs_backends[account_id][region].send_message(
        queue_name=name,
        message_body=json.dumps(given),
        message_attributes={
            key: {"data_type": "String", "string_value": str(value)} for key, value in attributes.items()
        },
    )
