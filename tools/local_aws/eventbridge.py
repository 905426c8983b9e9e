"""Delivers events as EventBridge does: to the targets of every rule they match, or to their dead-letter queues.

Also events of AWS's own sources, which PutEvents refuses. Nothing is retried: what fails here fails for good.
"""

import copy
import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from moto.awslambda.models import lambda_backends
from moto.core.exceptions import JsonRESTError, ServiceException
from moto.events.models import EventPattern, Rule, events_backends
from moto.logs.models import logs_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from tools.local_aws import executions, faults
from tools.local_aws.executions import CannotStartError
from tools.local_aws.matching import matches
from tools.local_aws.resource_policies import acting

ACCOUNT_ID: Final = "123456789012"

OWN_KINDS: Final = frozenset({"lambda", "logs", "sns", "sqs", "states"})
"""Services whose targets are served here. Archives, buses and API destinations are left to moto."""

LOST: Final[set[str]] = set()
"""Sources whose events get lost on their way for now, without a trace."""

_send_by_moto: Final = Rule.send_to_targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event given to one target of one rule; `execution_arn` or `error` says what came of it."""

    rule: str
    target_arn: str
    execution_arn: str | None = None
    error: str | None = None


@cache
def install() -> None:
    """Let PutEvents deliver as `deliver` does: moto knows no Step Functions, and sends all to scheduled rules."""

    def send(self: Any, original_event: Mapping[str, Any], transform_input: bool = True) -> None:  # noqa: FBT001, FBT002
        if transform_input:
            _through(self, _as_sent(original_event))
        else:  # a replay of an archive
            _send_by_moto(self, original_event, transform_input=False)

    Rule.send_to_targets = send


def event(
    *, source: str, detail_type: str, detail: Mapping[str, Any], resources: list[str], time: datetime, region: str
) -> dict[str, Any]:
    """An event in its envelope. The id follows from the content, so that the same event has the same."""
    envelope = {
        "version": "0",
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT_ID,
        "time": _event_time(time),
        "region": region,
        "resources": resources,
        "detail": dict(detail),
    }
    digest = hashlib.sha256(json.dumps(envelope, sort_keys=True).encode()).hexdigest()
    return {"id": f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}", **envelope}


def deliver(given: Mapping[str, Any], *, region: str) -> list[Delivery]:
    """Give an event to the targets of every enabled rule of the default bus that it matches.

    In the order of the rules' names and the targets' ids. Roles and permissions are not looked at.
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
    try:
        if arn.split(":")[2] not in OWN_KINDS:
            _leave_to_moto(rule, target, given)
            return Delivery(rule=rule.name, target_arn=arn)
        with acting("events.amazonaws.com", str(rule.arn)):
            started = _hand_over(target, _input(rule, target, given), given)
    except (CannotStartError, JsonRESTError, ServiceException) as error:
        _to_dead_letters(rule, target, given, error)
        return Delivery(rule=rule.name, target_arn=arn, error=_words(error))
    return Delivery(rule=rule.name, target_arn=arn, execution_arn=started)


def _hand_over(target: Mapping[str, Any], payload: Any, given: Mapping[str, Any]) -> str | None:
    """Give a payload to a target; the ARN of the execution if that started one."""
    if fault := faults.met("eventbridge"):
        raise ServiceException("InternalFailure", f"The local eventbridge is made to answer {fault}.")
    arn = str(target["Arn"])
    _, _, service, region, account_id, resource = arn.split(":", 5)
    text = json.dumps(payload)
    match service:
        case "states":
            return executions.start(arn, payload)
        case "sqs":
            group = target.get("SqsParameters", {}).get("MessageGroupId")
            sqs_backends[account_id][region].send_message(queue_name=resource, message_body=text, group_id=group)
        case "sns":
            sns_backends[account_id][region].publish(message=text, arn=arn)
        case "lambda":
            _, name, *qualifier = resource.split(":")
            asynchronous = {"x-amz-invocation-type": "Event"}
            lambda_backends[account_id][region].invoke(name, "".join(qualifier) or None, text, asynchronous, {})
        case _:
            _log(resource.split(":")[1], text, given, logs_backends[account_id][region])
    return None


def _log(name: str, text: str, given: Mapping[str, Any], backend: Any) -> None:
    """Write to a log group past its front door, which refuses events that are far from the wall clock."""
    stream = str(given["id"])
    backend.ensure_log_stream(name, stream)
    stamp = int(datetime.fromisoformat(given["time"]).timestamp() * 1000)
    backend.groups[name].put_log_events(stream, [{"timestamp": stamp, "message": text}])


