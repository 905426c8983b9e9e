"""A maintenance window holds back what a restart causes, and nothing that is worse or lasts longer."""

from pathlib import Path
from typing import Any

import pytest

from alert_handler.incident import decide
from alert_handler.message import compose
from alert_handler.record import Notification, Record, nothing_known
from report import Report
from settings import Notification as Subscriber
from tests.unit.environments import GOOD, load
from tests.unit.stream import check, issue

ALWAYS: dict[str, Any] = {"on_air_expected": True}
LOST = issue()
OFF = issue("FlowStatus", evidence="status", value=None, threshold=None, meaning="The flow is in STANDBY.")
MINUTE = 60


def minute(number: float, *issues: Any, **changes: Any) -> Report:
    """A check of a flow that is always on air, so many minutes after eight."""
    return check(number * MINUTE, *issues, **{**ALWAYS, **changes})


def standby(number: float, **changes: Any) -> Report:
    return minute(number, OFF, flow_status="STANDBY", **changes)


def begun(number: float, *issues: Any, **changes: Any) -> Report:
    return minute(number, *issues, maintenance="INPROGRESS", **changes)


def ended(number: float, *issues: Any, state: str = "FINISHED", **changes: Any) -> Report:
    return minute(number, *issues, maintenance=state, **changes)


def decided(*reports: Report) -> tuple[Record, list[Notification]]:
    record, notified = nothing_known(), []
    for report in reports:
        record, added = decide(record, report)
        again, more = decide(record, report)
        assert (again, more) == (record, []), "a check that is handled again adds nothing"
        notified += added
    return record, notified


def notified(*reports: Report) -> list[str]:
    """What was notified and when: kind, for windows in which state, and the minute."""
    return [
        f"{item.get('detail') or item['kind']} {int(item['check']['timestamp'][11:13]) % 20 * 60 + int(item['check']['timestamp'][14:16])}"
        for item in decided(*reports)[1]
    ]


def healthy(first: float, last: float, **changes: Any) -> list[Report]:
    return [minute(number, **changes) for number in range(int(first), int(last) + 1)]


def test_window_without_end_event_ends_after_five_healthy_minutes() -> None:
    restart = [minute(0), begun(1), standby(2), standby(3), *healthy(4, 9)]
    assert notified(*restart) == ["INPROGRESS 1", "HEALTHY 9"]
    assert notified(*restart, minute(10, LOST)) == ["INPROGRESS 1", "HEALTHY 9", "opened 10"]


def test_data_from_before_the_window_does_not_end_it() -> None:
    """Metrics that stop arriving show no health, however many checks find nothing wrong in them."""
    stale = {"as_of": minute(0)["timestamp"]}
    assert notified(begun(1), *healthy(2, 20, **stale)) == ["INPROGRESS 1"]
    late = [minute(number, as_of=minute(number - 4)["timestamp"]) for number in range(2, 12)]
    assert notified(begun(1), *late) == ["INPROGRESS 1", "HEALTHY 10"]


def test_health_that_is_interrupted_counts_again() -> None:
    assert notified(begun(0), *healthy(1, 5), minute(5.5, LOST), *healthy(6, 10)) == ["INPROGRESS 0"]


def test_window_that_ended_by_health_reopens_at_a_late_restart() -> None:
    story = [minute(0), begun(1), *healthy(2, 8), standby(20), standby(21)]
    assert notified(*story) == ["INPROGRESS 1", "HEALTHY 7", "INPROGRESS 20"]
    assert notified(*story, *healthy(22, 27), standby(130)) == [
        *("INPROGRESS 1", "HEALTHY 7", "INPROGRESS 20", "HEALTHY 27", "opened 130")
    ]


def test_window_that_an_event_ended_does_not_start_again() -> None:
    assert notified(minute(0), begun(1), standby(2), ended(4), standby(20)) == [
        "INPROGRESS 1",
        "FINISHED 4",
        "opened 20",
    ]


