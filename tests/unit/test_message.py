"""The first two lines of every message are issue and action, and every message can be sent."""

import json
from collections.abc import Sequence
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from alert_handler import lateness
from alert_handler.incident import decide
from alert_handler.message import LABELS, amount, compose
from alert_handler.record import Kind, Notification, nothing_known
from report import Report
from tests.unit.stream import FLOW_ARN, SOURCE_ARNS, check, issue

LOSS = issue(
    "SourcePacketLossPercent",
    "HIGH",
    value=2.4,
    threshold=0.1,
    unit="Percent",
    meaning="Packets have been lost for minutes: viewers see blocks.",
    actions=["Check the network between encoder and AWS.", "Ask the sender to look for a saturated uplink."],
)
LOST = issue(
    actions=["Call the sender: is the encoder running?", "Check that its address is inside the source's allowed CIDR."]
)
LOST_BY_EVENT = issue(
    value=None,
    threshold=None,
    evidence="event",
    actions=["Call the sender: is the encoder running?"],
)
ONE_GONE = issue(
    severity="HIGH",
    value=None,
    threshold=None,
    evidence="event",
    meaning="The source venue-a is gone: running on venue-b, no redundancy.",
    actions=["Call venue-a: is the encoder running?", "Check the network between encoder and AWS."],
)
NOT_KNOWN: Any = {**ONE_GONE, "meaning": "The source venue-a is gone: there is no redundancy."}
BOTH_GONE = issue(
    value=None,
    threshold=None,
    evidence="event",
    meaning="Both sources are gone: viewers see nothing.",
    actions=["Call venue-a and venue-b: are their encoders running?"],
)
A_LOST = [{"about": "source", "part": SOURCE_ARNS[0], "bad": True, "holds_seconds": 180}]
SWITCHED = [{"name": "venue-a", "arn": SOURCE_ARNS[0], "in_use": False}, {"name": "venue-b", "arn": SOURCE_ARNS[1], "in_use": True}]  # fmt: skip
IN_USE_UNKNOWN = [{**source, "in_use": None} for source in SWITCHED]
ALWAYS: dict[str, Any] = {"on_air_expected": True}
GONE: list[Report] = [check(0, LOSS), check(300, LOST, LOSS)]


def late(seconds: float, as_of: float) -> Report:
    """A check without newer data than `as_of`, and no evidence that the source is gone."""
    silence = {"issue": LOST, "since": check(as_of)["timestamp"], "source_error": False, "others_arrive": False}
    return check(seconds, as_of=check(as_of)["timestamp"], silence=silence, source_metadata="present")


STORIES: dict[str, Sequence[Report]] = {
    "opened": [check(0, LOSS)],
    "opened-by-event": [check(0, LOST_BY_EVENT)],
    "opened-one-of-two": [check(0, ONE_GONE, sources=SWITCHED, event_evidence=A_LOST)],
    "opened-source-in-use-not-known": [check(0, NOT_KNOWN, sources=IN_USE_UNKNOWN, event_evidence=A_LOST)],
    "opened-both-sources-gone": [check(0, BOTH_GONE, sources=SWITCHED)],
    "opened-late": [check(0, LOST_BY_EVENT, started="2026-11-23T20:25:00+00:00")],
    "escalated": GONE,
    "reminded": [*GONE, check(2400, LOST, LOSS)],
    "recovered": [*GONE, check(900), check(960)],
    "recovered-by-stop": [check(0), *GONE, check(900, flow_status="STANDBY"), check(960, flow_status="STANDBY")],
    "closed": GONE,
    "flow-stopped": [check(0), check(60, flow_status="STANDBY")],
    "flow-started": [check(0, flow_status="STANDBY"), check(60)],
    "maintenance-begun": [check(0, maintenance="INPROGRESS")],
    "maintenance-ended": [check(0, maintenance="INPROGRESS"), check(600, maintenance="FINISHED")],
    "maintenance-ended-held-back": [
        check(0, maintenance="INPROGRESS"),
        check(60, LOST, LOSS),
        check(180),
        check(600, maintenance="FINISHED"),
    ],
    "maintenance-ended-by-health": [
        check(0, maintenance="INPROGRESS"),
        check(60, flow_status="STANDBY"),
        check(180),
        check(480),
    ],
    "maintenance-ended-in-standby": [
        check(0, maintenance="INPROGRESS"),
        check(60, flow_status="STANDBY"),
        check(120, flow_status="STANDBY", maintenance="FINISHED"),
    ],
    "maintenance-of-a-flow-off-air": [check(0, flow_status="STANDBY", maintenance="INPROGRESS")],
    "maintenance-outage": [
        check(0, maintenance="INPROGRESS", **ALWAYS),
        *(check(seconds, LOST, **ALWAYS) for seconds in range(120, 660, 60)),
    ],
    "maintenance-failed": [check(0, maintenance="INPROGRESS"), check(600, maintenance="FAILED")],
    "maintenance-never-ended": [check(0, maintenance="INPROGRESS"), check(7300)],
    "metrics-late": [late(300, 0)],
    "metrics-recovered": [late(300, 0), check(660, as_of=check(600)["timestamp"])],
}


