"""Incidents, check by check: each story is the checks of one flow and the notifications that they make."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alert_handler import outbox
from alert_handler.incident import decide
from alert_handler.record import Notification, Record, nothing_known
from report import Report
from tests.unit.stream import SOURCE_ARNS, check, issue

LOST = issue()
LOSS = issue("SourcePacketLossPercent", "HIGH", value=2.0, threshold=0.1)
JITTER = issue("SourceJitter", "MEDIUM", value=80.0, threshold=50.0)
SILENT = issue(evidence="no data", value=None)
ALWAYS: dict[str, Any] = {"on_air_expected": True}
TWO: dict[str, Any] = {"sources": [{"name": arn[-7:], "arn": arn, "in_use": None} for arn in SOURCE_ARNS]}
ONE_GONE = issue("source", "HIGH", evidence="event", value=None)
OPENED, RECOVERED = ("opened", "CRITICAL"), ("recovered", "CRITICAL")


def decided(*reports: Report) -> tuple[Record, list[Notification]]:
    record, notified = nothing_known(), []
    for report in reports:
        record, added = decide(record, report)
        notified += added
    return record, notified


def kinds(*reports: Report) -> list[tuple[str, str]]:
    return [(item["kind"], item["severity"]) for item in decided(*reports)[1]]


def standby(seconds: float, **changes: Any) -> Report:
    return check(seconds, flow_status="STANDBY", **changes)


def event(seconds: float, part: str = SOURCE_ARNS[0], *, bad: bool = True, **changes: Any) -> Report:
    evidence = {"event_evidence": [{"about": "source", "part": part, "bad": bad, "holds_seconds": 180}]}
    issues = [issue(evidence="event", value=None)] if bad else []
    return check(seconds, *changes.pop("issues", issues), **evidence, **changes)


def one_gone(seconds: float, part: str) -> Report:
    return event(seconds, part, issues=[ONE_GONE], all_lost=issue(evidence="event", value=None), **TWO)


@pytest.mark.parametrize(
    ("story", "notified"),
    [
        ([check(0)], []),
        ([check(0, LOST)], [OPENED]),
        ([check(0, LOST), check(60, LOST), check(120, LOST)], [OPENED]),
        ([check(0, LOST), check(60)], [OPENED]),
        ([check(0, LOST), check(60), check(120)], [OPENED, RECOVERED]),
        ([check(0, LOST), check(60), check(60), check(60)], [OPENED]),
        ([check(0, LOST), check(60), check(119)], [OPENED]),
        ([check(0, LOST), check(59), check(60)], [OPENED]),
        ([check(0, LOST), check(60), check(90, LOST), check(150), check(210)], [OPENED, RECOVERED]),
        ([check(0, LOST), check(60), check(120), check(180, LOST)], [OPENED, RECOVERED, OPENED]),
    ],
    ids=["good", "bad", "bad for long", "one good check", "two", "one repeated", "too close", "too early", "relapse", "again"],
)  # fmt: skip
def test_incident_opens_once_and_ends_after_two_good_checks(
    story: list[Report], notified: list[tuple[str, str]]
) -> None:
    assert kinds(*story) == notified


@pytest.mark.parametrize(
    ("first", "second", "notified"),
    [
        ([LOSS], [LOST], [("escalated", "CRITICAL")]),
        ([LOSS], [LOSS, issue("SourceNotRecoveredPackets", "HIGH")], [("escalated", "HIGH")]),
        ([LOSS], [LOSS, JITTER], []),
        ([LOST], [LOSS], []),
        ([LOST], [issue("source", "HIGH")], []),
    ],
)
def test_worse_or_equally_bad_new_issues_escalate(
    first: list[Any], second: list[Any], notified: list[tuple[str, str]]
) -> None:
    assert kinds(check(0, *first), check(60, *second))[1:] == notified


def test_escalation_names_new_issues_first() -> None:
    _, notified = decided(check(0, LOSS), check(60, LOSS, issue("Z", "HIGH")))
    assert [found["about"] for found in notified[1]["issues"]] == ["Z", "SourcePacketLossPercent"]


def test_reminders_back_off_and_restart_at_an_escalation() -> None:
    minutes = [number * 60 for number in range(0, 600, 10)]
    _, notified = decided(*(check(seconds, LOSS) for seconds in minutes))
    assert [item["check"]["timestamp"][11:16] for item in notified if item["kind"] == "reminded"] == ["20:30", "21:30", "23:30", "03:30"]  # fmt: skip
    _, notified = decided(*(check(seconds, LOSS if seconds < 2400 else LOST) for seconds in minutes[:9]))
    assert [item["kind"] for item in notified] == ["opened", "reminded", "escalated", "reminded"]


def test_check_from_before_the_close_opens_nothing() -> None:
    over = [check(0, LOST), check(60), check(120)]
    assert kinds(*over, check(30, LOST), check(120, LOST)) == [OPENED, RECOVERED]
    assert kinds(*over, check(121, LOST)) == [OPENED, RECOVERED, OPENED]


def test_late_check_escalates_and_takes_back_good_checks() -> None:
    record, notified = decided(check(60, LOSS), check(120), check(100, LOST))
    assert [item["kind"] for item in notified] == ["opened", "escalated"]
    assert record["incident"] is not None
    assert record["incident"]["good"] == 0
    record, _ = decided(check(0, LOSS), check(120), check(30, LOSS))
    assert record["incident"] is not None
    assert record["incident"]["good"] == 1


def test_event_counts_until_datapoints_or_an_event_answer_it() -> None:
    assert kinds(event(0), check(60), check(120), check(179)) == [OPENED]
    assert kinds(event(0), check(180), check(240)) == [OPENED, RECOVERED]
    assert kinds(event(0), event(20, bad=False), check(60), check(120)) == [OPENED, RECOVERED]
    assert kinds(event(40), event(20, bad=False), check(100), check(160)) == [OPENED], "the older event is no evidence"


def test_two_events_of_lost_sources_are_critical() -> None:
    a, b = SOURCE_ARNS
    assert kinds(one_gone(0, a), one_gone(300, b)) == [("opened", "HIGH"), ("escalated", "CRITICAL")]
    assert kinds(one_gone(0, a), one_gone(300, a)) == [("opened", "HIGH")]
    back = event(100, a, bad=False, **TWO)
    assert kinds(one_gone(0, a), back, one_gone(120, b)) == [("opened", "HIGH")]
    assert kinds(one_gone(0, a), check(200, **TWO), one_gone(220, b)) == [("opened", "HIGH")], "a good check cleared it"


@pytest.mark.parametrize(
    ("story", "notified"),
    [
        ([standby(0)], []),
        ([check(0), standby(60)], ["flow-stopped"]),
        ([check(0), standby(60), check(120)], ["flow-stopped", "flow-started"]),
        ([check(0), standby(60), standby(60), standby(120)], ["flow-stopped"]),
        ([check(0), standby(60), check(120), standby(90)], ["flow-stopped", "flow-started"]),
        ([standby(0, previous_status="STOPPING")], ["flow-stopped"]),
        ([check(0, previous_status="STARTING")], ["flow-started"]),
        ([check(0), check(60, flow_status="UPDATING"), check(120)], []),
        ([check(0, **ALWAYS), standby(60, **ALWAYS)], []),
    ],
    ids=["first check", "stop", "start", "repeated", "late", "first by event", "started by event", "update", "always"],
)
def test_stop_and_start_of_a_manual_flow_notify_once(story: list[Report], notified: list[str]) -> None:
    assert [kind for kind, _ in kinds(*story)] == notified


def test_silence_after_a_start_waits_but_zero_and_events_do_not() -> None:
    started = [standby(0), check(60)]
    assert kinds(*started, check(239, SILENT))[1:] == []
    assert kinds(*started, check(240, SILENT))[1:] == [OPENED]
    assert kinds(*started, check(120, LOST))[1:] == [OPENED]
    assert kinds(*started, event(120))[1:] == [OPENED]
    assert kinds(*started, event(60))[1:] == [], "it came of the stop"
    assert kinds(check(0, SILENT)) == [OPENED], "a flow that was on air before the first check has no excuse"


def test_silence_after_a_start_does_not_count_as_health() -> None:
    story = [check(0, LOST), standby(60), check(90)]
    assert kinds(*story, check(150, SILENT), check(200, SILENT)) == [OPENED, ("flow-stopped", "INFO"), ("flow-started", "INFO")]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "changes", "severity"),
    [
        ("STARTING", {}, "CRITICAL"),
        ("STOPPING", ALWAYS, "CRITICAL"),
        ("STOPPING", {}, "HIGH"),
        ("UPDATING", {}, "HIGH"),
    ],
)
def test_status_that_stays_unsettled_becomes_an_issue(status: str, changes: dict[str, Any], severity: str) -> None:
    story = [check(seconds, flow_status=status, **changes) for seconds in (60, 120, 239)]
    assert kinds(check(0, **changes), *story) == []
    assert kinds(check(0, **changes), *story, check(240, flow_status=status, **changes)) == [("opened", severity)]


def begun(seconds: float, *issues: Any, **changes: Any) -> Report:
    return check(seconds, *issues, maintenance="INPROGRESS", **changes)


def ended(seconds: float, *issues: Any, state: str = "FINISHED", **changes: Any) -> Report:
    return check(seconds, *issues, maintenance=state, **changes)


WINDOW = [("maintenance", "INFO")] * 2


@pytest.mark.parametrize(
    ("story", "notified"),
    [
        ([begun(0), check(60, LOST), check(120), ended(180)], WINDOW),
        ([begun(0), check(60, LOST), ended(120), check(180, LOST)], [*WINDOW, OPENED]),
        ([begun(0), ended(120, state="FAILED")], WINDOW),
        ([begun(0), begun(0), ended(120), ended(120), begun(0)], WINDOW),
        ([ended(120), begun(0)], []),
        ([begun(0), check(7199, LOST)], WINDOW[:1]),
        ([begun(0), check(7200, LOST)], [*WINDOW, OPENED]),
        ([begun(0), standby(30), check(90), ended(120)], WINDOW),
        ([check(0, LOST), begun(60, LOST), check(120, LOST, LOSS), ended(180), check(240), check(300)], [OPENED, *WINDOW, RECOVERED]),
        ([begun(60), check(30, LOST)], [WINDOW[0], OPENED]),
    ],
    ids=["held", "outlived", "failed", "repeated", "out of order", "until its end", "end lost", "restart", "open before", "earlier check"],
)  # fmt: skip
def test_issues_in_maintenance_notify_only_if_they_outlive_it(
    story: list[Report], notified: list[tuple[str, str]]
) -> None:
    assert kinds(*story) == notified


def test_next_window_after_a_lost_end_has_its_own_messages() -> None:
    _, notified = decided(begun(0), begun(7260))
    assert [item["detail"] for item in notified] == [
        "INPROGRESS",
        "no end of it was reported within two hours",
        "INPROGRESS",
    ]
    assert len({item["id"] for item in notified}) == 3


def test_history_has_worst_values_and_triggers() -> None:
    worse = [
        check(0, LOSS),
        check(60, issue("SourcePacketLossPercent", "HIGH", value=7.0, threshold=0.1)),
        check(120, LOSS),
    ]
    record, notified = decided(*worse, check(180), check(240))
    assert notified[-1]["worst"] == [{"metric": "SourcePacketLossPercent", "value": 7.0, "unit": "Bits/Second"}]
    (closed,) = record["to_keep"]
    assert closed["triggers"] == ["media-workflow-prod-live-stream/packet-loss"]
    assert (closed["opened"][11:19], closed["closed"][11:19]) == ("20:00:00", "20:04:00")


def test_decision_leaves_its_arguments_unchanged() -> None:
    record, _ = decided(check(0, LOST))
    before = repr(record)
    decide(record, check(60, LOSS))
    assert repr(record) == before


def test_claim_belongs_to_its_owner_until_it_expires() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    record, _ = decided(check(0, LOST))
    mine = outbox.claimed(record, "a", now)
    assert outbox.may_send(record, "b", now)
    assert outbox.may_send(mine, "a", now)
    assert not outbox.may_send(mine, "b", now + timedelta(seconds=59))
    assert outbox.may_send(mine, "b", now + timedelta(seconds=60))
    assert not outbox.may_send(nothing_known(), "a", now)
