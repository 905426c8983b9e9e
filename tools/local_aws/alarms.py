"""Evaluates metric alarms at a given moment, and does what follows from a change: actions and an event.

An own implementation of what the CloudWatch User Guide says ("Alarm evaluation", "Configuring how CloudWatch alarms
treat missing data"), apart from the monitor's, so that the two can be held against each other.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import ge, gt, le, lt
from typing import Any, Final, Literal

from botocore.loaders import create_loader
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.exceptions import ServiceException
from moto.sns.models import sns_backends

from tools.local_aws import eventbridge, faults, metric_math
from tools.local_aws.eventbridge import ACCOUNT_ID, Delivery
from tools.local_aws.gaps import alarm_history
from tools.local_aws.gaps.cloudwatch_metrics import as_of
from tools.local_aws.resource_policies import acting

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]

BEYOND: Final = 2
"""Periods of the evaluation range beyond the evaluation periods. AWS gives no number; its examples show two."""

MINUTE: Final = 60
"""Seconds."""

LONGEST_SUBJECT: Final = 100
"""Characters of an SNS subject."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An alarm's state, since when, and why. A new alarm has no data for its reason."""

    value: State
    reason: str
    reason_data: str | None
    timestamp: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """An alarm that changed its state, and what the event of it reached."""

    alarm_name: str
    before: State
    after: State
    deliveries: tuple[Delivery, ...]


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
        before: the present state; "ignore" keeps it.
    """
    there = [breaching(value) for value in recent if value is not None][:wanted]
    gaps = wanted - len(there)
    if sum(there) >= needed:
        return "ALARM"
    if missing == "breaching":
        return "ALARM" if sum(there) + gaps >= needed else "OK"
    if not gaps or missing == "notBreaching" or not all(there):
        return "OK"
    # Only breaching datapoints, or none, and too few of them.
    if not there and missing == "missing":
        return "INSUFFICIENT_DATA"
    # Breaching datapoints alone raise the alarm once the oldest is so old that better ones should have followed it.
    # Until then AWS says only that it is not raised.
    age = 1 + max((back for back, value in enumerate(recent) if value is not None), default=0)
    return "ALARM" if missing == "missing" and age >= needed else before


def evaluate_alarms(
    now: datetime, *, region: str, within_minute: bool = False, beyond: int = BEYOND
) -> list[Transition]:
    """Evaluate every metric alarm at `now`, by name; returns those that changed.

    CloudWatch does this once a minute, so this is meant to be called for each minute; and every ten seconds for alarms
    whose period is shorter than a minute, so `within_minute` leaves all others as they are. Datapoints that have not
    arrived by `now` are missing. `beyond` is how many periods the evaluation range has beyond the evaluation periods.

    Raises:
        NotImplementedError: an alarm is of a kind that is not evaluated here, or does something else than to tell a
            topic.
    """
    return list(changes(now, region=region, within_minute=within_minute, beyond=beyond))


def changes(
    now: datetime, *, region: str, prefix: str = "", within_minute: bool = False, beyond: int = BEYOND
) -> Iterator[Transition]:
    """Evaluate the metric alarms whose names begin with `prefix` one by one, as `evaluate_alarms` does.

    Each is evaluated when it is asked for, so that the caller may wait for what comes of a change before the next one.
    """
    alarms = cloudwatch_backends[ACCOUNT_ID][region].alarms
    for name in sorted(name for name in alarms if name.startswith(prefix)):
        due = not within_minute or int(alarms[name].period or MINUTE) < MINUTE
        transition = _evaluate(alarms[name], now, region, beyond) if due else None
        if transition:
            yield transition


def _evaluate(alarm: Any, now: datetime, region: str, beyond: int) -> Transition | None:
    if alarm.rule or not (alarm.metric_data_queries or alarm.statistic) or alarm.comparison_operator not in BREACHES:
        raise NotImplementedError(f"the alarm {alarm.name} is of a kind that is not evaluated here")
    times = _period_starts(now, period=_period(alarm), count=int(alarm.evaluation_periods) + beyond)
    with as_of(now):
        values = _datapoints(alarm, times, region)
    recent = [values.get(time) for time in times]
    threshold = float(alarm.threshold)
    before = _standing(alarm)
    after = next_state(
        recent,
        breaching=lambda value: BREACHES[alarm.comparison_operator](value, threshold),
        needed=_needed(alarm),
        wanted=int(alarm.evaluation_periods),
        missing=alarm.treat_missing_data or "missing",
        before=before.value,
    )
    if after == before.value:
        return None
    seen = [(time, value) for time, value in zip(times, recent, strict=True) if value is not None]
    _change(alarm, after, now, seen[: int(alarm.evaluation_periods)])
    _act(alarm, before, region)
    told = eventbridge.deliver(state_change(alarm, _standing(alarm), before, region=region), region=region)
    return Transition(alarm_name=alarm.name, before=before.value, after=after, deliveries=tuple(told))


def _needed(alarm: Any) -> int:
    return int(alarm.datapoints_to_alarm or alarm.evaluation_periods)


def _period_starts(now: datetime, *, period: int, count: int) -> list[datetime]:
    """When the last `count` periods began, newest first; all have ended.

    Periods of a minute and more slide: five minutes looked at in minute 6 are the minutes 2 to 6. See "Alarm
    evaluation settings" in the CloudWatch User Guide.
    """
    seconds = int(now.timestamp())
    end = seconds - seconds % min(period, MINUTE)
    return [datetime.fromtimestamp(end - period * back, UTC) for back in range(1, count + 1)]


def _queries(alarm: Any) -> list[dict[str, Any]]:
    """What an alarm asks, as GetMetricData and the event of a change have it: one metric, or metrics and their math."""
    if not alarm.metric_data_queries:
        return [_metric_query("m1", alarm, alarm.period, alarm.statistic, alarm.unit)]
    return [
        _metric_query(query.id, stat.metric, stat.period, stat.stat, stat.unit, returned=_returned(query))
        if (stat := query.metric_stat)
        else {
            "Id": query.id,
            "Expression": query.expression,
            **({"Label": query.label} if query.label else {}),
            "ReturnData": _returned(query),
        }
        for query in alarm.metric_data_queries
    ]


def _returned(query: Any) -> bool:
    return query.return_data not in {False, "false"}


def _metric_query(
    id_: str, metric: Any, period: Any, stat: str, unit: str | None, *, returned: bool = True
) -> dict[str, Any]:
    return {
        "Id": id_,
        "MetricStat": {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.metric_name,
                "Dimensions": [{"Name": item.name, "Value": item.value} for item in metric.dimensions],
            },
            "Period": int(period),
            "Stat": stat,
            **({"Unit": unit} if unit else {}),
        },
        "ReturnData": returned,
    }


def _period(alarm: Any) -> int:
    return next(int(query["MetricStat"]["Period"]) for query in _queries(alarm) if "MetricStat" in query)


def _datapoints(alarm: Any, times: Sequence[datetime], region: str) -> dict[datetime, float]:
    queries = _queries(alarm)
    start, end = times[-1], times[0] + timedelta(seconds=_period(alarm))
    results = cloudwatch_backends[ACCOUNT_ID][region].get_metric_data(
        [{**query, "ReturnData": True} for query in queries if "MetricStat" in query], _plain(start), _plain(end)
    )
    series = {
        result["id"]: {
            time.replace(tzinfo=UTC): float(value)
            for time, value in zip(result["timestamps"], result["values"], strict=True)
        }
        for result in results
    }
    (asked,) = [query for query in queries if query["ReturnData"]]
    if "Expression" not in asked:
        return series[asked["Id"]]
    return dict(metric_math.evaluate(asked["Expression"], series, times))


def _plain(moment: datetime) -> datetime:
    """As moto keeps its times: UTC, unsaid."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _standing(alarm: Any) -> Standing:
    return Standing(
        value=alarm.state_value,
        reason=alarm.state_reason,
        reason_data=None if alarm.state_reason_data in {None, "", "{}"} else alarm.state_reason_data,
        timestamp=alarm.state_updated_timestamp.replace(tzinfo=UTC),
    )


