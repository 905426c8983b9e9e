"""Evaluation of a flow: rules as CloudWatch evaluates their alarms, status, and events."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from report import Report
from stream_monitor.health import evaluate_rule, query_window, report
from stream_monitor.trigger import Finding, Trigger
from tests.unit.stream import EXECUTION, FLOW_ARN, ONE_LOST, PRESENCE, SOURCE_ARNS, issue, policy, rule

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
def test_missing_datapoints_are_treated_as_cloudwatch_documents(
    needed: int, picture: str, expected: dict[str, str], mode: str
) -> None:
    # "ignore" keeps the alarm's state, of which a check knows nothing; it is OK here unless the points decide.
    evaluated = rule(evaluation_periods=3, datapoints_to_alarm=needed, threshold=0.5, missing=mode)
    assert evaluate_rule(evaluated, points(picture), now=NOW)[0] == expected[mode]


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
def test_comparison_decides_whether_the_threshold_itself_breaches(
    comparison: str, breaching: list[float], value: float
) -> None:
    evaluated = rule(comparison=comparison, threshold=1.0, evaluation_periods=1, datapoints_to_alarm=1)
    state, _ = evaluate_rule(evaluated, {minutes_ago(1): value}, now=NOW)
    assert (state == "ALARM") is (value in breaching)


def test_unknown_comparison_is_an_error_and_not_health() -> None:
    with pytest.raises(ValueError, match="unknown comparison 'Near'"):
        evaluate_rule(rule(comparison="Near"), {minutes_ago(1): 1.0}, now=NOW)


def test_unfinished_minute_is_not_evaluated() -> None:
    evaluated = rule(evaluation_periods=1, datapoints_to_alarm=1)
    assert evaluate_rule(evaluated, {END: 9.0, minutes_ago(1): 0.0}, now=NOW)[0] == "OK"


def test_newest_breaching_value_is_reported() -> None:
    values = {minutes_ago(3): 5.0, minutes_ago(2): 4.0, minutes_ago(1): 3.0}
    assert evaluate_rule(rule(), values, now=NOW) == ("ALARM", 3.0)


def test_query_window_covers_every_rule() -> None:
    start, end = query_window([rule(), PRESENCE, rule(period=300, evaluation_periods=2)], NOW)
    assert end == END
    assert start <= END - timedelta(minutes=20)
    assert start.timestamp() % 300 == 0


def seconds_ago(count: int) -> datetime:
    return NOW.replace(second=20) - timedelta(seconds=count)


FAST = rule(key="packet-loss-early", period=10, evaluation_periods=18, datapoints_to_alarm=1)


def test_query_window_of_seconds_starts_on_a_whole_minute() -> None:
    start, end = query_window([PRESENCE, FAST], NOW.replace(second=29, microsecond=5))
    assert end == NOW.replace(second=20)
    assert start <= end - timedelta(seconds=200)
    assert start.second == 0
    assert query_window([rule(period=300), FAST], NOW)[0].timestamp() % 300 == 0
    assert query_window([FAST], NOW)[0].second == 0
    half_minutes = rule(period=30, evaluation_periods=6)
    assert query_window([PRESENCE, half_minutes], NOW.replace(second=59))[1] == NOW.replace(second=30)


@pytest.mark.parametrize(
    ("second", "back", "state"),
    [
        *((20, 10, "ALARM"), (29, 10, "ALARM"), (20, 0, "OK"), (29, 0, "OK")),
        *((20, 180, "ALARM"), (20, 200, "ALARM"), (20, 210, "OK")),
    ],
)
def test_rule_of_seconds_counts_periods_that_ended_in_the_minute(second: int, back: int, state: str) -> None:
    evaluated = evaluate_rule(FAST, {seconds_ago(back): 9.0}, now=NOW.replace(second=second))
    assert evaluated == (state, 9.0 if state == "ALARM" else None)


def test_silence_breaches_no_rule_of_seconds() -> None:
    assert evaluate_rule(FAST, {}, now=NOW) == ("OK", None)


@pytest.mark.parametrize(("back", "healthy"), [(180, False), (190, True)])
def test_recovery_waits_for_the_window_of_a_rule_of_seconds(back: int, healthy: bool) -> None:  # noqa: FBT001
    # At 20:05:30, so ten seconds after what `seconds_ago` counts from.
    data = {"packet-loss-early": {seconds_ago(back - 10): 9.0, seconds_ago(0): 0.0}}
    assert check(rules=[FAST], data=data)["healthy"] is healthy


def test_rule_of_a_minute_counts_whole_minutes_beside_seconds() -> None:
    minute = rule(evaluation_periods=1, datapoints_to_alarm=1)
    found = check(rules=[minute, FAST], data={"packet-loss": {minutes_ago(1): 0.0}, FAST["key"]: {seconds_ago(0): 0.0}})
    assert (found["healthy"], found["as_of"]) == (True, seconds_ago(-10).isoformat())


def check(
    *findings: Finding,
    status: str = "ACTIVE",
    data: Any = None,
    flow: Any = None,
    selected: Any = None,
    notified: Any = None,
    **changes: Any,
) -> Report:
    trigger = Trigger(
        kind="event" if findings else "schedule",
        name="schedule",
        flow_name="live-stream",
        flow_arn=FLOW_ARN,
        time=NOW,
        findings=findings,
        **(notified or {}),
    )
    return report(
        policy=policy(**changes),
        trigger=trigger,
        flow={"FlowArn": FLOW_ARN, "Status": status, "Source": {"Name": "encoder", "SourceArn": "a"}, **(flow or {})},
        points=data if data is not None else {"source-lost": {minutes_ago(1): 8e6}},
        selected=selected or {},
        execution=EXECUTION,
    )


TWO_SOURCES = {
    "Sources": [{"Name": name, "SourceArn": arn} for name, arn in zip(("venue-a", "venue-b"), SOURCE_ARNS, strict=True)]
}
LOST = issue(evidence="event", value=None)
BOTH = [PRESENCE, ONE_LOST]
FLOWING: dict[str, Any] = {
    key: {minutes_ago(back): 8e6 for back in (1, 2)} for key in ("source-lost", "one-source-lost")
}


def test_good_stream_is_healthy() -> None:
    found = check()
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
def test_flow_that_does_not_run_is_evaluated_by_status_alone(status: str, on_air: str, severity: str | None) -> None:
    found = check(status=status, on_air=on_air, data={})
    assert [item["severity"] for item in found["issues"]] == ([severity] if severity else [])


def test_zero_bitrate_on_a_running_flow_is_critical() -> None:
    (found,) = check(data={"source-lost": {minutes_ago(1): 0.0}})["issues"]
    assert (found["severity"], found["evidence"], found["value"]) == ("CRITICAL", "metric", 0.0)


def test_two_rules_about_one_thing_are_one_issue() -> None:
    early = rule(key="packet-loss-early", severity="MEDIUM", evaluation_periods=1, datapoints_to_alarm=1)
    lost = {minutes_ago(back): 2.0 for back in (1, 2, 3)}
    (found,) = check(rules=[early, rule()], data={"packet-loss": lost, "packet-loss-early": lost})["issues"]
    assert found["severity"] == "HIGH"


def test_event_gets_the_text_of_the_rule_about_the_same_thing() -> None:
    (found,) = check(Finding("source", "a", LOST), data={"source-lost": {minutes_ago(1): 0.0}})["issues"]
    assert (found["metric"], found["meaning"], found["severity"]) == (
        PRESENCE["metric"],
        PRESENCE["meaning"],
        "CRITICAL",
    )


def test_event_counts_though_the_metrics_lag_behind() -> None:
    found = check(Finding("source", "a", LOST))
    (evidence,) = found["issues"]
    assert (evidence["evidence"], evidence["severity"], evidence["actions"]) == (
        "event",
        "CRITICAL",
        PRESENCE["actions"],
    )
    assert "note" not in evidence, "what was measured before the event does not disagree with it"
    assert found["event_evidence"] == [{"about": "source", "part": "a", "bad": True, "holds_seconds": 120}]
    assert check(Finding("source", "a", LOST), status="STANDBY", data={})["healthy"], "stopped: no source to lose"


def test_datapoint_from_after_an_event_may_disagree_with_it() -> None:
    (evidence,) = check(
        Finding("source", "a", LOST), data={"source-lost": {minutes_ago(1): 8e6, minutes_ago(-1): 8e6}}
    )["issues"]
    assert (
        evidence["note"]
        == "The event and the metric disagree: SourceBitRate read 8,000,000 Bits/Second after the event."
    )


def test_event_that_later_datapoints_contradict_opens_nothing() -> None:
    later = {"source-lost": {minutes_ago(back): 8e6 for back in (1, -1, -2)}}
    found = check(Finding("source", "a", LOST), data=later)
    assert (found["healthy"], found["event_evidence"][0]["bad"]) == (True, True)
    still = {"source-lost": {minutes_ago(1): 8e6, minutes_ago(-1): 0.0, minutes_ago(-2): 0.0}}
    assert not check(Finding("source", "a", LOST), data=still)["healthy"]


def test_metric_from_before_a_recovery_does_not_contradict_it() -> None:
    back = Finding("source", "a", None)
    assert check(back, data={"source-lost": {minutes_ago(1): 0.0}})["healthy"]


def test_one_source_back_is_no_evidence_on_the_other() -> None:
    zero = {minutes_ago(back): 0.0 for back in (1, 2)}
    both = {"source-lost": zero, "one-source-lost": zero}
    found = check(Finding("source", SOURCE_ARNS[0], None), flow=TWO_SOURCES, rules=BOTH, data=both)
    assert [item["severity"] for item in found["issues"]] == ["HIGH"]


def test_issue_has_the_span_of_its_datapoints() -> None:
    loss = {minutes_ago(back): value for back, value in ((5, 0.0), (4, 2.0), (3, 3.0), (2, 2.5), (1, 0.0))}
    found = check(data={"packet-loss": loss, "source-lost": {minutes_ago(2): 8e6}}, rules=[rule(), PRESENCE])
    (issue_,) = found["issues"]
    assert (issue_["since"], issue_["at"]) == (minutes_ago(4).isoformat(), minutes_ago(1).isoformat())
    assert found["as_of"] == minutes_ago(1).isoformat()


def test_event_without_a_rule_keeps_its_own_text() -> None:
    vpc = issue("VpcError", "HIGH", evidence="event", value=None, meaning="MediaConnect reports: no route")
    found = check(Finding("VpcError", "", vpc))
    assert [item["meaning"] for item in found["issues"]] == ["MediaConnect reports: no route"]


def test_one_source_lost_is_lost_redundancy_and_names_both() -> None:
    gone = Finding("source", SOURCE_ARNS[0], LOST)
    used = {arn: {minutes_ago(0): float(arn == SOURCE_ARNS[1])} for arn in SOURCE_ARNS}
    found = check(gone, flow=TWO_SOURCES, rules=BOTH, data=FLOWING, selected=used)
    (evidence,) = found["issues"]
    assert (evidence["severity"], evidence["meaning"]) == (
        "HIGH",
        "The source venue-a is gone: running on venue-b, no redundancy.",
    )
    assert evidence["actions"][0].startswith("Call venue-a: ")
    assert found["all_lost"]["severity"] == "CRITICAL", "the handler knows if the other is lost, too"


@pytest.mark.parametrize("selected", [{}, {SOURCE_ARNS[1]: {}}], ids=["nothing", "empty"])
def test_other_source_is_not_called_in_use_without_evidence(selected: dict[str, Any]) -> None:
    older = selected or {SOURCE_ARNS[1]: {minutes_ago(1): 1.0}, SOURCE_ARNS[0]: {minutes_ago(1): 0.0}}
    gone = Finding("source", SOURCE_ARNS[0], LOST)
    found = check(gone, flow=TWO_SOURCES, rules=BOTH, data=FLOWING, selected=older)
    assert found["issues"][0]["meaning"] == "The source venue-a is gone: there is no redundancy."
    assert [source["in_use"] for source in found["sources"]] == [None, None]


def test_minute_of_a_switch_names_no_source_in_use() -> None:
    both = {arn: {minutes_ago(1): 1.0} for arn in SOURCE_ARNS}
    found = check(flow=TWO_SOURCES, rules=BOTH, data=FLOWING, selected=both)
    assert [source["in_use"] for source in found["sources"]] == [None, None]


def test_source_named_in_an_alert_only_is_found_by_its_name() -> None:
    found = check(
        Finding("source", "venue-b", LOST, rule="one-source-lost"), flow=TWO_SOURCES, rules=BOTH, data=FLOWING
    )
    assert found["event_evidence"][0]["part"] == SOURCE_ARNS[1]
    assert found["issues"][0]["meaning"].startswith("The source venue-b is gone")


def test_switch_event_gets_the_text_of_the_failover_rule() -> None:
    switch = rule(key="failover", about="source", meaning="The flow switched between its sources.")
    evidence = Finding("source", "", issue(severity="HIGH", evidence="event", value=None), rule="failover")
    (found,) = check(evidence, flow=TWO_SOURCES, rules=[*BOTH, switch], data=FLOWING)["issues"]
    assert (found["severity"], found["meaning"]) == ("HIGH", "The flow switched between its sources.")


def test_alert_on_the_only_source_is_the_loss_of_all() -> None:
    (found,) = check(Finding("source", "encoder", LOST, rule="one-source-lost"), rules=[PRESENCE])["issues"]
    assert found["severity"] == "CRITICAL"


def test_two_sources_without_any_data_are_critical() -> None:
    found = check(Finding("source", "", LOST), flow=TWO_SOURCES, rules=BOTH, data=FLOWING)
    assert found["severity"] == "CRITICAL"


def test_source_in_use_is_the_last_source_selected() -> None:
    selected = {SOURCE_ARNS[0]: {minutes_ago(2): 1.0, minutes_ago(1): 0.0}, SOURCE_ARNS[1]: {minutes_ago(1): 1.0}}
    found = check(flow=TWO_SOURCES, rules=BOTH, data=FLOWING, selected=selected)
    assert [source["in_use"] for source in found["sources"]] == [False, True]
    assert [source["in_use"] for source in check(flow=TWO_SOURCES, rules=BOTH, data=FLOWING)["sources"]] == [None, None]
    assert [source["in_use"] for source in check()["sources"]] == [True]


@pytest.mark.parametrize(("back", "healthy"), [(2, False), (3, True)])
def test_bad_datapoints_delay_recovery_by_the_window_of_the_rule(
    back: int,
    healthy: bool,  # noqa: FBT001
) -> None:
    # CloudWatch looks beyond the window where newer datapoints are missing, and would still call this an alarm.
    evaluated = rule(evaluation_periods=2, datapoints_to_alarm=1)
    stale = {"packet-loss": {minutes_ago(back): 2.0, minutes_ago(1): 0.0}}
    assert evaluate_rule(evaluated, stale["packet-loss"], now=NOW)[0] == "ALARM"
    assert check(rules=[evaluated], data=stale)["healthy"] is healthy


def test_report_carries_what_only_the_handler_uses() -> None:
    notified = {"previous_status": "STOPPING", "maintenance": "INPROGRESS"}
    scheduled = {"Maintenance": {"MaintenanceScheduledDate": "2026-11-24T04:00:00Z"}}
    found = check(notified=notified, flow=scheduled)
    assert (found["previous_status"], found["maintenance"]) == ("STOPPING", "INPROGRESS")
    assert found["maintenance_scheduled"] == "2026-11-24T04:00:00+00:00"
    assert "maintenance" not in check(notified={"maintenance": "SOMETHING ELSE"})


@pytest.mark.parametrize("date", [None, "", "next Tuesday"])
def test_invalid_maintenance_date_stops_no_check(date: object) -> None:
    assert "maintenance_scheduled" not in check(flow={"Maintenance": {"MaintenanceScheduledDate": date}})
    assert "maintenance_scheduled" not in check(flow={"Maintenance": None})


def test_issues_are_sorted_worst_first() -> None:
    rules = [
        rule(key=key, about=key, metric=key, severity=severity, evaluation_periods=1, datapoints_to_alarm=1)
        for key, severity in (("b", "MEDIUM"), ("a", "MEDIUM"), ("c", "CRITICAL"))
    ]
    data = {key: {minutes_ago(1): 9.0} for key in "abc"}
    for order in permutations(rules):
        assert [item["metric"] for item in check(rules=list(order), data=data)["issues"]] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("planned", "start"),
    [
        ({"MaintenanceScheduledDate": "2026-11-24", "MaintenanceStartHour": "04:00"}, "2026-11-24T04:00:00+00:00"),
        ({"MaintenanceScheduledDate": "2026-11-24", "MaintenanceStartHour": "4:00"}, "2026-11-24T04:00:00+00:00"),
        ({"MaintenanceScheduledDate": "2026-11-24"}, "2026-11-24T02:00:00+00:00"),
        (
            {"MaintenanceScheduledDate": "2026-11-24T04:00:00Z", "MaintenanceStartHour": "07:00"},
            "2026-11-24T04:00:00+00:00",
        ),
        ({"MaintenanceScheduledDate": "2026-11-24T04:00:00+02:00"}, "2026-11-24T02:00:00+00:00"),
    ],
    ids=["date and hour", "hour of one digit", "no hour", "a time", "a time elsewhere"],
)
def test_maintenance_date_is_that_of_its_start_hour(planned: dict[str, str], start: str) -> None:
    assert check(flow={"Maintenance": planned})["maintenance_scheduled"] == start


def test_deadline_of_a_maintenance_is_reported_too() -> None:
    found = check(flow={"Maintenance": {"MaintenanceDeadline": "2026-11-30T08:30:00Z"}})
    assert found["maintenance_deadline"] == "2026-11-30T08:30:00+00:00"
    assert "maintenance_scheduled" not in found


SWITCHES = rule(
    key="failover", about="source", metric="FailoverSwitches", statistic="Maximum", comparison="IncreasesByMoreThan",
    threshold=0, datapoints_to_alarm=1, evaluation_periods=5, meaning="The flow switched between its sources.",
)  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "switched"),
    [
        ([0, 0, 0, 0], False),
        ([0, 0, 1, 0], True),
        ([0, 0, 2, 2], True),
        ([7, 7, 7, 7], False),
        ([7, 7, 8, 8], True),
        ([7, 7, 0, 0], False),
        ([7], False),
        ([], False),
    ],
    ids=["none", "of the period", "of two periods", "total", "total and one", "starts over", "one point", "nothing"],
)
def test_switch_is_found_however_switches_are_counted(*, counts: list[float], switched: bool) -> None:
    series = {minutes_ago(len(counts) - number): float(value) for number, value in enumerate(counts)}
    found = check(flow=TWO_SOURCES, rules=[SWITCHES], data={"failover": series})
    assert [item["meaning"] for item in found["issues"]] == [SWITCHES["meaning"]] * switched


def outputs(**status: str) -> dict[str, Any]:
    return {
        "Outputs": [{"Name": name, "OutputArn": f"arn:{name}", "OutputStatus": value} for name, value in status.items()]
    }


def test_output_disabled_in_the_console_is_an_issue() -> None:
    (found,) = check(flow=outputs(primary="DISABLED", backup="ENABLED"), outputs=["backup", "primary"])["issues"]
    assert (found["severity"], found["meaning"]) == (
        "HIGH",
        "The output primary is disabled: its receiver gets nothing.",
    )
    assert check(flow=outputs(primary="ENABLED"), outputs=["primary"])["healthy"]
    assert check(flow=outputs(primary="DISABLED"), outputs=["primary"], status="STANDBY", data={})["healthy"]


def test_output_disabled_by_settings_is_no_issue() -> None:
    disabled = Finding("OutputStatus", "arn:spare", issue("OutputStatus", "HIGH", evidence="event", value=None))
    assert check(disabled, flow=outputs(primary="ENABLED", spare="DISABLED"), outputs=["primary"])["healthy"]
    assert not check(disabled, flow=outputs(primary="ENABLED", spare="DISABLED"))["healthy"], "of whom nothing is known"