@pytest.mark.parametrize("down", [standby, lambda number: minute(number, LOST)], ids=["off air", "source gone"])
def test_outage_longer_than_a_restart_is_notified_in_the_window(down: Any) -> None:
    story = [minute(0), begun(1), *(down(number) for number in range(2, 12))]
    record, sent = decided(*story)
    assert [(item["kind"], item["check"]["timestamp"][14:16]) for item in sent[1:]] == [("opened", "10")]
    assert sent[-1]["severity"] == "CRITICAL"
    assert sent[-1]["began"][14:16] == "02", "with its real start"
    record, more = decide(record, minute(13))
    record, more = decide(record, minute(14))
    assert [item["kind"] for item in more] == ["recovered"]
    assert compose(more[0]).body.startswith("Resolved after 11 min.")


def test_restart_that_takes_its_time_is_not_an_outage() -> None:
    assert notified(minute(0), begun(1), *(standby(number) for number in range(2, 10)), *healthy(10, 15)) == [
        *("INPROGRESS 1", "HEALTHY 15")
    ]


def test_issue_that_outlives_the_window_has_its_real_start() -> None:
    _, sent = decided(minute(0), begun(1), minute(3, LOST), minute(5, LOST), ended(6, LOST))
    assert [item["kind"] for item in sent] == ["maintenance", "maintenance", "opened"]
    assert sent[-1]["began"][11:16] == "20:03"
    assert "Started: 2026-11-23 20:03:00 UTC" in compose(sent[-1]).body


def test_problem_after_the_window_did_not_start_inside_it() -> None:
    _, sent = decided(minute(0), begun(1), minute(3, LOST), minute(5), ended(6), minute(30, LOST))
    assert sent[-1]["began"][11:16] == "20:30"


def test_end_lists_what_was_held_back_at_its_worst() -> None:
    jitter = issue("SourceJitter", "MEDIUM", meaning="Packets arrive unevenly.")
    milder = issue(severity="HIGH", meaning="One of two sources is gone.")
    _, sent = decided(begun(0), minute(1, milder, jitter), minute(2, LOST), minute(3), ended(4))
    body = compose(sent[-1]).body
    assert "Held back CRITICAL: The source is gone: viewers see nothing.\n" in body
    assert "Held back MEDIUM: Packets arrive unevenly.\n" in body
    assert "One of two sources" not in body
    _, sent = decided(begun(0), minute(1), ended(2))
    assert "Held back" not in compose(sent[-1]).body


@pytest.mark.parametrize("state", ["CANCELED", "RESCHEDULED", "SCHEDULED", "FAILED"])
def test_window_that_does_not_take_place_holds_nothing_back(state: str) -> None:
    story = [begun(0), minute(1, LOST), ended(2, LOST, state=state)]
    assert [item["kind"] for item in decided(*story)[1]] == ["maintenance", "maintenance", "opened"]


def test_events_about_another_date_neither_start_nor_end_anything() -> None:
    assert notified(ended(0, state="SCHEDULED"), ended(1, state="RESCHEDULED"), minute(2, LOST)) == ["opened 2"]
    assert notified(begun(5), ended(4, state="SCHEDULED"), minute(6, LOST)) == ["INPROGRESS 5"], "from before it began"


def test_end_that_arrives_before_its_start_keeps_the_window_shut() -> None:
    assert notified(minute(0), ended(3), begun(1), minute(4, LOST)) == ["opened 4"]


def test_window_lasts_over_midnight() -> None:
    planned: dict[str, Any] = {"maintenance_scheduled": "2026-11-23T23:00:00+00:00"}
    story = [minute(0, **planned), standby(4 * 60 + 30, **planned), minute(4 * 60 + 33, **planned)]
    assert [item.get("detail") for item in decided(*story)[1]] == ["INPROGRESS"]
    assert [item["kind"] for item in decided(minute(0, **planned), standby(5 * 60 + 1, **planned))[1]] == ["opened"]


