"""Reads whatever started the workflow: an alarm, an event of MediaConnect's own, the schedule or a person.

Pure: no clock, network or environment. MediaConnect's documentation and its real events spell some keys differently
(`source_state` and `state`), so both are read, and every key of an event is optional.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from report import Cause, Issue, Severity

ALARM_CHANGE: Final = "CloudWatch Alarm State Change"
UNDERSTOOD: Final = (
    'an EventBridge event of CloudWatch alarms or MediaConnect, {"flow_arn": ...} or {"flow_name": ...}, '
    'and for schedules also "kind": "schedule" and "time"'
)


class TriggerError(ValueError):
    """The input starts no look: it names no flow, no time, or is of an unknown kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What happened, to which flow, and when.

    Attributes:
        kind: what sort of thing started the workflow.
        name: alarm name or detail-type; for people and schedules their kind.
        flow_name: the flow; its policy is found by this.
        flow_arn: None where only the name is known, as in composite alarms.
        time: when it happened, in UTC; health is judged as of then.
        state: state of the alarm, source, output or flow that it tells of; empty if it tells of none.
        evidence: what the event by itself says is wrong, if anything.
    """

    kind: Literal["alarm", "event", "schedule", "person"]
    name: str
    flow_name: str
    flow_arn: str | None
    time: datetime
    state: str = ""
    evidence: Issue | None = None

    def cause(self) -> Cause:
        """As the report carries it."""
        cause: Cause = {"kind": self.kind, "name": self.name}
        return {**cause, "state": self.state} if self.state else cause


def read_trigger(given: object, *, started: str) -> Trigger:
    """Understand the state machine's input.

    Args:
        given: the whole input.
        started: when the execution began, ISO 8601; the time of a person's input, which has none.

    Raises:
        TriggerError: it names no flow or no time, or is of a kind that is not known.
    """
    if not isinstance(given, Mapping):
        raise TriggerError(f"the input is {_kind(given)}; understood are {UNDERSTOOD}")
    detail_type = given.get("detail-type")
    if detail_type == ALARM_CHANGE:
        return _alarm(given, started)
    if isinstance(detail_type, str) and detail_type in EVENTS:
        return _event(given, detail_type, started)
    if detail_type is not None:
        raise TriggerError(f"the event is of type {detail_type!r}; understood are {', '.join([ALARM_CHANGE, *EVENTS])}")
    return _asked(given, started)


def flow_name_of(flow_arn: str) -> str:
    """The name at the end of `arn:<partition>:mediaconnect:<region>:<account>:flow:<id>:<name>`."""
    parts = flow_arn.split(":")
    if len(parts) != 8 or parts[2] != "mediaconnect" or parts[5] != "flow":  # noqa: PLR2004  an ARN's parts
        raise TriggerError(f"{flow_arn!r} is no ARN of a MediaConnect flow")
    return parts[7]


def read_time(text: object) -> datetime:
    """An ISO 8601 time in UTC; CloudWatch writes its offset without a colon.

    Raises:
        TriggerError: it is no time, or one without an offset.
    """
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise TriggerError(f"{text!r} is no time with an offset, such as 2026-11-23T20:00:00Z")
    return time.astimezone(UTC)


def _asked(given: Mapping[str, Any], started: str) -> Trigger:
    arn, name = given.get("flow_arn"), given.get("flow_name")
    if not isinstance(arn, str) and not isinstance(name, str):
        raise TriggerError(f"the input names no flow; understood are {UNDERSTOOD}")
    scheduled = given.get("kind") == "schedule"
    kind: Literal["schedule", "person"] = "schedule" if scheduled else "person"
    return Trigger(
        kind=kind,
        name=kind,
        flow_name=flow_name_of(arn) if isinstance(arn, str) else str(name),
        flow_arn=arn if isinstance(arn, str) else None,
        time=read_time(given.get("time") if scheduled else given.get("time", started)),
    )


def _alarm(event: Mapping[str, Any], started: str) -> Trigger:
    detail = _table(event, "detail")
    name, state = detail.get("alarmName"), _table(detail, "state")
    if not isinstance(name, str):
        raise TriggerError("the alarm event has no alarmName")
    arn = _watched_flow(_table(detail, "configuration"))
    return Trigger(
        kind="alarm",
        name=name,
        flow_name=flow_name_of(arn) if arn else _named_in_alarm(name, state),
        flow_arn=arn,
        time=read_time(state.get("timestamp") or event.get("time") or started),
        state=str(state.get("value", "")),
    )


def _watched_flow(configuration: Mapping[str, Any]) -> str | None:
    """The flow in the dimensions of a metric alarm; a composite has no metrics."""
    for metric in _list(configuration, "metrics"):
        dimensions = _table(_table(_table(metric, "metricStat"), "metric"), "dimensions")
        if isinstance(dimensions.get("FlowARN"), str):
            return str(dimensions["FlowARN"])
    return None


def _named_in_alarm(name: str, state: Mapping[str, Any]) -> str:
    """The flow in `media-workflow-<environment>-<flow>/<rule>`, the alarm's own name or that of one that raised it."""
    try:
        reason = json.loads(str(state.get("reasonData", "{}")))
    except ValueError:
        reason = {}
    raising = [
        str(_table(alarm, "").get("arn", "")).rpartition(":alarm:")[2] for alarm in _list(reason, "triggeringAlarms")
    ]
    for candidate in (name, *raising):
        before, slash, _ = candidate.partition("/")
        parts = before.split("-", 3)  # media, workflow, environment, flow
        if slash and len(parts) == 4 and parts[3]:  # noqa: PLR2004
            return parts[3]
    raise TriggerError(f"the alarm {name!r} tells of no flow: it has no FlowARN dimension and no <flow>/<rule> name")


