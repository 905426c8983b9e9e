"""A flow is judged as CloudWatch judges its alarms, and its status decides whether there is anything to judge."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from report import Issue, Report
from stream_monitor.health import evaluate_rule, query_window, report
from stream_monitor.trigger import Trigger
from tests.unit.stream import EXECUTION, FLOW_ARN, PRESENCE, policy, rule

NOW = datetime(2026, 11, 23, 20, 5, 30, tzinfo=UTC)
END = NOW.replace(second=0)


def minutes_ago(count: int) -> datetime:
    return END - timedelta(minutes=count)


def points(picture: str) -> dict[datetime, float]:
    """Datapoints as CloudWatch's documentation draws them, oldest first: X breaches, 0 does not, - is missing."""
    marks = picture.split()
    return {
        minutes_ago(len(marks) - index): (1.0 if mark == "X" else 0.0)
        for index, mark in enumerate(marks)
        if mark != "-"
    }


ALL = {"missing": "ALARM", "ignore": "ALARM", "breaching": "ALARM", "notBreaching": "ALARM"}
NONE = dict.fromkeys(ALL, "OK")


@pytest.mark.parametrize(
    ("needed", "picture", "expected"),
    [
        (3, "0 - X - X", NONE),
        (3, "0 - - - -", NONE),
        (3, "- - - - -", NONE | {"missing": "INSUFFICIENT_DATA", "breaching": "ALARM"}),
        (3, "0 X X - X", ALL),
        (3, "- - X - -", NONE | {"missing": "ALARM", "breaching": "ALARM"}),
        (2, "0 - X - X", ALL),
        (2, "0 0 X 0 X", ALL),
        (2, "0 - X - -", NONE | {"breaching": "ALARM"}),
        (2, "- - - - 0", NONE | {"breaching": "ALARM"}),
        (2, "- - - X -", NONE | {"missing": "ALARM", "breaching": "ALARM"}),
        (2, "- - - - X", NONE | {"breaching": "ALARM"}),
    ],
)
@pytest.mark.parametrize("mode", ["missing", "ignore", "breaching", "notBreaching"])
def test_missing_datapoints_are_treated_as_the_cloudwatch_guide_says(
    needed: int, picture: str, expected: dict[str, str], mode: str
) -> None:
    # "ignore" keeps the alarm's state, of which a look knows nothing; it is OK here unless the points decide.
    judged = rule(evaluation_periods=3, datapoints_to_alarm=needed, threshold=0.5, missing=mode)
    assert evaluate_rule(judged, points(picture), now=NOW)[0] == expected[mode]


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", [1.1]),
        ("GreaterThanOrEqualToThreshold", [1.0, 1.1]),
        ("LessThanThreshold", [0.9]),
        ("LessThanOrEqualToThreshold", [0.9, 1.0]),
    ],
)
@pytest.mark.parametrize("value", [0.9, 1.0, 1.1])
def test_a_threshold_is_met_or_passed_as_the_comparison_says(
    comparison: str, breaching: list[float], value: float
) -> None:
    judged = rule(comparison=comparison, threshold=1.0, evaluation_periods=1, datapoints_to_alarm=1)
    state, _ = evaluate_rule(judged, {minutes_ago(1): value}, now=NOW)
    assert (state == "ALARM") is (value in breaching)


def test_an_unknown_comparison_is_an_error_and_not_health() -> None:
    with pytest.raises(ValueError, match="unknown comparison 'Near'"):
        evaluate_rule(rule(comparison="Near"), {minutes_ago(1): 1.0}, now=NOW)


def test_the_minute_that_has_not_ended_is_not_judged() -> None:
    judged = rule(evaluation_periods=1, datapoints_to_alarm=1)
    assert evaluate_rule(judged, {END: 9.0, minutes_ago(1): 0.0}, now=NOW)[0] == "OK"


def test_the_newest_breaching_value_is_reported() -> None:
    values = {minutes_ago(3): 5.0, minutes_ago(2): 4.0, minutes_ago(1): 3.0}
    assert evaluate_rule(rule(), values, now=NOW) == ("ALARM", 3.0)