def _change(alarm: Any, after: State, now: datetime, seen: Sequence[tuple[datetime, float]]) -> None:
    """Put an alarm into another state, for what was seen: its datapoints, newest first."""
    data = {
        "version": "1.0",
        "queryDate": _cloudwatch_time(now),
        **({"startDate": _cloudwatch_time(seen[-1][0])} if seen else {}),
        **({"statistic": alarm.statistic} if alarm.statistic else {}),
        "period": _period(alarm),
        "recentDatapoints": [value for _, value in reversed(seen)],
        "threshold": float(alarm.threshold),
    }
    alarm.update_state(_reason(alarm, after, seen), json.dumps(data), after)
    alarm.state_updated_timestamp = _plain(now)


def _reason(alarm: Any, after: State, seen: Sequence[tuple[datetime, float]]) -> str:
    """CloudWatch's own words for a change."""
    wanted, threshold = int(alarm.evaluation_periods), float(alarm.threshold)
    gaps = wanted - len(seen)
    if after == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {gaps} {_datapoints_were(gaps)} unknown."
    filled = f"{gaps} missing {_datapoints_were(gaps)} treated as" if gaps else ""
    treated = {"breaching": "[Breaching]", "notBreaching": "[NonBreaching]"}.get(alarm.treat_missing_data)
    if not seen:
        return f"Threshold Crossed: no datapoints were received for {wanted} periods and {filled} {treated}."
    raised = after == "ALARM"
    points = [
        f"{value} ({time:%d/%m/%y %H:%M:%S})"
        for time, value in seen
        if BREACHES[alarm.comparison_operator](value, threshold) is raised
    ]
    if not points:
        return f"Threshold Crossed: {filled} {treated}."
    relation = ("" if raised else "not ") + RELATIONS[alarm.comparison_operator]
    least = _needed(alarm) if raised else wanted - _needed(alarm) + 1
    return (
        f"Threshold Crossed: {len(points)} out of the last {len(seen)} datapoints [{', '.join(points)}]"
        f" {'was' if len(points) == 1 else 'were'} {relation} the threshold ({threshold})"
        f"{f' and {filled} {treated}' if gaps and treated else ''}"
        f" (minimum {least} datapoint{'' if least == 1 else 's'}"
        f" for {'OK -> ALARM' if raised else 'ALARM -> OK'} transition)."
    )


