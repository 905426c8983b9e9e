"""A scenario file says exactly what happens and what must be heard; a wrong one is refused with what is allowed."""

from pathlib import Path

import pytest

from rehearsal.scenario import LIBRARY, Expectation, Scenario, ScenarioError, load_scenario
from rehearsal.timeline import Notification, Result, missed

MINIMAL = """
title = "Encoder dies"
flow = "live-stream"
start = 2026-11-23T20:00:00Z
[[phase]]
minute = 0
[[phase]]
minute = 5
metrics = { SourceJitter = 80 }
[[expect]]
kind = "opened"
by = 7.5
"""


def load(tmp_path: Path, text: str) -> Scenario:
    path = tmp_path / "scenario.toml"
    path.write_text(text)
    return load_scenario(path)


def message(**changes: object) -> Notification:
    fields = {"minute": 3.0, "kind": "opened", "severity": "HIGH", "subject": "s", "text": "t", "recipients": ("a",)}
    return Notification(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_scenario_can_be_used(path: Path) -> None:
    assert load_scenario(path).minutes > 0


def test_a_scenario_lasts_until_the_last_thing_expected(tmp_path: Path) -> None:
    assert load(tmp_path, MINIMAL).minutes == 8


@pytest.mark.parametrize(("minute", "jitter"), [(0, None), (4, None), (5, 80.0), (7, 80.0)])
def test_a_phase_holds_until_the_next_one(tmp_path: Path, minute: int, jitter: float | None) -> None:
    assert load(tmp_path, MINIMAL).phase_at(minute).metrics.get("SourceJitter") == jitter


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('kind = "opened"', 'kind = "alarm"', "expect.0.kind.*'opened', 'escalated'.*or 'none'"),
        ("minute = 0", "minute = -1", "phase.0.minute.*greater than or equal to 0"),
        ("minute = 0", "minute = 1", "first phase must begin at minute 0"),
        ("by = 7.5", "by = 7.5\nbefore = 3", "expect.0.before"),
        ("start = 2026-11-23T20:00:00Z", "start = 2026-11-23T20:00:00", "start.*timezone"),
        ('title = "Encoder dies"', 'title = "Encoder', "is not TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_key(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        load(tmp_path, MINIMAL.replace(old, new))


def test_a_missing_file_is_answered_with_the_shipped_names(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="packet_loss"):
        load_scenario(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("wanted", "sent", "held"),
    [
        (Expectation(kind="opened", severity="MEDIUM", by=5), [message()], True),
        (Expectation(kind="opened", severity="CRITICAL", by=5), [message()], False),
        (Expectation(kind="opened", by=2), [message()], False),
        (Expectation(kind="blind", by=5), [message()], False),
        (Expectation(kind="opened", by=5), [message(recipients=())], False),
        (Expectation(kind="none", severity="MEDIUM", until=5), [message()], False),
        (Expectation(kind="none", severity="CRITICAL", until=5), [message()], True),
        (Expectation(kind="none", until=2), [message()], True),
    ],
)
def test_an_expectation_holds_only_for_a_message_that_somebody_gets_in_time(
    wanted: Expectation,
    sent: list[Notification],
    held: bool,  # noqa: FBT001
) -> None:
    assert (missed(wanted, sent) is None) is held


def test_a_missed_expectation_is_shown_beside_what_was_seen(tmp_path: Path) -> None:
    result = Result(load(tmp_path, MINIMAL), notifications=[message(minute=9.0)])
    assert result.missed == [
        "expected a message of kind opened, INFO or worse, between minute 0 and 7.5; seen minute 9: opened HIGH to 1"
    ]
