"""Which state datapoints put an alarm into, which periods are evaluated, and the reason in CloudWatch's words. Pure.

Implements "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data" of the CloudWatch User Guide,
apart from the monitor's implementation, so that tests can compare the two. Reading datapoints does not belong here.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from operator import ge, gt, le, lt
from typing import Any, Final, Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]

BEYOND: Final = 2
"""Periods of the evaluation range beyond the evaluation periods. AWS gives no number; its examples show two."""

MINUTE: Final = 60
"""Seconds."""

BREACHES: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": gt,
    "GreaterThanOrEqualToThreshold": ge,
    "LessThanThreshold": lt,
    "LessThanOrEqualToThreshold": le,
}
RELATIONS: Final[Mapping[str, str]] = {
    "GreaterThanThreshold": "greater than",
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}


def next_state(
    recent: Sequence[float | None],
    *,
    breaching: Callable[[float], bool],
    needed: int,
    wanted: int,
    missing: str,
    before: State,
) -> State:
    """The state that datapoints lead to.

    Args:
        recent: the evaluation range, newest first, None where a datapoint is missing.
        breaching: whether a value breaches.
        needed: datapoints to alarm.
        wanted: evaluation periods.
        missing: how missing data is treated.
        before: the current state; "ignore" keeps it.
    """
    present = [breaching(value) for value in recent if value is not None][:wanted]
    gaps = wanted - len(present)
    if sum(present) >= needed:
        return "ALARM"
    if missing == "breaching":
        return "ALARM" if sum(present) + gaps >= needed else "OK"
    if not gaps or missing == "notBreaching" or not all(present):
        return "OK"
    # Only breaching datapoints, or none, and too few of them.
    if not present and missing == "missing":
        return "INSUFFICIENT_DATA"
    # Breaching datapoints alone raise the alarm once the oldest is so old that better ones should have followed it.
    # Until then AWS says only that the alarm is not raised.
    age = 1 + max((back for back, value in enumerate(recent) if value is not None), default=0)
    return "ALARM" if missing == "missing" and age >= needed else before


def needed(alarm: Any) -> int:
    """Datapoints to alarm."""
    return int(alarm.datapoints_to_alarm or alarm.evaluation_periods)


def period_starts(now: datetime, *, period: int, count: int) -> list[datetime]:
    """Starts of the last `count` periods that have ended, newest first.

    Periods of a minute and more slide by the minute: five minutes evaluated in minute 6 are the minutes 2 to 6. See
    "Alarm evaluation settings" in the CloudWatch User Guide.
    """
    seconds = int(now.timestamp())
    end = seconds - seconds % min(period, MINUTE)
    return [datetime.fromtimestamp(end - period * back, UTC) for back in range(1, count + 1)]


def reason(alarm: Any, after: State, datapoints: Sequence[tuple[datetime, float]]) -> str:
    """The reason for a change in CloudWatch's words. Datapoints are newest first."""
    wanted, threshold = int(alarm.evaluation_periods), float(alarm.threshold)
    gaps = wanted - len(datapoints)
    if after == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {gaps} {_datapoints_were(gaps)} unknown."
    filled = f"{gaps} missing {_datapoints_were(gaps)} treated as" if gaps else ""
    treated = {"breaching": "[Breaching]", "notBreaching": "[NonBreaching]"}.get(alarm.treat_missing_data)
    if not datapoints:
        return f"Threshold Crossed: no datapoints were received for {wanted} periods and {filled} {treated}."
    raised = after == "ALARM"
    points = [
        f"{value} ({time:%d/%m/%y %H:%M:%S})"
        for time, value in datapoints
        if BREACHES[alarm.comparison_operator](value, threshold) is raised
    ]
    if not points:
        return f"Threshold Crossed: {filled} {treated}."
    relation = ("" if raised else "not ") + RELATIONS[alarm.comparison_operator]
    least = needed(alarm) if raised else wanted - needed(alarm) + 1
    return (
        f"Threshold Crossed: {len(points)} out of the last {len(datapoints)} datapoints [{', '.join(points)}]"
        f" {'was' if len(points) == 1 else 'were'} {relation} the threshold ({threshold})"
        f"{f' and {filled} {treated}' if gaps and treated else ''}"
        f" (minimum {least} datapoint{'' if least == 1 else 's'}"
        f" for {'OK -> ALARM' if raised else 'ALARM -> OK'} transition)."
    )


def _datapoints_were(count: int) -> str:
    return "datapoint was" if count == 1 else "datapoints were"