def _datapoints_were(count: int) -> str:
    return "datapoint was" if count == 1 else "datapoints were"


def state_change(alarm: Any, after: Standing, before: Standing, *, region: str) -> dict[str, Any]:
    """The event "CloudWatch Alarm State Change"; changes nothing.

    Args:
        alarm: what is watched, as moto keeps it.
        after: the new state; the event is of its time.
        before: the state until then.
        region: of the alarm.
    """
    return eventbridge.event(
        source="aws.cloudwatch",
        detail_type="CloudWatch Alarm State Change",
        resources=[alarm.alarm_arn],
        time=after.timestamp,
        region=region,
        detail={
            "alarmName": alarm.name,
            "state": _told(after),
            "previousState": _told(before),
            "configuration": {
                "description": alarm.description,
                "metrics": [_in_event(query) for query in _queries(alarm)],
            },
        },
    )


def _in_event(query: Mapping[str, Any]) -> dict[str, Any]:
    """A query as the event of a change spells it."""
    if "Expression" in query:
        return {f"{key[0].lower()}{key[1:]}": value for key, value in query.items()}
    stat = query["MetricStat"]
    return {
        "id": query["Id"],
        "metricStat": {
            "metric": {
                "namespace": stat["Metric"]["Namespace"],
                "name": stat["Metric"]["MetricName"],
                "dimensions": {item["Name"]: item["Value"] for item in stat["Metric"]["Dimensions"]},
            },
            "period": stat["Period"],
            "stat": stat["Stat"],
            **({"unit": stat["Unit"]} if "Unit" in stat else {}),
        },
        "returnData": query["ReturnData"],
    }


