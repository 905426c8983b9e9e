"""Rules are evaluated as of the newest data that has arrived; silence is reported beside them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from components.health_rules import LATENESS_SECONDS, WHOLE_MINUTE
from report import LATE, Report
from stream_monitor.freshness import alerts_of, lists_streams, silence
from stream_monitor.health import needs_more_evidence, report
from stream_monitor.trigger import Trigger
from tests.unit.stream import EXECUTION, FLOW_ARN, PRESENCE, issue, policy, rule

NOW = datetime(2026, 11, 23, 20, 10, tzinfo=UTC)
LOSS = rule(evaluation_periods=2, datapoints_to_alarm=2, alarm_periods=6)
CONNECTED = rule(**{**PRESENCE, "metric": "SourceConnected", "comparison": "LessThanThreshold", "threshold": 1})
BITRATE_LOW = rule(key="bitrate-low", metric="SourceBitRate", comparison="LessThanThreshold", threshold=1e6)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def series(*values: float | None, late: int = 0) -> dict[datetime, float]:
    """One value a minute, the last one ending so many minutes ago."""
    return {
        ago(late + len(values) - index): value for index, value in enumerate(values) if value is not None
    }  # fmt: skip


def check(points: Any, *, rules: Any = (PRESENCE, LOSS), trigger: Any = None, **more: Any) -> Report:
    given = {"kind": "schedule", "name": "schedule", "flow_name": "live-stream", "flow_arn": FLOW_ARN, "time": NOW}
    return report(
        policy=policy(rules=list(rules)),
        trigger=Trigger(**{**given, **(trigger or {})}),
        flow={"FlowArn": FLOW_ARN, "Status": "ACTIVE", "Source": {"Name": "encoder", "SourceArn": "a"}},
        points=points,
        selected={},
        execution=EXECUTION,
        **more,
    )


@pytest.mark.parametrize("late", range(5))
def test_healthy_stream_however_late_finds_nothing(late: int) -> None:
    found = check({"source-lost": series(8e6, 8e6, late=late), "packet-loss": series(0, 0, late=late)})
    assert found["issues"] == []
    assert found["as_of"] == ago(late).isoformat()


@pytest.mark.parametrize("late", range(5))
def test_fault_is_found_as_of_the_newest_data_however_late(late: int) -> None:
    found = check({"source-lost": series(8e6, 8e6, late=late), "packet-loss": series(0, 2.0, 2.0, late=late)})
    (loss,) = found["issues"]
    assert (loss["metric"], loss["since"], loss["at"]) == (
        "SourcePacketLossPercent", ago(late + 2).isoformat(), ago(late).isoformat(),
    )  # fmt: skip
    assert check({"source-lost": series(8e6, 0, late=late), "packet-loss": {}})["issues"][0]["severity"] == "CRITICAL"


def test_later_series_is_evaluated_as_of_its_own_data() -> None:
    late, silent = series(2.0, 2.0, late=4), series(2.0, 2.0, late=5)
    assert check({"source-lost": series(8e6), "packet-loss": late})["issues"]
    assert not check({"source-lost": series(8e6), "packet-loss": silent})["issues"]


def test_alarm_is_confirmed_over_its_range_despite_newer_good_data() -> None:
    points = {"source-lost": series(8e6), "packet-loss": series(2.0, 2.0, 0.0, 0.0)}
    name = "media-workflow-prod-live-stream/packet-loss"
    raised = check(points, trigger={"kind": "alarm", "name": name, "state": "ALARM"})
    assert [item["metric"] for item in raised["issues"]] == ["SourcePacketLossPercent"]
    assert not check(points)["issues"]
    assert not check(points, trigger={"kind": "alarm", "name": name, "state": "INSUFFICIENT_DATA"})["issues"]
    assert not check(points, trigger={"kind": "alarm", "name": name + "-early", "state": "ALARM"})["issues"]


@pytest.mark.parametrize(
    ("points", "needed"),
    [
        ({"source-lost": series(1, late=4)}, False),
        ({"source-lost": series(1, late=5)}, True),
        ({"source-lost": series(1, 0, 0, 0, 0)}, False),
        ({"source-lost": series(1, 0, 0, 0, 0, 0)}, True),
        ({"source-lost": series(1, late=9), "bitrate-low": series(8e6, late=1)}, False),
        ({"source-lost": {}, "bitrate-low": series(0.0, late=0)}, True),
        ({}, True),
    ],
)
def test_silence_is_the_absence_of_any_sign_of_life(points: Any, needed: bool) -> None:  # noqa: FBT001
    assert needs_more_evidence(policy(rules=[CONNECTED, BITRATE_LOW]), points, NOW) is needed


def test_source_that_reads_zero_is_lost_and_not_silent() -> None:
    found = check({"source-lost": series(8e6, 0, 0, 0)})
    assert "silence" not in found
    assert found["issues"][0]["evidence"] == "metric"


@pytest.mark.parametrize(
    ("late", "facts", "healthy"),
    [
        (1, {"streams_listed": False}, True),
        (2, {"streams_listed": False}, False),
        (2, {"errors": ["Source a Stream Error: Timeout"]}, False),
        (4, {"streams_listed": True}, True),
        (4, {}, True),
        (5, {"streams_listed": True}, False),
    ],
)
def test_flow_is_healthy_as_long_as_lateness_explains_its_silence(late: int, facts: Any, healthy: bool) -> None:  # noqa: FBT001
    assert check({"source-lost": series(8e6, late=late)}, **facts)["healthy"] is healthy


def test_health_is_known_as_far_as_the_source_is_known_to_live() -> None:
    found = check({"source-lost": series(8e6, late=3), "packet-loss": series(0.0)})
    assert found["as_of"] == ago(3).isoformat()


def test_silent_flow_is_neither_healthy_nor_lost_by_itself() -> None:
    found = check({"source-lost": series(8e6, late=3)}, errors=["Timeout"], streams_listed=False)
    assert (found["healthy"], found["issues"], found["source_metadata"]) == (False, [], "absent")
    assert found["silence"] == {
        "issue": issue(evidence="no data", value=None, actions=PRESENCE["actions"]),
        "since": ago(3).isoformat(), "source_error": False, "others_arrive": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sign", "mark", "others", "arrive"),
    [(4, 0, None, False), (5, 0, None, True), (5, 5, 0, True), (5, 5, 1, False), (None, None, 0, True), (None, None, None, False)],
)  # fmt: skip
def test_newer_data_of_others_shows_that_silence_is_no_lateness(
    sign: int | None, mark: int | None, others: int | None, arrive: bool  # noqa: FBT001
) -> None:  # fmt: skip
    moments = [None if back is None else ago(back) for back in (sign, mark, others)]
    found = silence(issue(), moments[0], mark=moments[1], others=moments[2], errors=[])
    assert found["others_arrive"] is arrive


@pytest.mark.parametrize(
    ("text", "error"),
    [("Source venue-a Stream Error: Timeout. No packets.", True), ("source x: STREAM ERROR", True), ("Permission denied", False)],
)  # fmt: skip
def test_stream_error_among_the_present_alerts_is_evidence(text: str, error: bool) -> None:  # noqa: FBT001
    alerts = alerts_of({"Messages": {"Errors": [text]}})
    assert silence(issue(), None, mark=None, others=None, errors=alerts)["source_error"] is error


@pytest.mark.parametrize("answer", [{}, {"Messages": None}, {"Messages": {}}, {"Messages": {"Errors": None}}])
def test_alerts_are_none_in_any_other_answer(answer: Any) -> None:
    assert alerts_of(answer) == []


@pytest.mark.parametrize(
    ("programs", "listed"),
    [(None, False), ([], False), ([{}], False), ([{"Streams": []}], False), ([{}, {"Streams": [{}]}], True)],
)
def test_streams_are_listed_only_where_a_program_has_one(programs: Any, listed: bool) -> None:  # noqa: FBT001
    assert lists_streams({"TransportMediaInfo": {"Programs": programs}}) is listed
    assert not lists_streams({"TransportMediaInfo": None})


def test_alarms_reach_back_as_far_as_the_monitor_tolerates() -> None:
    assert timedelta(seconds=LATENESS_SECONDS + WHOLE_MINUTE) == LATE


BY_ALARM = {"kind": "alarm", "name": "media-workflow-prod-live-stream/packet-loss", "state": "ALARM"}


@pytest.mark.parametrize(
    ("loss", "found"),
    [
        ((0, 0, 0, 0, 2.0, 2.0), True),
        ((0, 0, 2.0, 2.0, 0, 0), True),
        ((0, 2.0, None, 2.0, 0, 0), True),
        ((0, 2.0, 0, 0, 0, 2.0), False),
        ((2.0, 0, 2.0, 0, 2.0, 0), False),
    ],
    ids=["now", "before", "gap", "far apart", "alternating"],
)
def test_alarm_is_confirmed_only_by_a_breach_of_its_rule(loss: tuple[float | None, ...], *, found: bool) -> None:
    """An alarm of 2 in 6 minutes stands for a rule of 2 in 2, whose datapoints may be four minutes late."""
    points = {"source-lost": series(8e6, 8e6), "packet-loss": series(*loss)}
    assert bool(check(points, trigger=BY_ALARM)["issues"]) is found