BY_HAND: dict[str, Any] = {"closed": {"kind": "closed", "detail": "encoder\nmoved to another flow"}}
"""What a person's command changes in the last message of a story: no check makes that kind."""


def notification_of(story: str) -> Notification:
    """The message that a story ends with."""
    changed: Any = {**last_notification(STORIES[story]), **BY_HAND.get(story, {})}
    notified: Notification = changed
    return notified


def last_notification(reports: Sequence[Report]) -> Notification:
    """The last message of a story."""
    record, environment, notified = nothing_known(), nothing_known(), []
    for report in reports:
        before = record
        record, added = decide(record, report)
        notified += added
        if before.get("late", "") != record.get("late", ""):
            environment = lateness.decide(environment, report, record.get("late", ""))
            notified.append(environment["pending"][-1])
    return notified[-1]


@pytest.mark.parametrize("story", STORIES)
def test_message_equals_its_snapshot(story: str, snapshot: SnapshotAssertion) -> None:
    notified = notification_of(story)
    message = compose(notified)
    assert story.startswith(notified["kind"]) or story == "maintenance-outage"
    attributes = "".join(f"{name}: {value}\n" for name, value in message.attributes.items())
    assert f"{attributes}sms: {message.sms}\n\n{message.subject}\n\n{message.body}" == snapshot


def test_every_kind_has_a_snapshot() -> None:
    kinds = {notification_of(story)["kind"] for story in STORIES}
    assert kinds == set(get_args(Kind))


@pytest.mark.parametrize("story", STORIES)
def test_first_two_lines_are_issue_and_action(story: str) -> None:
    message = compose(notification_of(story))
    what, do, empty, *_ = message.body.split("\n")
    about = "monitoring" if story.startswith("metrics") else "live-stream"
    label = LABELS.get(message.attributes["kind"], message.attributes["severity"])
    assert message.subject.startswith(f"[{label}] {about} (prod): {what.removeprefix('Resolved ')[:20]}")
    assert do.startswith(("First: ", "No action needed"))
    assert empty == ""


def test_late_metrics_of_a_flow_off_air_are_not_called_resolved() -> None:
    message = compose(last_notification([late(300, 0), check(660, flow_status="STANDBY")]))
    assert message.attributes["kind"] == "metrics-recovered"
    assert message.subject == "[HIGH] monitoring (prod): The last flow with late metrics is off air, after 11 min."


