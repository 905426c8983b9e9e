"""Evaluates metric alarms at a given moment, and does what follows from a change: actions and an event.

An own implementation of what the CloudWatch User Guide says ("Evaluating an alarm", "Configuring how CloudWatch alarms
treat missing data"), apart from the monitor's, so that the two can be held against each other.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import ge, gt, le, lt
from typing import Any, Final, Literal

from moto.cloudwatch.models import cloudwatch_backends
from moto.sns.models import sns_backends

from local_aws import eventbridge
from local_aws.eventbridge import ACCOUNT_ID, Delivery

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]

BEYOND: Final = 2
"""Periods beyond its own that an alarm looks back for real datapoints. AWS gives no number; its examples show two."""

BREACHES: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": gt,
    "GreaterThanOrEqualToThreshold": ge,
    "LessThanThreshold": lt,
    "LessThanOrEqualToThreshold": le,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """An alarm that changed its state, and what the event of it reached."""

    alarm_name: str
    before: State
    after: State
    deliveries: tuple[Delivery, ...]


def next_state(
    recent: list[float | None],
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
        before: the present state; "ignore" keeps it.
    """
    there = [breaching(value) for value in recent if value is not None][:wanted]
    gaps = wanted - len(there)
    if not there and missing in {"missing", "ignore"}:
        return "INSUFFICIENT_DATA" if missing == "missing" else before
    if sum(there) >= needed:
        return "ALARM"
    if not gaps or missing == "notBreaching":
        return "OK"
    if missing == "breaching":
        return "ALARM" if sum(there) + gaps >= needed else "OK"
    if all(there):
        return "ALARM" if missing == "missing" else before
    return "OK"


def evaluate_alarms(now: datetime, *, region: str) -> list[Transition]:
    """Evaluate every metric alarm at `now`, by name; returns those that changed.

    Raises:
        NotImplementedError: an alarm is of a kind that is not evaluated here.
    """
    alarms = cloudwatch_backends[ACCOUNT_ID][region].alarms
    changed = [_evaluate(alarms[name], now, region) for name in sorted(alarms)]
    return [transition for transition in changed if transition]


def _evaluate(alarm: Any, now: datetime, region: str) -> Transition | None:
    if alarm.rule or alarm.metric_data_queries or not alarm.statistic or alarm.comparison_operator not in BREACHES:
        raise NotImplementedError(f"the alarm {alarm.name} is no plain metric alarm, the only kind evaluated here")
    period, wanted = int(alarm.period), int(alarm.evaluation_periods)
    seconds = int(now.timestamp())
    end = datetime.fromtimestamp(seconds - seconds % period, UTC)
    times = [end - timedelta(seconds=period * back) for back in range(1, wanted + BEYOND + 1)]
    values = _datapoints(alarm, times[-1], end, region)
    recent = [values.get(time) for time in times]
    threshold = float(alarm.threshold)
    before: State = alarm.state_value
    after = next_state(
        recent,
        breaching=lambda value: BREACHES[alarm.comparison_operator](value, threshold),
        needed=int(alarm.datapoints_to_alarm or wanted),
        wanted=wanted,
        missing=alarm.treat_missing_data or "missing",
        before=before,
    )
    if after == before:
        return None
    _change(alarm, after, now, list(zip(times, recent, strict=True)))
    _act(alarm, before, now, region)
    told = eventbridge.deliver(state_change(alarm, before, now, region=region), region=region)
    return Transition(alarm_name=alarm.name, before=before, after=after, deliveries=tuple(told))


def _datapoints(alarm: Any, start: datetime, end: datetime, region: str) -> dict[datetime, float]:
    stat = {
        "Metric": {
            "Namespace": alarm.namespace,
            "MetricName": alarm.metric_name,
            "Dimensions": [{"Name": item.name, "Value": item.value} for item in alarm.dimensions],
        },
        "Period": alarm.period,
        "Stat": alarm.statistic,
    }
    if alarm.unit:
        stat["Unit"] = alarm.unit
    (result,) = cloudwatch_backends[ACCOUNT_ID][region].get_metric_data(
        [{"Id": "a", "MetricStat": stat}], _plain(start), _plain(end)
    )
    return {
        time.replace(tzinfo=UTC): float(value)
        for time, value in zip(result["timestamps"], result["values"], strict=True)
    }


def _plain(moment: datetime) -> datetime:
    """As moto keeps its times: UTC, unsaid."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _change(alarm: Any, after: State, now: datetime, recent: list[tuple[datetime, float | None]]) -> None:
    seen = [(time, value) for time, value in recent if value is not None][: int(alarm.evaluation_periods)]
    crossed = "no datapoints were received" if not seen else f"of datapoints {[value for _, value in seen]}"
    data = {
        "version": "1.0",
        "queryDate": _cloudwatch_time(now),
        "startDate": _cloudwatch_time(recent[-1][0]),
        "statistic": alarm.statistic,
        "period": int(alarm.period),
        "recentDatapoints": [value for _, value in reversed(seen)],
        "threshold": float(alarm.threshold),
    }
    alarm.update_state(f"Threshold {alarm.threshold}: {crossed}", json.dumps(data), after)
    alarm.state_updated_timestamp = _plain(now)


def state_change(alarm: Any, before: State, now: datetime, *, region: str) -> dict[str, Any]:
    """The event "CloudWatch Alarm State Change" of an alarm that has changed."""
    metric = {
        "namespace": alarm.namespace,
        "name": alarm.metric_name,
        "dimensions": {item.name: item.value for item in alarm.dimensions},
    }
    return eventbridge.event(
        source="aws.cloudwatch",
        detail_type="CloudWatch Alarm State Change",
        resources=[alarm.alarm_arn],
        time=now,
        region=region,
        detail={
            "alarmName": alarm.name,
            "state": {
                "value": alarm.state_value,
                "reason": alarm.state_reason,
                "reasonData": alarm.state_reason_data,
                "timestamp": _cloudwatch_time(now),
            },
            "previousState": {"value": before},
            "configuration": {
                "description": alarm.description,
                "metrics": [
                    {
                        "id": "m1",
                        "metricStat": {"metric": metric, "period": int(alarm.period), "stat": alarm.statistic},
                        "returnData": True,
                    }
                ],
            },
        },
    )


def _act(alarm: Any, before: State, now: datetime, region: str) -> None:
    """Tell the topics among the alarm's actions, in CloudWatch's own words."""
    actions = {
        "ALARM": alarm.alarm_actions,
        "OK": alarm.ok_actions,
        "INSUFFICIENT_DATA": alarm.insufficient_data_actions,
    }
    message = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": ACCOUNT_ID,
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": _cloudwatch_time(now),
        "Region": region,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before,
    }
    for topic in actions[alarm.state_value] if alarm.actions_enabled else []:
        sns_backends[ACCOUNT_ID][region].publish(
            message=json.dumps(message), arn=topic, subject=f'{alarm.state_value}: "{alarm.name}" in {region}'
        )


def _cloudwatch_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000+0000"
