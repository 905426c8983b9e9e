"""What a person sees of rehearsals: a line and the messages of each, what was missed, and one message in full."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.unit.environments import GOOD, load
from tools.rehearsal.assignment import Assignment
from tools.rehearsal.reading import find_scenario, load_scenario
from tools.rehearsal.show import show
from tools.rehearsal.timeline import Moment, Notification, Result


def result(tmp_path: Path, *sent: tuple[float, str, str]) -> Result:
    assignment = Assignment(load_scenario(find_scenario("packet_loss")), "dev", load(tmp_path, GOOD).flows[0])
    found = Result(assignment)
    for minute, kind, severity in sent:
        found.notifications.append(
            Notification(
                minute=minute, kind=kind, severity=severity, subject=f"[{severity}] {kind}", text="First: look.",
                recipients=("email noc@example.com",),
            )
        )  # fmt: skip
    return found


def shown(*results: Result, full: bool) -> str:
    printed = io.StringIO()
    show(results, Console(file=printed, width=80), full=full, seconds={"deploy": 60.0, "play": 1.0})
    return printed.getvalue()


@pytest.fixture
def good(tmp_path: Path) -> Result:
    return result(tmp_path, (7, "opened", "MEDIUM"), (9, "escalated", "HIGH"), (20, "recovered", "HIGH"))


def test_many_scenarios_are_a_line_each_with_their_messages_and_one_message_in_full(good: Result) -> None:
    text = shown(good, good, full=False)
    assert text.count("passed  packet_loss: The network loses packets for a while (live, dev)") == 2
    assert "          20:07:00 [MEDIUM] opened" in text
    assert text.count("| First: look.") == 1
    assert "passed: 2 scenario(s), 6 message(s) delivered" in text


def test_a_failed_one_says_what_was_expected_and_seen_and_how_many_failed(good: Result, tmp_path: Path) -> None:
    text = shown(good, result(tmp_path), full=False)
    assert "FAILED  packet_loss" in text
    assert "nobody is told" in text
    assert "missed: expected a message of kind opened" in text
    assert "1 of 2 FAILED, 3 message(s) delivered" in text


def test_one_scenario_is_shown_with_its_timeline_but_not_the_first_ok_of_new_alarms(good: Result) -> None:
    for minute, before, after in ((1, "INSUFFICIENT_DATA", "OK"), (7, "OK", "ALARM")):
        facts = {"before": before, "after": after}
        good.timeline.append(Moment(minute=minute, kind="alarm", text=f"loss: {before} -> {after}", facts=facts))
    text = shown(good, full=True)
    assert "20:07:00  alarm     loss: OK -> ALARM" in text
    assert "20:01:00" not in text
    assert text.count("to email noc@example.com") == 3