@pytest.mark.parametrize(
    ("name", "kind", "line"),
    [
        ("jo", "person", "Requested by: jo"),
        ("person", "person", "Requested by: a person"),
        ("schedule", "schedule", "Detected by: scheduled check"),
        ("MediaConnect Alert", "event", "Detected by: event MediaConnect Alert"),
    ],
)
def test_message_says_what_caused_the_check(name: str, kind: str, line: str) -> None:
    body = compose(last_notification([check(0, LOST, trigger={"kind": kind, "name": name})])).body
    assert f"\n{line}\n" in body


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"value": None, "evidence": "no data"}, "  SourceBitRate: no data\n"),
        ({"evidence": "event"}, "  SourceBitRate, reported by MediaConnect\n"),
        ({"evidence": "status", "metric": "FlowStatus"}, "  FlowStatus, read from MediaConnect\n"),
        ({"actions": []}, "First: check the flow in the console.\n"),
    ],
)
def test_issue_without_a_value_names_its_evidence(changes: Any, words: str) -> None:
    assert words in compose(last_notification([check(0, issue(**changes))])).body


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.0, "Bits/Second", "0 bit/s"),
        (7_900_000, "Bits/Second", "7.9 Mbit/s"),
        (1_500, "Bits/Second", "1.5 kbit/s"),
        (2.4, "Percent", "2.4 %"),
        (18, "Milliseconds", "18 ms"),
        (120, "Packets/Minute", "120 packets a minute"),
        (0, "Connected", "0"),
        (3, "Parsecs", "3 Parsecs"),
    ],
)
def test_amounts_have_readable_units(value: float, unit: str, words: str) -> None:
    assert amount(value, unit) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "less than a minute"), (29, "less than a minute"), (60, "1 min"), (3600, "1 h"), (5400, "1 h 30 min")],
)
def test_spans_are_in_hours_and_minutes(seconds: int, words: str) -> None:
    over = [check(0, LOST), check(seconds + 60), check(seconds + 120)]
    notified = last_notification(over)
    began = check(60)["timestamp"]
    assert compose({**notified, "began": began}).body.startswith(f"Resolved after {words}. Was: ")


@pytest.mark.parametrize(
    ("arn", "console"),
    [
        (FLOW_ARN, "https://us-east-1.console.aws.amazon.com/"),
        (FLOW_ARN.replace("aws:", "aws-cn:", 1).replace("us-east-1", "cn-north-1"), "https://cn-north-1.console.amazonaws.cn/"),
        (FLOW_ARN.replace("aws:", "aws-us-gov:", 1).replace("us-east", "us-gov-west"), "https://us-gov-west-1.console.amazonaws-us-gov.com/"),
    ],
)  # fmt: skip
def test_links_use_the_console_of_region_and_partition(arn: str, console: str) -> None:
    assert f"Dashboard: {console}cloudwatch/" in compose(last_notification([check(0, LOST, flow_arn=arn)])).body


@pytest.mark.parametrize(
    ("in_use", "words"),
    [((False, True), "venue-b"), ((None, None), "venue-b or none"), ((True, None), "venue-b or none")],
)
def test_source_that_is_lost_is_never_called_in_use(in_use: tuple[bool | None, ...], words: str) -> None:
    sources = [{**source, "in_use": used} for source, used in zip(SWITCHED, in_use, strict=True)]
    body = compose(last_notification([check(0, ONE_GONE, sources=sources, event_evidence=A_LOST)])).body
    assert f"Source in use: {words}\n" in body


def test_express_execution_has_no_link() -> None:
    express = "arn:aws:states:us-east-1:123456789012:express:m:a:b"
    assert "Execution:" not in compose(last_notification([check(0, LOST, execution=express)])).body


def test_recovery_has_the_worst_severity_of_the_incident() -> None:
    assert (
        compose(last_notification([check(0, LOST), check(60, LOSS), check(120), check(180)])).attributes["severity"]
        == "CRITICAL"
    )


def test_overlong_message_is_cut_with_a_note() -> None:
    body = compose(last_notification([check(0, issue(meaning="\x00" * 300_000))])).body
    assert body.endswith("(This message was too long and is cut here.)\n")
    assert len(json.dumps({"default": body}).encode()) < 256 * 1024


def test_half_a_surrogate_pair_is_sent_as_a_replacement() -> None:
    message = compose(last_notification([check(0, issue(meaning="broken \ud83d here"))]))
    assert message.body.encode()
    assert message.sms.encode()
    assert message.subject.encode()


@given(st.text(max_size=300), st.text(max_size=300), st.floats(allow_nan=False, allow_infinity=False))
def test_every_message_is_within_the_limits_of_sns(name: str, meaning: str, value: float) -> None:
    message = compose(last_notification([check(0, issue(meaning=meaning, value=value), flow_name=name)]))
    assert 0 < len(message.subject) < 100
    assert message.subject.isprintable()
    assert len(message.body.encode()) < 256 * 1024