def test_the_window_asked_for_holds_all_that_any_rule_looks_at() -> None:
    start, end = query_window([rule(), PRESENCE, rule(period=300, evaluation_periods=2)], NOW)
    assert end == END
    assert start <= END - timedelta(minutes=20)
    assert start.timestamp() % 300 == 0


def trigger(evidence: Issue | None = None) -> Trigger:
    return Trigger(
        kind="schedule", name="schedule", flow_name="live-stream", flow_arn=FLOW_ARN, time=NOW, evidence=evidence
    )


def look(*, status: str = "ACTIVE", evidence: Issue | None = None, data: Any = None, **changes: Any) -> Report:
    return report(
        policy=policy(**changes),
        trigger=trigger(evidence),
        flow_arn=FLOW_ARN,
        status=status,
        points=data if data is not None else {"source-lost": {minutes_ago(1): 8e6}},
        execution=EXECUTION,
    )


def test_a_good_stream_is_healthy() -> None:
    found = look()
    assert (found["healthy"], found["severity"], found["issues"]) == (True, "INFO", [])
    assert found["timestamp"] == "2026-11-23T20:05:30+00:00"


@pytest.mark.parametrize(
    ("status", "on_air", "severity"),
    [
        ("STANDBY", "manual", None),
        ("STANDBY", "always", "CRITICAL"),
        ("DELETING", "always", "CRITICAL"),
        ("ERROR", "manual", "CRITICAL"),
        ("ERROR", "always", "CRITICAL"),
        ("STARTING", "always", None),
        ("STOPPING", "always", None),
    ],
)
def test_a_flow_that_does_not_run_is_judged_by_its_status_alone(status: str, on_air: str, severity: str | None) -> None:
    found = look(status=status, on_air=on_air, data={})
    assert [issue["severity"] for issue in found["issues"]] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("data", "evidence", "value"),
    [({}, "no data", None), ({"source-lost": {minutes_ago(1): 0.0}}, "metric", 0.0)],
    ids=["vanished", "zero"],
)
def test_a_dead_source_on_a_running_flow_is_critical_whether_its_metrics_vanish_or_read_zero(
    data: Any, evidence: str, value: float | None
) -> None:
    (issue,) = look(data=data)["issues"]
    assert (issue["severity"], issue["evidence"], issue["value"]) == ("CRITICAL", evidence, value)


def test_two_rules_on_one_metric_are_one_issue_of_the_worse_kind() -> None:
    early = rule(key="packet-loss-early", severity="MEDIUM", evaluation_periods=1, datapoints_to_alarm=1)
    lost = {minutes_ago(back): 2.0 for back in (1, 2, 3)}
    (issue,) = look(rules=[early, rule()], data={"packet-loss": lost, "packet-loss-early": lost})["issues"]
    assert issue["severity"] == "HIGH"


def test_what_an_event_says_is_told_though_the_metrics_lag_behind() -> None:
    said: Issue = {
        "metric": "SourceHealth",
        "value": None,
        "threshold": None,
        "unit": "",
        "severity": "CRITICAL",
        "meaning": "A source is disconnected.",
        "actions": [],
        "evidence": "event",
    }
    found = look(evidence=said)
    assert (found["healthy"], found["severity"]) == (False, "CRITICAL")
    assert look(evidence=said, status="STANDBY", data={})["healthy"], "a stopped flow has no source to lose"


def test_issues_stand_worst_first_whatever_the_order_of_the_rules() -> None:
    rules = [
        rule(key=key, metric=key, severity=severity, evaluation_periods=1, datapoints_to_alarm=1)
        for key, severity in (("b", "MEDIUM"), ("a", "MEDIUM"), ("c", "CRITICAL"))
    ]
    data = {key: {minutes_ago(1): 9.0} for key in "abc"}
    for order in permutations(rules):
        assert [issue["metric"] for issue in look(rules=list(order), data=data)["issues"]] == ["c", "a", "b"]