def _event(event: Mapping[str, Any], detail_type: str, started: str) -> Trigger:
    arns = [arn for arn in _list(event, "resources") if isinstance(arn, str) and ":flow:" in arn]
    if not arns:
        raise TriggerError(f"the event {detail_type!r} names no flow in its resources")
    detail = _table(event, "detail")
    return Trigger(
        kind="event",
        name=detail_type,
        flow_name=flow_name_of(arns[0]),
        flow_arn=arns[0],
        time=read_time(event.get("time") or started),
        state=_state(detail),
        evidence=EVENTS[detail_type](detail),
    )


def _state(detail: Mapping[str, Any]) -> str:
    current = _table(detail, "current")
    for value in (
        current.get("state"),
        current.get("source_state"),
        detail.get("currentStatus"),
        detail.get("error-code"),
    ):
        if isinstance(value, str) and value:
            return value
    return ""


def _finding(source: str, severity: Severity, meaning: str, *actions: str) -> Issue:
    return {
        "metric": source,
        "value": None,
        "threshold": None,
        "unit": "",
        "severity": severity,
        "meaning": meaning,
        "actions": list(actions),
        "evidence": "event",
    }


def _alert(detail: Mapping[str, Any]) -> Issue | None:
    if detail.get("errored") is not True:
        return None
    code, words = str(detail.get("error-code", "unknown")), str(detail.get("error-message", "no message"))
    # A stream error of a source means that nothing usable comes in; other alerts are troubles of the flow.
    severity: Severity = "CRITICAL" if "source" in code.lower() else "HIGH"
    return _finding(code, severity, f"MediaConnect reports: {words}", "Look at the flow's alerts in the console.")


def _source(detail: Mapping[str, Any]) -> Issue | None:
    current = _table(detail, "current")
    state = _state(detail)
    if state == "DISCONNECTED" or current.get("isBitrateZero") is True:
        return _finding(
            "SourceHealth",
            "CRITICAL",
            "A source is disconnected or sends nothing.",
            "Call the sender: is the encoder running, and sending to the ingest address of this flow?",
        )
    flags = sorted(name for name, raised in _table(current, "tr101").items() if raised is True)
    if detail.get("unhealthy") is True:
        damage = f" ({', '.join(flags)})" if flags else ""
        return _finding(
            "SourceHealth",
            "MEDIUM",
            f"The transport stream is damaged{damage}.",
            "Check the network between encoder and AWS, then the encoder's multiplexer.",
        )
    return None


def _output(detail: Mapping[str, Any]) -> Issue | None:
    if _state(detail) != "DISCONNECTED":
        return None
    return _finding("OutputHealth", "HIGH", "A receiver is disconnected.", "Call the receiver's side.")


def _content(detail: Mapping[str, Any]) -> Issue | None:
    if detail.get("impacted") is not True:
        return None
    raised = {key for stream in _list(detail, "streams") for key, value in _table(stream, "").items() if value is True}
    seen = (
        ", ".join(key.removesuffix("_duration_breaching").replace("_", " ") for key in sorted(raised))
        or "not said what"
    )
    return _finding(
        "ContentQuality",
        "HIGH",
        f"The content is impaired: {seen}.",
        "Look at the flow's thumbnail in the console, then at the encoder's input.",
    )


def _nothing(_: Mapping[str, Any]) -> Issue | None:
    """Changes of status and maintenance: the flow itself is asked how it is."""
    return None


EVENTS: Final[Mapping[str, Callable[[Mapping[str, Any]], Issue | None]]] = {
    "MediaConnect Alert": _alert,
    "MediaConnect Flow Content Quality": _content,
    "MediaConnect Flow Health": _source,
    "MediaConnect Flow Maintenance": _nothing,
    "MediaConnect Flow Status Change": _nothing,
    "MediaConnect Output Health": _output,
    "MediaConnect Output Status Change": _nothing,
    "MediaConnect Source Health": _source,
}
"""What each event says is wrong. The rules that are deployed match exactly these types."""


def _table(value: object, key: str) -> Mapping[str, Any]:
    """The table under `key` (of `value` itself for an empty key); an empty one if it is something else."""
    found = value.get(key) if key and isinstance(value, Mapping) else value
    return found if isinstance(found, Mapping) else {}


def _list(value: object, key: str) -> Sequence[Any]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
