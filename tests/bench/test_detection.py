"""Detection times are read from what a rehearsal recorded."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.detection import broken_at, detection
from rehearsal.cast import Role
from rehearsal.scenario import Scenario
from rehearsal.timeline import Kind, Moment, Notification, Result
from settings import load_environment

PROJECT = Path(__file__).resolve().parents[2]


def scenario(**changes: Any) -> Scenario:
    given = {
        "title": "The source stops",
        "flow": "live",
        "start": datetime(2026, 11, 23, 20, tzinfo=UTC),
        "phase": [{"minute": 0}, {"minute": 6}],
        "expect": [{"kind": "opened"}],
    }
    return Scenario.model_validate(given | changes)


def result(*moments: tuple[float, Kind, str], told: float | None = None) -> Result:
    (flow,) = load_environment("dev", root=PROJECT, environ={}, context={}).flows
    found = Result(Role(scenario(), "dev", flow))
    found.timeline += [Moment(minute=minute, kind=kind, text=text) for minute, kind, text in moments]
    if told is not None:
        found.notifications.append(
            Notification(
                minute=told, kind="opened", severity="HIGH", subject="", text="", recipients=("noc@example.com",)
            )
        )
    return found


def test_the_failure_is_the_first_change_of_phase_or_the_first_event() -> None:
    event = {"minute": 3.5, "detail-type": "MediaConnect Alert", "detail": {}}
    assert broken_at(scenario()) == 6
    assert broken_at(scenario(event=[event])) == 3.5
    assert broken_at(scenario(phase=[{"minute": 0}])) == 0


def test_each_path_is_timed_by_its_first_run_that_finds_something_to_tell() -> None:
    found = detection(
        "source_stops",
        result(
            (5, "schedule", "live is looked at"),
            (5, "execution", "SUCCEEDED: MonitorStream > EvaluateHealth > RaiseAlert"),  # before the failure
            (6, "schedule", "live is looked at"),
            (6, "execution", "SUCCEEDED: MonitorStream > EvaluateHealth > StreamHealthy"),
            (7, "alarm", "live/source-lost: OK -> ALARM"),
            (7, "execution", "SUCCEEDED: MonitorStream > EvaluateHealth > RaiseAlert > AlertSent"),
            (9, "alarm", "live/packet-loss: OK -> ALARM"),
            (9, "execution", "SUCCEEDED: MonitorStream > EvaluateHealth > RaiseAlert > AlertSent"),
            (11, "schedule", "live is looked at"),
            (11, "execution", "SUCCEEDED: MonitorStream > EvaluateHealth > RaiseAlert > AlertSent"),
            told=7,
        ),
    )
    assert found.message == 1
    assert found.by_path == {"event": None, "alarm": 1, "schedule": 5}


def test_a_message_that_reached_nobody_is_no_detection() -> None:
    found = result(told=8)
    found.notifications.append(
        Notification(minute=7, kind="opened", severity="HIGH", subject="", text="", recipients=())
    )
    assert detection("source_stops", found).message == 2
