"""Whatever starts the workflow is understood, in either spelling of AWS's, or refused with what is understood."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.event_patterns import DETAIL_TYPES
from report import FUTURE_TOLERANCE, KEPT
from stream_monitor.trigger import CONTENT, EVENTS, TriggerError, read_time, read_trigger, sent_by_us
from tests.unit.stream import FLOW_ARN, STARTED

SOURCE_ARN = "arn:aws:mediaconnect:us-east-1:123456789012:source:1-AbC:encoder"


def read(given: object) -> Any:
    return read_trigger(given, started=STARTED)


def event(detail_type: str, detail: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "1",
        "source": "aws.mediaconnect",
        "account": "123456789012",
        "region": "us-east-1",
        "time": "2026-11-23T20:05:00Z",
        "detail-type": detail_type,
        "resources": [FLOW_ARN, SOURCE_ARN],
        "detail": detail,
    } | changes


def alarm(**detail: Any) -> dict[str, Any]:
    metric = {"namespace": "AWS/MediaConnect", "name": "SourceJitter", "dimensions": {"FlowARN": FLOW_ARN}}
    return event(
        "CloudWatch Alarm State Change",
        {
            "alarmName": "media-workflow-prod-live-stream/jitter",
            "state": {"value": "ALARM", "reason": "r", "timestamp": "2026-11-23T20:04:40.989+0000"},
            "configuration": {
                "metrics": [{"id": "m", "metricStat": {"metric": metric, "period": 60, "stat": "Average"}}]
            },
        }
        | detail,
        source="aws.cloudwatch",
        resources=["arn:aws:cloudwatch:us-east-1:123456789012:alarm:media-workflow-prod-live-stream/jitter"],
    )


@pytest.mark.parametrize("given", [{"flow_arn": FLOW_ARN}, {"flow_name": "live-stream"}])
def test_flow_alone_is_a_complete_input_as_of_the_start(given: dict[str, str]) -> None:
    trigger = read(given)
    assert (trigger.kind, trigger.flow_name) == ("person", "live-stream")
    assert trigger.time == datetime(2026, 11, 23, 20, 5, 30, 123000, UTC)


def test_schedule_is_evaluated_as_of_its_own_time() -> None:
    trigger = read({"kind": "schedule", "flow_arn": FLOW_ARN, "time": "2026-11-23T20:00:00Z"})
    assert (trigger.kind, trigger.time) == ("schedule", datetime(2026, 11, 23, 20, 0, tzinfo=UTC))


def test_alarm_is_evaluated_as_of_its_change_of_state() -> None:
    trigger = read(alarm())
    assert (trigger.kind, trigger.state, trigger.flow_arn) == ("alarm", "ALARM", FLOW_ARN)
    assert trigger.time == datetime(2026, 11, 23, 20, 4, 40, 989000, UTC)


def test_metric_math_alarm_names_its_flow_in_any_metric() -> None:
    stat = alarm()["detail"]["configuration"]["metrics"][0]
    assert read(alarm(configuration={"metrics": [{"id": "e", "expression": "a/b"}, stat]})).flow_arn == FLOW_ARN


@pytest.mark.parametrize(
    "detail",
    [
        {},
        {
            "alarmName": "anything",
            "state": {
                "value": "ALARM",
                "timestamp": "2026-11-23T20:04:40.989+0000",
                "reasonData": json.dumps(
                    {"triggeringAlarms": [{"arn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:media-workflow-prod-live-stream/jitter"}]}
                ),
            },
        },
    ],
)  # fmt: skip
def test_composite_alarm_names_its_flow_by_alarm_names(detail: dict[str, Any]) -> None:
    trigger = read(alarm(configuration={"alarmRule": "..."}, **detail))
    assert (trigger.flow_name, trigger.flow_arn) == ("live-stream", None)


def test_deployed_rules_match_exactly_the_known_events() -> None:
    assert set(EVENTS) == set(DETAIL_TYPES)


@pytest.mark.parametrize("detail_type", DETAIL_TYPES)
@pytest.mark.parametrize("detail", [{}, {"current": None}, {"streams": "none"}])
def test_every_key_of_an_event_is_optional(detail_type: str, detail: dict[str, Any]) -> None:
    trigger = read(event(detail_type, detail))
    assert (trigger.kind, trigger.name) == ("event", detail_type)
    assert not any(finding.issue for finding in trigger.findings)


@pytest.mark.parametrize(
    ("detail_type", "detail", "state", "severity"),
    [
        ("MediaConnect Alert", {"errored": True, "error-code": "SourceStreamError", "error-message": "Timeout"}, "SourceStreamError", "CRITICAL"),
        ("MediaConnect Alert", {"errored": True, "error-code": "VpcError"}, "VpcError", "HIGH"),
        ("MediaConnect Alert", {"errored": False, "error-code": "SourceStreamError"}, "SourceStreamError", None),
        ("MediaConnect Source Health", {"unhealthy": True, "current": {"state": "DISCONNECTED"}}, "DISCONNECTED", "CRITICAL"),
        ("MediaConnect Source Health", {"unhealthy": True, "current": {"source_state": "DISCONNECTED"}}, "DISCONNECTED", "CRITICAL"),
        ("MediaConnect Source Health", {"unhealthy": False, "current": {"state": "CONNECTED"}}, "CONNECTED", None),
        ("MediaConnect Source Health", {"unhealthy": True, "current": {"state": "RECEIVING", "tr101": {"pcr_error": True}}}, "RECEIVING", "MEDIUM"),
        ("MediaConnect Flow Health", {"unhealthy": True, "current": {"isBitrateZero": True, "state": ""}}, "", "CRITICAL"),
        ("MediaConnect Flow Health", {"unhealthy": True, "current": {"failover_switch": True}}, "", "HIGH"),
        ("MediaConnect Output Health", {"current": {"state": "DISCONNECTED"}}, "DISCONNECTED", "HIGH"),
        ("MediaConnect Output Health", {"current": {"state": "SENDING"}}, "SENDING", None),
        ("MediaConnect Flow Content Quality", {"impacted": True, "streams": [{"black_frames_duration_breaching": True}]}, "", "HIGH"),
        ("MediaConnect Flow Content Quality", {"impacted": False}, "", None),
        ("MediaConnect Flow Status Change", {"currentStatus": "STANDBY", "previousStatus": "ACTIVE"}, "STANDBY", None),
        ("MediaConnect Flow Maintenance", {"currentStatus": "INPROGRESS"}, "INPROGRESS", None),
        ("MediaConnect Output Status Change", {"currentStatus": "DISABLED"}, "DISABLED", "HIGH"),
    ],
)  # fmt: skip
def test_event_states_what_is_wrong(detail_type: str, detail: dict[str, Any], state: str, severity: str | None) -> None:
    trigger = read(event(detail_type, detail))
    assert trigger.state == state
    assert [found.issue["severity"] for found in trigger.findings if found.issue] == ([severity] if severity else [])


def test_impaired_content_is_named_as_the_metrics_of_the_same_are() -> None:
    streams = [
        {"black_frames_duration_breaching": True},
        {"silent_audio_duration_breaching": True, "video_missing": False},
    ]
    findings = read(event("MediaConnect Flow Content Quality", {"impacted": True, "streams": streams})).findings
    bad = {found.about: found.issue["meaning"] for found in findings if found.issue}
    assert bad == {
        "BlackFramesBreaching": "The content is impaired: black frames.",
        "SilentAudioBreaching": "The content is impaired: silent audio.",
    }
    assert set(CONTENT.values()) <= {found.about for found in findings}, "what is not raised is good again"


@pytest.mark.parametrize(
    ("detail_type", "detail", "about", "part"),
    [
        ("MediaConnect Source Health", {"current": {"state": "CONNECTED"}}, "source", SOURCE_ARN),
        ("MediaConnect Source Health", {"current": {"source_state": "RECEIVING"}}, "source", SOURCE_ARN),
        ("MediaConnect Output Health", {"current": {"state": "SENDING"}}, "OutputConnected", SOURCE_ARN),
        ("MediaConnect Alert", {"errored": False, "error-code": "SourceStreamError", "error-message": "Source venue-b Stream Error: none"}, "source", "venue-b"),
        ("MediaConnect Alert", {"errored": False, "error-code": "VpcError"}, "VpcError", ""),
    ],
)  # fmt: skip
def test_event_states_what_is_good_again(detail_type: str, detail: dict[str, Any], about: str, part: str) -> None:
    found = read(event(detail_type, detail)).findings
    assert [(item.about, item.part) for item in found if item.issue is None] == [(about, part)]


def test_change_of_status_and_a_maintenance_window_are_handed_on() -> None:
    assert read(event("MediaConnect Flow Status Change", {"currentStatus": "ACTIVE", "previousStatus": "STARTING"})).previous_status == "STARTING"  # fmt: skip
    assert read(event("MediaConnect Flow Maintenance", {"currentStatus": "INPROGRESS"})).maintenance == "INPROGRESS"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "the input is nothing"),
        ([], "the input is a list"),
        ({}, "names no flow"),
        ({"flow_arn": "arn:aws:s3:::bucket"}, "is not the ARN of a MediaConnect flow"),
        ({"flow_name": "live-stream", "time": "tonight"}, "is not a time"),
        ({"flow_name": "live stream"}, "is not the name of a monitored flow"),
        ({"flow_name": "live-stream:1"}, "is not the name of a monitored flow"),
        ({"flow_name": ""}, "is not the name of a monitored flow"),
        (event("MediaConnect Flow Source Metadata Changed", {}), "of type 'MediaConnect Flow Source Metadata Changed'"),
        (event("MediaConnect Alert", {}, resources=[]), "names no flow in its resources"),
        (alarm(configuration={}, alarmName="cpu-high"), "names no flow"),
        (event("CloudWatch Alarm State Change", {}), "has no alarmName"),
    ],
)
def test_unknown_input_is_refused_with_the_reason(given: object, words: str) -> None:
    with pytest.raises(TriggerError, match=words):
        read(given)


@pytest.mark.parametrize("time", [None, "", "<aws.scheduler.scheduled-time>", 5])
def test_scheduled_check_without_usable_time_is_as_of_now(time: object) -> None:
    given = {"kind": "schedule", "flow_arn": FLOW_ARN, "time": time}
    assert read(given).time == read({"kind": "schedule", "flow_arn": FLOW_ARN}).time == read_time(STARTED)


def dated(kind: str, time: datetime) -> dict[str, Any]:
    """An input of each kind, of a moment."""
    text = time.isoformat()
    return {
        "person": {"flow_name": "live-stream", "time": text},
        "schedule": {"kind": "schedule", "flow_arn": FLOW_ARN, "time": text},
        "event": event("MediaConnect Alert", {}, time=text),
        "alarm": alarm(state={"value": "ALARM", "timestamp": text}),
    }[kind]


@pytest.mark.parametrize("kind", ["person", "schedule", "event", "alarm"])
def test_input_of_the_future_is_refused_beyond_the_tolerance(kind: str) -> None:
    started, second = read_time(STARTED), timedelta(seconds=1)
    assert read(dated(kind, started + FUTURE_TOLERANCE)).time == started + FUTURE_TOLERANCE
    for ahead in (FUTURE_TOLERANCE + second, timedelta(days=25_000)):
        with pytest.raises(TriggerError, match=r"is in the future: .* up to 5 minutes later than the start"):
            read(dated(kind, started + ahead))


@pytest.mark.parametrize("kind", ["person", "schedule", "event", "alarm"])
def test_input_older_than_its_datapoints_are_kept_is_refused(kind: str) -> None:
    oldest = read_time(STARTED) - KEPT
    assert read(dated(kind, oldest)).time == oldest
    for before in (timedelta(seconds=1), timedelta(days=700_000)):
        with pytest.raises(TriggerError, match=r"is more than 15 days before the start of the execution"):
            read(dated(kind, oldest - before))


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_time_that_is_outside_the_calendar_in_utc_is_refused(text: str) -> None:
    with pytest.raises(TriggerError, match="not a time with an offset"):
        read({"flow_name": "live-stream", "time": text})


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        (event("MediaConnect Alert", {}, resources=[]), True),
        (event("MediaConnect Something New", {}), True),
        (event("CloudWatch Alarm State Change", {}, source="aws.cloudwatch"), True),
        ({"kind": "schedule"}, True),
        ({"flow_name": "typo"}, False),
        ({"detail-type": "Something Else"}, False),
        (event("EC2 Instance State-change Notification", {}, source="aws.ec2"), False),
        ({"source": ["aws.mediaconnect"]}, False),
        ({}, False),
        ([], False),
        (None, False),
    ],
)
def test_input_shows_whether_our_rules_and_schedules_sent_it(given: object, ours: bool) -> None:  # noqa: FBT001
    assert sent_by_us(given) is ours


def test_time_without_an_offset_is_refused() -> None:
    with pytest.raises(TriggerError, match="not a time with an offset"):
        read_time("2026-11-23T20:00:00")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["detail", "detail-type", "resources", "time", "flow_arn", "flow_name", "kind"]), JSON)
    | st.builds(event, st.sampled_from([*DETAIL_TYPES, "CloudWatch Alarm State Change"]), st.dictionaries(
        st.sampled_from(["current", "streams", "state", "configuration", "alarmName", "errored"]), JSON))
    | JSON
)  # fmt: skip
def test_every_input_gives_a_trigger_or_a_refusal(given: object) -> None:
    with suppress(TriggerError):
        assert read(given).flow_name is not None


@pytest.mark.parametrize(
    ("current", "rule"),
    [
        ({"state": "DISCONNECTED"}, "one-source-lost"),
        ({"source_state": "DISCONNECTED"}, "one-source-lost"),
        ({"isBitrateZero": True}, ""),
        ({"state": "DISCONNECTED", "isBitrateZero": True}, ""),
    ],
)
def test_flow_event_is_about_both_sources_only_without_any_data(current: dict[str, Any], rule: str) -> None:
    event = {"detail-type": "MediaConnect Flow Health", "resources": [FLOW_ARN], "detail": {"current": current}}
    (finding,) = read_trigger(event, started=STARTED).findings
    assert (finding.part, finding.rule) == ("", rule)