def _leave_to_moto(rule: Any, target: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    alone = copy.copy(rule)
    alone.targets = [target]
    alone.event_pattern = EventPattern.load(None)  # it has matched already
    seconds = datetime.fromisoformat(given["time"]).timestamp()
    _send_by_moto(alone, {**given, "time": seconds, "ingestion-time": seconds})


def _input(rule: Any, target: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """What a target is given: the whole event, or what it asked for instead."""
    if "Input" in target:
        return json.loads(target["Input"])
    if "InputPath" in target:
        return _at(target["InputPath"], given)
    if "InputTransformer" in target:
        return transformed(target["InputTransformer"], given, rule_name=rule.name, rule_arn=rule.arn)
    return given


def transformed(transformer: Mapping[str, Any], given: Mapping[str, Any], *, rule_name: str, rule_arn: str) -> Any:
    """The template of an input transformer with its variables filled in.

    A variable inside quotes becomes part of the string; outside, it becomes JSON with quotes of its own. One that the
    event lacks is null, or nothing inside quotes.
    """
    variables = {name: _at(path, given) for name, path in transformer.get("InputPathsMap", {}).items()} | {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_name,
        "aws.events.event.ingestion-time": given["time"],
        "aws.events.event.json": given,
        "aws.events.event": {name: value for name, value in given.items() if name != "detail"},
    }
    text, quoted = "", False
    for part in re.split(r'(\\.|"|<[\w.-]+>)', transformer["InputTemplate"]):
        quoted ^= part == '"'
        known = part[:1] == "<" and part[1:-1] in variables
        text += _inserted(variables[part[1:-1]], quoted=quoted) if known else part
    try:
        return json.loads(text)
    except ValueError as error:
        raise ServiceException("INVALID_JSON", f"the input template became {text}, which is no JSON") from error


def _inserted(value: Any, *, quoted: bool) -> str:
    if not quoted:
        return json.dumps(value)
    words = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return json.dumps(words)[1:-1]


def _at(path: str, given: Any) -> Any:
    """The value at a path such as `$.detail.items[0]['error-code']`; None if there is none."""
    found = given
    for name, quoted, index in re.findall(r"\.([\w-]+)|\['([^']+)'\]|\[(\d+)\]", path):
        try:
            found = found[int(index) if index else name or quoted]
        except (IndexError, KeyError, TypeError):
            return None
    return found


def _to_dead_letters(rule: Any, target: Mapping[str, Any], given: Mapping[str, Any], error: Exception) -> None:
    """The event in the target's queue, with the attributes that say what went wrong."""
    queue_arn = target.get("DeadLetterConfig", {}).get("Arn")
    if not queue_arn:
        return
    *_, region, account_id, name = str(queue_arn).split(":")
    # A queue that refuses loses the event; EventBridge counts it in InvocationsFailedToBeSentToDlq.
    with suppress(ServiceException), acting("events.amazonaws.com", str(rule.arn)):
        _put_dead_letter(rule, target, given, error, sqs_backends[account_id][region], name)


def _put_dead_letter(  # noqa: PLR0917  in the order of what it says
    rule: Any, target: Mapping[str, Any], given: Mapping[str, Any], error: Exception, queues: Any, name: str
) -> None:
    attributes = {
        "RULE_ARN": rule.arn,
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": _error_code(error),
        "ERROR_MESSAGE": _words(error),
        "RETRY_ATTEMPTS": "0",
    }
    queues.send_message(
        queue_name=name,
        message_body=json.dumps(given),
        message_attributes={
            key: {"DataType": "String", "StringValue": str(value)} for key, value in attributes.items()
        },
    )


def _words(error: Exception) -> str:
    return str(getattr(error, "message", error))


def _error_code(error: Exception) -> str:
    """EventBridge's word for a refusal; see "Using dead-letter queues to process undelivered events"."""
    cause = error.__cause__ if isinstance(error, CannotStartError) else error
    code = str(getattr(cause, "error_type", getattr(cause, "code", "")))
    if code == "INVALID_JSON":
        return code
    return "NO_RESOURCE" if re.search("DoesNotExist|NotFound|NonExistent", code) else "ERROR_FROM_TARGET"


def _as_sent(moto_event: Mapping[str, Any]) -> dict[str, Any]:
    """An event of PutEvents as targets see it; moto keeps its time as a number, and a field of its own."""
    time = moto_event["time"]
    moment = time if isinstance(time, datetime) else datetime.fromtimestamp(float(time), UTC)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return {name: value for name, value in moto_event.items() if name != "ingestion-time"} | {
        "time": _event_time(moment)
    }


def _event_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