@pytest.mark.parametrize("key", ["maintenance_scheduled", "maintenance_deadline"])
def test_stop_in_the_planned_window_is_maintenance(key: str) -> None:
    planned: dict[str, Any] = {key: "2026-11-23T20:01:00+00:00"}
    restart = [minute(0, **planned), standby(2, **planned), *healthy(3, 8, **planned)]
    assert notified(*restart) == ["INPROGRESS 2", "HEALTHY 8"]
    assert notified(minute(0, **planned), standby(0.5, **planned)) == ["opened 0"], "before it"
    assert notified(minute(0, **planned), minute(2, LOST, **planned)) == ["opened 2"], "a restart loses no source"


def test_restart_neither_escalates_nor_ends_an_open_incident() -> None:
    jitter = issue("SourceJitter", "MEDIUM")
    story = [minute(0, jitter), begun(1, jitter), standby(2), minute(4), minute(5, LOST), minute(6)]
    assert notified(*story) == ["opened 0", "INPROGRESS 1"], "the good checks are not in a row"
    assert notified(*story, minute(7)) == ["opened 0", "INPROGRESS 1", "recovered 7"]


def by_hand(number: float, **changes: Any) -> Report:
    return minute(number, on_air_expected=False, **changes)


def test_manual_flow_that_does_not_come_back_is_notified() -> None:
    off = [by_hand(number, flow_status="STANDBY") for number in range(2, 12)]
    story = [by_hand(0), by_hand(1, maintenance="INPROGRESS"), *off]
    _, sent = decided(*story)
    assert [(item["kind"], item["severity"]) for item in sent] == [("maintenance", "INFO"), ("opened", "CRITICAL")]
    assert sent[-1]["issues"][0]["meaning"] == "The flow did not start again after AWS maintenance: it is STANDBY."


def test_flow_off_air_before_maintenance_may_stay_off() -> None:
    off = [by_hand(number, flow_status="STANDBY") for number in range(2, 130, 4)]
    story = [by_hand(0, flow_status="STANDBY"), by_hand(1, maintenance="INPROGRESS", flow_status="STANDBY"), *off]
    _, sent = decided(*story)
    assert [item["kind"] for item in sent] == ["maintenance", "maintenance"]
    assert compose(sent[0]).body.startswith("AWS maintenance has started: the flow is in STANDBY.")


def test_window_in_a_record_of_an_earlier_release_goes_on() -> None:
    record = nothing_known()
    record["maintenance"] = {
        "since": check(0)["timestamp"], "until": check(7200)["timestamp"], "open": True, "detected_by": "event",
    }  # fmt: skip
    record, sent = decide(record, minute(1, LOST))
    assert sent == []
    record, sent = decide(record, ended(2, LOST))
    assert [item["kind"] for item in sent] == ["maintenance", "opened"]


@pytest.mark.parametrize(
    ("on_air", "minimums", "severity"),
    [
        ("always", ["HIGH", "CRITICAL"], "HIGH"),
        ("always", ["CRITICAL"], "CRITICAL"),
        ("always", ["INFO", "HIGH"], "INFO"),
        ("always", [], "INFO"),
        ("manual", ["CRITICAL"], "INFO"),
    ],
)
def test_notice_of_an_always_on_air_flow_has_a_recipient(
    tmp_path: Path, on_air: str, minimums: list[Any], severity: str
) -> None:
    notified = tuple(
        Subscriber(protocol="email", endpoint=f"{name}@example.com", minimum_severity=name) for name in minimums
    )
    environment = load(tmp_path, GOOD).model_copy(update={"notifications": notified})
    assert environment.notice_severity(environment.flows[0].model_copy(update={"on_air": on_air})) == severity


def test_notice_has_the_severity_of_the_policy_or_a_default() -> None:
    assert [item["severity"] for item in decided(begun(0, notice_severity="HIGH"), ended(1))[1]] == [
        "HIGH",
        "MEDIUM",
    ]
    assert [item["severity"] for item in decided(by_hand(0, maintenance="INPROGRESS"))[1]] == ["INFO"]
