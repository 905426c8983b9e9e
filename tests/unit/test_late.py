"""Late events are worded in the past tense, with the times at which they happened."""

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
from tests.unit.stream import SOURCE_ARNS, check, issue

PROJECT = Path(__file__).resolve().parents[2]
EVIDENCE: dict[str, Any] = {
    "event_evidence": [{"about": "source", "part": SOURCE_ARNS[0], "bad": True, "holds_seconds": 180}]
}
GONE = issue(value=None, threshold=None, evidence="event")


def late(seconds: float, minutes: float, *issues: Any, **changes: Any) -> Report:
    """A check of an event that was delivered so many minutes after it happened."""
    return check(seconds, *issues, **{"started": check(seconds + 60 * minutes)["timestamp"], **changes})


def decided(*reports: Report) -> tuple[Record, list[Notification]]:
    record, notified = nothing_known(), []
    for report in reports:
        record, added = decide(record, report)
        notified += added
    return record, notified


def test_late_event_is_worded_as_past() -> None:
    _, notified = decided(check(0), late(180, 25, GONE, **EVIDENCE))
    message = compose(notified[-1])
    assert message.body.startswith(
        "The source was gone: viewers saw nothing. At 20:03 UTC, received 25 min later.\n"
        "First: check whether this is still the case. If so: call the sender.\n"
    )
    assert "Time: 2026-11-23 20:03:00 UTC\nReceived: 2026-11-23 20:28:00 UTC, 25 min later\n" in message.body
    assert "CRITICAL: The source was gone: viewers saw nothing.\n" in message.body
    assert message.sms.startswith("CRITICAL live-stream (prod): The source was gone: viewers saw nothing.")


@pytest.mark.parametrize("minutes", [0, 1, 2])
def test_prompt_check_is_worded_as_present(minutes: float) -> None:
    _, notified = decided(late(180, minutes, GONE, **EVIDENCE))
    assert compose(notified[0]).body.startswith("The source is gone: viewers see nothing.\n")
    assert "Received: " not in compose(notified[0]).body


def test_report_of_an_earlier_release_has_no_second_time() -> None:
    _, notified = decided(check(180, GONE, **EVIDENCE))
    assert compose(notified[0]).body.startswith("The source is gone: viewers see nothing.\n")


def test_late_measurement_is_worded_as_past() -> None:
    loss = issue(
        "SourcePacketLossPercent", "HIGH", value=2.4, threshold=0.1, unit="Percent", meaning="Packets are lost."
    )
    _, notified = decided(late(180, 60, loss))
    assert "HIGH: Packets were lost.\n  SourcePacketLossPercent was 2.4 %, limit 0.1 %\n" in compose(notified[0]).body


def test_status_is_of_the_present_however_late_the_event() -> None:
    off = issue("FlowStatus", evidence="status", value=None, threshold=None, meaning="The flow is in ERROR.")
    record, notified = decided(check(0), late(180, 25, off, flow_status="ERROR"))
    assert compose(notified[0]).body.startswith("The flow is in ERROR.\n")
    assert (record["since"], notified[0]["began"]) == (check(1680)["timestamp"],) * 2


def test_late_event_from_before_the_start_opens_nothing() -> None:
    started = [check(0), check(60, flow_status="STANDBY"), check(600)]
    assert [item["kind"] for item in decided(*started, late(300, 20, GONE, **EVIDENCE))[1]] == [
        "flow-stopped",
        "flow-started",
    ]


def test_late_event_from_before_the_close_opens_nothing() -> None:
    closed = [check(0, issue()), check(60), check(120)]
    assert [item["kind"] for item in decided(*closed, late(30, 20, GONE, **EVIDENCE))[1]] == ["opened", "recovered"]


def test_maintenance_over_when_its_start_arrives_holds_nothing() -> None:
    assert [item["kind"] for item in decided(late(0, 180, maintenance="INPROGRESS"), check(7000, issue()))[1]] == [
        "opened"
    ]


def test_late_event_sends_no_reminder() -> None:
    assert [item["kind"] for item in decided(check(0, issue()), late(2000, 25, GONE, **EVIDENCE))[1]] == ["opened"]


def test_durations_come_from_datapoints_not_checks() -> None:
    since, until = check(60)["timestamp"], check(840)["timestamp"]
    story = [
        check(180, issue(since=since, at=check(120)["timestamp"])),
        check(900, as_of=until),
        check(960, as_of=check(900)["timestamp"]),
    ]
    _, notified = decided(*story)
    assert (notified[0]["began"], notified[-1]["began"], notified[-1]["ended"]) == (since, since, until)
    body = compose(notified[-1]).body
    assert body.startswith("Resolved after 13 min.")
    assert "Started: 2026-11-23 20:01:00 UTC" in body


def test_data_from_before_the_last_evidence_ends_no_incident() -> None:
    old = check(60)["timestamp"]
    _, notified = decided(check(0, issue()), check(300, issue()), check(360, as_of=old), check(420, as_of=old))
    assert [item["kind"] for item in notified] == ["opened"]


def test_worst_value_is_not_older_than_the_incident() -> None:
    jitter = issue("SourceJitter", "MEDIUM", value=900.0, threshold=50.0, unit="Milliseconds", at=check(0)["timestamp"])
    newer = issue("SourceJitter", "MEDIUM", value=80.0, threshold=50.0, unit="Milliseconds", at=check(240)["timestamp"])
    record, _ = decided(check(120, GONE, **EVIDENCE), check(180, GONE, jitter), check(300, GONE, newer))
    assert record["incident"] is not None
    assert record["incident"]["worst"]["SourceJitter"]["value"] == 80.0


PRESENT = re.compile(
    r"\b(is|are|has|have|see|sees|sends|needs|holds|stands|arrive|recovers|reports|will|cannot|should be)\b"
)


def test_every_rule_can_be_worded_as_past() -> None:
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
