"""Reads whatever started the workflow: an alarm, an event of MediaConnect's own, the schedule or a person.

Pure: no clock, network or environment. MediaConnect's documentation and its real events spell some keys differently
(`source_state` and `state`), so both are read, and every key of an event is optional.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from report import FUTURE_TOLERANCE, KEPT, Cause, Issue, Severity

ALARM_CHANGE: Final = "CloudWatch Alarm State Change"
STATUS_CHANGE: Final = "MediaConnect Flow Status Change"
MAINTENANCE: Final = "MediaConnect Flow Maintenance"
SOURCE: Final = "source"
"""What findings on sources are about; the policy's rules on sources say the same."""
ONE_LOST: Final = "one-source-lost"
"""The key of the rule on one of two sources being gone."""
OUTPUT_STATUS: Final = "OutputStatus"
DAMAGE: Final = "SourceHealth"
CONTENT: Final = {
    "audio_missing": "AudioStreamMissing",
    "black_frames_duration_breaching": "BlackFramesBreaching",
    "frozen_frames_duration_breaching": "FrozenFramesBreaching",
    "silent_audio_duration_breaching": "SilentAudioBreaching",
    "video_missing": "VideoStreamMissing",
}
"""The metric that corresponds to a flag of the content quality event."""
FLOW_NAME: Final = re.compile("[A-Za-z0-9_-]{1,64}")
"""The names that the settings allow: another one has no monitoring policy, and may be no name of a parameter at all."""
OUR_SOURCES: Final = ("aws.cloudwatch", "aws.mediaconnect")
"""Sources of the events that our rules match."""
ACCEPTED: Final = (
    'an EventBridge event of CloudWatch alarms or MediaConnect, {"flow_arn": ...} or {"flow_name": ...}, '
    'and for schedules also "kind": "schedule" and "time"'
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What an event states about one thing: an issue, or None if it is good again.

    `part` is the ARN or the name of the source or output, empty where the event names none. `rule` is the key of the
    rule on the same condition, where more than one is about it.
    """

    about: str
    part: str
    issue: Issue | None
    rule: str = ""


Findings = tuple[Finding, ...]


class TriggerError(ValueError):
    """The input starts no check: it names no flow, a time in the future or none, or is of an unknown kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What happened, to which flow, and when.

    Attributes:
        kind: what sort of thing started the workflow.
        name: alarm name or detail-type; for people and schedules their kind.
        flow_name: the flow; its policy is found by this.
        flow_arn: None where only the name is known, as in composite alarms.
        time: when it happened, in UTC; health is evaluated as of then.
        state: state of the alarm, source, output or flow in the event; empty if it has none.
        findings: what the event by itself states is wrong or good again.
        previous_status: the status that the flow had before, if the event is about a change.
        maintenance: the new state of the flow's maintenance, if the event is about it.
    """

    kind: Literal["alarm", "event", "schedule", "person"]
    name: str
    flow_name: str
    flow_arn: str | None
    time: datetime
    state: str = ""
    findings: Findings = ()
    previous_status: str = ""
    maintenance: str = ""

    def cause(self) -> Cause:
        """As the report carries it."""
        cause: Cause = {"kind": self.kind, "name": self.name}
        return {**cause, "state": self.state} if self.state else cause


def read_trigger(given: object, *, started: str) -> Trigger:
    """Understand the state machine's input.

    Args:
        given: the whole input.
        started: when the execution began, ISO 8601; the time of an input that has none.

    Raises:
        TriggerError: it names no flow or no time, a time later than the execution's start and `FUTURE_TOLERANCE` or
            earlier than `KEPT` before it, or is of a kind that is not known.
    """
    trigger = _read(given, started)
    if not FLOW_NAME.fullmatch(trigger.flow_name):
        raise TriggerError(f"{trigger.flow_name[:100]!r} is not the name of a monitored flow")
    if read_time(started) - trigger.time > KEPT:
        raise TriggerError(
            f"the time {trigger.time.isoformat()} is more than {KEPT.days} days before the start of the execution, "
            f"{started}: CloudWatch does not keep the datapoints of a minute for so long"
        )
    if trigger.time > read_time(started) + FUTURE_TOLERANCE:
        # Its report would be newer than all later ones, and silence them.
        minutes = int(FUTURE_TOLERANCE.total_seconds() // 60)
        raise TriggerError(
            f"the time {trigger.time.isoformat()} is in the future: it may be up to {minutes} minutes later than "
            f"the start of the execution, {started}"
        )
    return trigger


def sent_by_us(given: object) -> bool:
    """Whether one of our rules or schedules sent an input, by its form; otherwise a person did.

    A person may leave out what AWS always sends. What fails for one of ours is a failure of the monitoring; what
    fails for a person is theirs to correct.
    """
    return isinstance(given, Mapping) and (given.get("source") in OUR_SOURCES or given.get("kind") == "schedule")


def _read(given: object, started: str) -> Trigger:
    if not isinstance(given, Mapping):
        raise TriggerError(f"the input is {_kind(given)}; accepted: {ACCEPTED}")
    detail_type = given.get("detail-type")
    if detail_type == ALARM_CHANGE:
        return _alarm(given, started)
    if isinstance(detail_type, str) and detail_type in EVENTS:
        return _event(given, detail_type, started)
    if detail_type is not None:
        raise TriggerError(f"the event is of type {detail_type!r}; accepted: {', '.join([ALARM_CHANGE, *EVENTS])}")
    return _asked(given, started)


def flow_name_of(flow_arn: str) -> str:
    """The name at the end of `arn:<partition>:mediaconnect:<region>:<account>:flow:<id>:<name>`."""
    parts = flow_arn.split(":")
    if len(parts) != 8 or parts[2] != "mediaconnect" or parts[5] != "flow":  # noqa: PLR2004  an ARN's parts
        raise TriggerError(f"{flow_arn!r} is not the ARN of a MediaConnect flow")
    return parts[7]


def read_time(text: object) -> datetime:
    """An ISO 8601 time in UTC; CloudWatch writes its offset without a colon.

    Raises:
        TriggerError: it is no time, or one without an offset.
    """
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
        if time and time.tzinfo:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter for the first and the last day of the calendar
        pass
    raise TriggerError(f"{text!r} is not a time with an offset, such as 2026-11-23T20:00:00Z")


def _asked(given: Mapping[str, Any], started: str) -> Trigger:
    arn, name = given.get("flow_arn"), given.get("flow_name")
    if not isinstance(arn, str) and not isinstance(name, str):
        raise TriggerError(f"the input names no flow; accepted: {ACCEPTED}")
    scheduled = given.get("kind") == "schedule"
    kind: Literal["schedule", "person"] = "schedule" if scheduled else "person"
    time = given.get("time", started)
    return Trigger(
        kind=kind,
        name=kind,
        flow_name=flow_name_of(arn) if isinstance(arn, str) else str(name),
        flow_arn=arn if isinstance(arn, str) else None,
        time=_scheduled_time(time, started) if scheduled else read_time(time),
    )


def _scheduled_time(text: object, started: str) -> datetime:
    """When a check was due. Without a usable time, as where a dead letter kept the placeholder, it is due now."""
    try:
        return read_time(text)
    except TriggerError:
        return read_time(started)


def _alarm(event: Mapping[str, Any], started: str) -> Trigger:
    detail = _table(event, "detail")
    name, state = detail.get("alarmName"), _table(detail, "state")
    if not isinstance(name, str):
        raise TriggerError("the alarm event has no alarmName")
    arn = _flow_of_alarm(_table(detail, "configuration"))
    return Trigger(
        kind="alarm",
        name=name,
        flow_name=flow_name_of(arn) if arn else _named_in_alarm(name, state),
        flow_arn=arn,
        time=read_time(state.get("timestamp") or event.get("time") or started),
        state=str(state.get("value", "")),
    )


def _flow_of_alarm(configuration: Mapping[str, Any]) -> str | None:
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
    raise TriggerError(f"the alarm {name!r} names no flow: it has no FlowARN dimension and no <flow>/<rule> name")


def _event(event: Mapping[str, Any], detail_type: str, started: str) -> Trigger:
    arns = [arn for arn in _list(event, "resources") if isinstance(arn, str)]
    flows = [arn for arn in arns if ":flow:" in arn]
    if not flows:
        raise TriggerError(f"the event {detail_type!r} names no flow in its resources")
    detail = _table(event, "detail")
    part = next((arn for arn in arns if ":source:" in arn or ":output:" in arn), "")
    return Trigger(
        kind="event",
        name=detail_type,
        flow_name=flow_name_of(flows[0]),
        flow_arn=flows[0],
        time=read_time(event.get("time") or started),
        state=_state(detail),
        findings=EVENTS[detail_type](detail, part),
        previous_status=_previous(detail) if detail_type == STATUS_CHANGE else "",
        maintenance=_state(detail) if detail_type == MAINTENANCE else "",
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


def _previous(detail: Mapping[str, Any]) -> str:
    value = detail.get("previousStatus")
    return value if isinstance(value, str) else ""


def _issue(about: str, severity: Severity, meaning: str, *actions: str) -> Issue:
    return {
        "about": about,
        "metric": about,
        "value": None,
        "threshold": None,
        "unit": "",
        "severity": severity,
        "meaning": meaning,
        "actions": list(actions),
        "evidence": "event",
    }


def _alert(detail: Mapping[str, Any], _: str) -> Findings:
    code = str(detail.get("error-code", "unknown"))
    words = str(detail.get("error-message", "no message"))
    # A stream error of a source means that nothing usable comes in; only the event's message names the source.
    if "source" in code.lower():
        named = re.search(r"Source (\S+) Stream Error", words)
        about, part = SOURCE, named[1] if named else ""
    else:
        about, part = code, ""
    severity: Severity = "CRITICAL" if about == SOURCE else "HIGH"
    issue = _issue(about, severity, f"MediaConnect reports: {words}", "Check the flow's alerts in the console.")
    if not isinstance(detail.get("errored"), bool):
        return ()
    return (Finding(about, part, issue if detail["errored"] else None, rule=ONE_LOST if about == SOURCE else ""),)


def _source(detail: Mapping[str, Any], part: str) -> Findings:
    current, state = _table(detail, "current"), _state(detail)
    if state == "DISCONNECTED" or current.get("isBitrateZero") is True:
        lost = _issue(
            SOURCE,
            "CRITICAL",
            "A source is disconnected or sends nothing.",
            "Call the sender: is the encoder running, and sending to the ingest address of this flow?",
        )
        # Of two sources, one may be disconnected; only that nothing at all comes in is about both.
        one = not part and current.get("isBitrateZero") is not True
        return (Finding(SOURCE, part, lost, rule=ONE_LOST if one else ""),)
    if current.get("failover_switch") is True:
        switched = _issue(
            SOURCE, "HIGH", "The flow switched between its sources.", "Call the sender of the other source."
        )
        return (Finding(SOURCE, part, switched, rule="failover"),)
    there = (Finding(SOURCE, part, None),) if state in {"CONNECTED", "RECEIVING"} else ()
    flags = sorted(name for name, raised in _table(current, "tr101").items() if raised is True)
    if detail.get("unhealthy") is True:
        damage = f" ({', '.join(flags)})" if flags else ""
        damaged = _issue(
            DAMAGE,
            "MEDIUM",
            f"The transport stream is damaged{damage}.",
            "Check the network between encoder and AWS, then the encoder's multiplexer.",
        )
        return (*there, Finding(DAMAGE, part, damaged))
    return (*there, Finding(DAMAGE, part, None)) if detail.get("unhealthy") is False else there


def _output(detail: Mapping[str, Any], part: str) -> Findings:
    state = _state(detail)
    if state == "DISCONNECTED":
        gone = _issue("OutputConnected", "HIGH", "A receiver is disconnected.", "Call the receiver's side.")
        return (Finding("OutputConnected", part, gone),)
    return (Finding("OutputConnected", part, None),) if state in {"CONNECTED", "SENDING"} else ()


def _output_status(detail: Mapping[str, Any], part: str) -> Findings:
    state = _state(detail)
    if state == "DISABLED":
        return (Finding(OUTPUT_STATUS, part, output_disabled("An output")),)
    return (Finding(OUTPUT_STATUS, part, None),) if state == "ENABLED" else ()


def output_disabled(which: str, *, evidence: Literal["event", "status"] = "event") -> Issue:
    """What is wrong when an output is disabled."""
    meaning = f"{which} is disabled: its receiver gets nothing."
    issue = _issue(OUTPUT_STATUS, "HIGH", meaning, "Enable it in the console, unless it is disabled on purpose.")
    return {**issue, "evidence": evidence}


def _content(detail: Mapping[str, Any], _: str) -> Findings:
    if not isinstance(detail.get("impacted"), bool):
        return ()
    raised = {key for stream in _list(detail, "streams") for key, value in _table(stream, "").items() if value is True}
    bad = {about: key for key, about in CONTENT.items() if key in raised and detail["impacted"]}
    if detail["impacted"] and not bad:
        bad = {"ContentQuality": "unspecified"}
    check = "Check the flow's thumbnail in the console, then the encoder's input."
    return tuple(
        Finding(about, "", _issue(about, "HIGH", f"The content is impaired: {_plain(bad[about])}.", check))
        if about in bad
        else Finding(about, "", None)
        for about in (*CONTENT.values(), "ContentQuality")
    )


def _plain(key: str) -> str:
    return key.removesuffix("_duration_breaching").replace("_", " ")


def _no_findings(_: Mapping[str, Any], __: str) -> Findings:
    """Changes of status and maintenance: the flow itself is asked how it is."""
    return ()


EVENTS: Final[Mapping[str, Callable[[Mapping[str, Any], str], Findings]]] = {
    "MediaConnect Alert": _alert,
    "MediaConnect Flow Content Quality": _content,
    "MediaConnect Flow Health": _source,
    MAINTENANCE: _no_findings,
    STATUS_CHANGE: _no_findings,
    "MediaConnect Output Health": _output,
    "MediaConnect Output Status Change": _output_status,
    "MediaConnect Source Health": _source,
}
"""What each event states is wrong, or good again. The rules that are deployed match exactly these types."""


def _table(value: object, key: str) -> Mapping[str, Any]:
    """The table under `key` (of `value` itself for an empty key); an empty one if it is something else."""
    found = value.get(key) if key and isinstance(value, Mapping) else value
    return found if isinstance(found, Mapping) else {}


def _list(value: object, key: str) -> Sequence[Any]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