def _told(standing: Standing) -> dict[str, str]:
    data = {} if standing.reason_data is None else {"reasonData": standing.reason_data}
    return {
        "value": standing.value,
        "reason": standing.reason,
        **data,
        "timestamp": _cloudwatch_time(standing.timestamp),
    }


def _act(alarm: Any, before: Standing, region: str) -> None:
    """Tell the topics among the alarm's actions, in CloudWatch's own words."""
    actions = {
        "ALARM": alarm.alarm_actions,
        "OK": alarm.ok_actions,
        "INSUFFICIENT_DATA": alarm.insufficient_data_actions,
    }
    for action in actions[alarm.state_value] if alarm.actions_enabled else []:
        _, _, service, topic_region, account_id, _ = str(action).split(":", 5)
        if service != "sns":
            raise NotImplementedError(f"the alarm {alarm.name} has the action {action}; only topics are told here")
        if fault := faults.met("sns"):
            alarm_history.note(alarm, action, error=f"The local sns is made to answer {fault}.")
            continue
        headline = subject(alarm.state_value, alarm.name, region=region)
        body = json.dumps(notification(alarm, _standing(alarm), before, region=region))
        try:
            with acting("cloudwatch.amazonaws.com", alarm.alarm_arn):
                sns_backends[account_id][topic_region].publish(
                    message=json.dumps({"default": body, "sms": headline}),
                    message_structure="json",
                    arn=action,
                    subject=headline,
                )
        except ServiceException as refused:
            alarm_history.note(alarm, action, error=refused.message)
        else:
            alarm_history.note(alarm, action)


def subject(state: str, alarm_name: str, *, region: str) -> str:
    """The subject of an alarm's message, with the name cut where SNS would refuse the length."""
    told = f'{state}: "{alarm_name}" in {_region_name(region)}'
    beyond = len(told) - LONGEST_SUBJECT
    return told if beyond <= 0 else subject(state, alarm_name[: -beyond - 3] + "...", region=region)


def notification(alarm: Any, after: Standing, before: Standing, *, region: str) -> dict[str, Any]:
    """The message that an alarm gives to a topic; changes nothing."""
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": ACCOUNT_ID,
        "AlarmConfigurationUpdatedTimestamp": _cloudwatch_time(alarm.configuration_updated_timestamp),
        "NewStateValue": after.value,
        "NewStateReason": after.reason,
        "StateChangeTime": _cloudwatch_time(after.timestamp),
        "Region": _region_name(region),
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before.value,
        "OKActions": list(alarm.ok_actions),
        "AlarmActions": list(alarm.alarm_actions),
        "InsufficientDataActions": list(alarm.insufficient_data_actions),
        "Trigger": {
            **_watched(alarm),
            "Period": _period(alarm),
            "EvaluationPeriods": int(alarm.evaluation_periods),
            "DatapointsToAlarm": _needed(alarm),
            "ComparisonOperator": alarm.comparison_operator,
            "Threshold": float(alarm.threshold),
            "TreatMissingData": alarm.treat_missing_data or "missing",
            "EvaluateLowSampleCountPercentile": "",
        },
    }


def _watched(alarm: Any) -> dict[str, Any]:
    """The metric, or the queries of metric math, as an alarm's message spells them."""
    if alarm.metric_data_queries:
        return {"Metrics": _queries(alarm)}
    return {
        "MetricName": alarm.metric_name,
        "Namespace": alarm.namespace,
        "StatisticType": "Statistic",
        "Statistic": alarm.statistic.upper(),
        "Unit": alarm.unit,
        "Dimensions": [{"value": item.value, "name": item.name} for item in alarm.dimensions],
    }


def _region_name(region: str) -> str:
    """The name of a Region as AWS writes it to people, such as "US East (N. Virginia)"."""
    for partition in create_loader().load_data("partitions")["partitions"]:
        if region in partition["regions"]:
            return str(partition["regions"][region]["description"])
    return region


def _cloudwatch_time(moment: datetime) -> str:
    plain = moment if moment.tzinfo is None else _plain(moment)
    return f"{plain:%Y-%m-%dT%H:%M:%S}.{plain.microsecond // 1000:03}+0000"
