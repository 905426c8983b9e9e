"""What is delivered late is said of the past, with the times at which it happened."""

import re
from pathlib import Path
from typing import Any

import pytest

from alert_handler.incident import decide
from alert_handler.message import compose, past
from alert_handler.record import Notification, Record, nothing_known
from components.health_rules import health_rules
from report import Report
from settings import load_environment
from tests.unit.stream import SOURCE_ARNS, issue, look

PROJECT = Path(__file__).resolve().parents[2]
SAID: dict[str, Any] = {
    "event_evidence": [{"about": "source", "part": SOURCE_ARNS[0], "bad": True, "holds_seconds": 180}]
}
GONE = issue(value=None, threshold=None, evidence="event")


def late(seconds: float, minutes: float, *issues: Any, **changes: Any) -> Report:
    """A check of an event that was delivered so many minutes after it happened."""
    return look(seconds, *issues, **{"started": look(seconds + 60 * minutes)["timestamp"], **changes})


def remembered(*reports: Report) -> tuple[Record, list[Notification]]:
    record, told = nothing_known(), []
    for report in reports:
        record, added = decide(record, report)
        told += added
    return record, told


def test_an_event_that_arrives_late_is_said_of_the_past() -> None:
    _, told = remembered(look(0), late(180, 25, GONE, **SAID))
    message = compose(told[-1])
    assert message.body.startswith(
        "The source was gone: viewers saw nothing. At 20:03 UTC, received 25 min later.\n"
        "First: check whether this is still the case. If so: call the sender.\n"
    )
    assert "Time: 2026-11-23 20:03:00 UTC\nReceived: 2026-11-23 20:28:00 UTC, 25 min later\n" in message.body
    assert "CRITICAL: The source was gone: viewers saw nothing.\n" in message.body
    assert message.sms.startswith("CRITICAL live-stream (prod): The source was gone: viewers saw nothing.")


@pytest.mark.parametrize("minutes", [0, 1, 2])
def test_a_check_that_runs_soon_after_its_event_is_said_of_the_present(minutes: float) -> None:
    _, told = remembered(late(180, minutes, GONE, **SAID))
    assert compose(told[0]).body.startswith("The source is gone: viewers see nothing.\n")
    assert "Received: " not in compose(told[0]).body


def test_a_report_of_an_earlier_release_has_no_second_time() -> None:
    _, told = remembered(look(180, GONE, **SAID))
    assert compose(told[0]).body.startswith("The source is gone: viewers see nothing.\n")


def test_what_is_measured_late_is_said_of_the_past_too() -> None:
    loss = issue(
        "SourcePacketLossPercent", "HIGH", value=2.4, threshold=0.1, unit="Percent", meaning="Packets are lost."
    )
    _, told = remembered(late(180, 60, loss))
    assert "HIGH: Packets were lost.\n  SourcePacketLossPercent was 2.4 %, limit 0.1 %\n" in compose(told[0]).body


def test_a_status_is_of_the_present_however_late_the_event_that_asks_for_it() -> None:
    off = issue("FlowStatus", evidence="status", value=None, threshold=None, meaning="The flow is in ERROR.")
    record, told = remembered(look(0), late(180, 25, off, flow_status="ERROR"))
    assert compose(told[0]).body.startswith("The flow is in ERROR.\n")
    assert (record["since"], told[0]["began"]) == (look(1680)["timestamp"],) * 2


def test_an_event_from_before_the_latest_start_opens_nothing_when_it_arrives() -> None:
    started = [look(0), look(60, flow_status="STANDBY"), look(600)]
    assert [item["kind"] for item in remembered(*started, late(300, 20, GONE, **SAID))[1]] == [
        "flow-stopped",
        "flow-started",
    ]


def test_an_event_that_is_part_of_what_was_closed_opens_nothing_when_it_arrives() -> None:
    closed = [look(0, issue()), look(60), look(120)]
    assert [item["kind"] for item in remembered(*closed, late(30, 20, GONE, **SAID))[1]] == ["opened", "recovered"]


def test_a_maintenance_that_is_over_when_its_start_arrives_holds_nothing_back() -> None:
    assert [item["kind"] for item in remembered(late(0, 180, maintenance="INPROGRESS"), look(7000, issue()))[1]] == [
        "opened"
    ]


def test_an_event_of_the_past_does_not_remind_of_the_present() -> None:
    assert [item["kind"] for item in remembered(look(0, issue()), late(2000, 25, GONE, **SAID))[1]] == ["opened"]


def test_durations_come_from_the_times_of_datapoints_not_of_checks() -> None:
    since, until = look(60)["timestamp"], look(840)["timestamp"]
    story = [
        look(180, issue(since=since, at=look(120)["timestamp"])),
        look(900, as_of=until),
        look(960, as_of=look(900)["timestamp"]),
    ]
    _, told = remembered(*story)
    assert (told[0]["began"], told[-1]["began"], told[-1]["ended"]) == (since, since, until)
    body = compose(told[-1]).body
    assert body.startswith("Resolved after 13 min.")
    assert "Started: 2026-11-23 20:01:00 UTC" in body


def test_data_from_before_the_last_evidence_ends_no_incident() -> None:
    old = look(60)["timestamp"]
    _, told = remembered(look(0, issue()), look(300, issue()), look(360, as_of=old), look(420, as_of=old))
    assert [item["kind"] for item in told] == ["opened"]


def test_a_worst_value_is_not_older_than_the_incident() -> None:
    jitter = issue("SourceJitter", "MEDIUM", value=900.0, threshold=50.0, unit="Milliseconds", at=look(0)["timestamp"])
    newer = issue("SourceJitter", "MEDIUM", value=80.0, threshold=50.0, unit="Milliseconds", at=look(240)["timestamp"])
    record, _ = remembered(look(120, GONE, **SAID), look(180, GONE, jitter), look(300, GONE, newer))
    assert record["incident"] is not None
    assert record["incident"]["worst"]["SourceJitter"]["value"] == 80.0


PRESENT = re.compile(
    r"\b(is|are|has|have|see|sees|sends|needs|holds|stands|arrive|recovers|reports|will|cannot|should be)\b"
)


def test_every_rule_can_be_said_of_the_past() -> None:
    for file in sorted((PROJECT / "environments").glob("*.toml")):
        environment = load_environment(file.stem, root=PROJECT, environ={}, context={})
        for flow in environment.flows:
            for rule in health_rules(flow, environment.thresholds_of(flow)):
                assert PRESENT.search(past(rule.meaning)) is None, past(rule.meaning)


@pytest.mark.parametrize(
    ("present", "then"),
    [
        ("A receiver is not connected: whoever it serves sees nothing.", "A receiver was not connected: whoever it served saw nothing."),
        ("The flow should be on air and is in STANDBY.", "The flow should have been on air and was in STANDBY."),
        ("The flow is in ERROR: it does not carry the stream.", "The flow was in ERROR: it did not carry the stream."),
        ("Error correction cannot keep up.", "Error correction could not keep up."),
    ],
)  # fmt: skip
def test_verbs_change_their_tense(present: str, then: str) -> None:
    assert past(present) == then
