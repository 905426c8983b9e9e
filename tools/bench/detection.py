"""Computes from a played scenario how long after a failure each path detected it. Pure.

Minutes are those of the scenario's clock. In a real account CloudWatch publishes a metric one to three minutes late,
and MediaConnect's events take about a second.
"""

from dataclasses import dataclass
from typing import Final

from tools.bench import costs
from tools.rehearsal.scenario import Scenario
from tools.rehearsal.timeline import Result

PATHS: Final = ("event", "alarm", "schedule")
EARLY_PERIODS: Final = (60, 30, 10)
"""Seconds: every value that `early_packet_loss_seconds` can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Minutes from the failure of a scenario; None where a path did not detect it, or nobody was notified."""

    scenario: str
    message: float | None
    by_path: dict[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    """Detection times with a period of the most sensitive alarm on packet loss, and its cost."""

    period: int  # seconds
    message_seconds: float | None  # from the failure; None where nobody was notified
    alarm_seconds: float | None  # until the alarm started an execution that found it
    usd_a_month: float


def early(period: int, found: Detection) -> Early:
    """Detection times of a flow whose alarm has this period."""
    return Early(
        period=period,
        message_seconds=_seconds(found.message),
        alarm_seconds=_seconds(found.by_path["alarm"]),
        usd_a_month=costs.alarm(period),
    )


def _seconds(minutes: float | None) -> float | None:
    return None if minutes is None else round(60 * minutes, 3)


def broken_at(scenario: Scenario) -> float:
    """The minute of the first change: a phase after the first one, or an event."""
    changes = [phase.minute for phase in scenario.phases if phase.minute > 0]
    return min([*map(float, changes), *(event.minute for event in scenario.events)], default=0.0)


def detection(name: str, result: Result) -> Detection:
    """When the first message came, and when each path first started an execution that raised an alert."""
    broken = broken_at(result.assignment.scenario)
    notified = [sent.minute - broken for sent in result.notifications if sent.recipients and sent.minute >= broken]
    found: dict[str, float | None] = dict.fromkeys(PATHS)
    started_by = None
    for moment in result.timeline:
        if moment.kind in PATHS:
            started_by = moment.kind
        elif moment.kind == "execution" and started_by and moment.minute >= broken and "RaiseAlert" in moment.text:
            found[started_by] = moment.minute - broken if found[started_by] is None else found[started_by]
    return Detection(scenario=name, message=min(notified, default=None), by_path=found)
