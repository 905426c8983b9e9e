"""Detection times are computed from what a rehearsal recorded."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from settings import load_environment
from tools.bench.detection import EARLY_PERIODS, Detection, Early, broken_at, detection, early
from tools.bench.flows import early_loss_text
from tools.rehearsal.assignment import Assignment
from tools.rehearsal.scenario import Scenario
from tools.rehearsal.timeline import Kind, Moment, Notification, Result

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


def result(*moments: tuple[float, Kind, str], notified: float | None = None) -> Result:
    (flow,) = load_environment("dev", root=PROJECT, environ={}, context={}).flows
    found = Result(Assignment(scenario(), "dev", flow))
    found.timeline += [Moment(minute=minute, kind=kind, text=text) for minute, kind, text in moments]
    if notified is not None:
        found.notifications.append(
            Notification(
                minute=notified, kind="opened", severity="HIGH", subject="", text="", recipients=("noc@example.com",)
            )
        )
    return found


def test_failure_is_the_first_change_of_phase_or_event() -> None:
    event = {"minute": 3.5, "detail-type": "MediaConnect Alert", "detail": {}}
    assert broken_at(scenario()) == 6
    assert broken_at(scenario(event=[event])) == 3.5
    assert broken_at(scenario(phase=[{"minute": 0}])) == 0


def test_path_is_timed_by_its_first_execution_that_alerts() -> None:
    found = detection(
        "source_stops",
        result(
            (5, "schedule", "live is checked"),
            (5, "execution", "SUCCEEDED: MonitorStream > EvaluateHealth > RaiseAlert"),  # before the failure
            (6, "schedule", "live is checked"),
            (6, "execution", "SUCCEEDED: MonitorStream > EvaluateHealth > StreamHealthy"),
            (7, "alarm", "live/source-lost: OK -> ALARM"),
            (7, "execution", "SUCCEEDED: MonitorStream > EvaluateHealth > RaiseAlert > AlertSent"),
            (9, "alarm", "live/packet-loss: OK -> ALARM"),
            (9, "execution", "SUCCEEDED: MonitorStream > EvaluateHealth > RaiseAlert > AlertSent"),
            (11, "schedule", "live is checked"),
            (11, "execution", "SUCCEEDED: MonitorStream > EvaluateHealth > RaiseAlert > AlertSent"),
            notified=7,
        ),
    )
    assert found.message == 1
    assert found.by_path == {"event": None, "alarm": 1, "schedule": 5}


def test_message_without_recipients_is_no_detection() -> None:
    found = result(notified=8)
    found.notifications.append(
        Notification(minute=7, kind="opened", severity="HIGH", subject="", text="", recipients=())
    )
    assert detection("source_stops", found).message == 2


def test_period_has_seconds_and_the_price_of_its_alarm() -> None:
    found = Detection(scenario="packet_loss", message=1 / 6, by_path={"event": None, "alarm": 1 / 6, "schedule": 1})
    assert early(10, found) == Early(period=10, message_seconds=10, alarm_seconds=10, usd_a_month=0.30)
    undetected = Detection(
        scenario="packet_loss", message=None, by_path={"event": None, "alarm": None, "schedule": None}
    )
    assert early(60, undetected) == Early(period=60, message_seconds=None, alarm_seconds=None, usd_a_month=0.10)


def test_compared_periods_are_all_allowed_ones_each_on_its_own_flow(tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "early.toml").write_text(early_loss_text(EARLY_PERIODS))
    environment = load_environment("early", root=tmp_path, environ={}, context={})
    thresholds = [environment.thresholds_of(flow) for flow in environment.flows]
    assert [one.early_packet_loss_seconds for one in thresholds] == list(EARLY_PERIODS)
    assert sorted(EARLY_PERIODS) == sorted(
        get_args(type(thresholds[0]).model_fields["early_packet_loss_seconds"].annotation)
    )
