"""What the event and the message of an alarm say, in CloudWatch's form. Changes nothing.

Which state an alarm is in, and who gets the message, is decided elsewhere.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from botocore.loaders import create_loader

from tools.local_aws import eventbridge
from tools.local_aws.alarm_evaluation import State, needed
from tools.local_aws.alarm_queries import period, queries, query_in_event
from tools.local_aws.backends import ACCOUNT_ID, naive

LONGEST_SUBJECT: Final = 100
"""Characters of an SNS subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmState:
    """The state of an alarm, its reason, and when it began. A new alarm has no data for its reason."""

    value: State
    reason: str
    reason_data: str | None
    timestamp: datetime


def state_of(alarm: Any) -> AlarmState:
    """The current state of an alarm."""
    return AlarmState(
        value=alarm.state_value,
        reason=alarm.state_reason,
        reason_data=None if alarm.state_reason_data in {None, "", "{}"} else alarm.state_reason_data,
        timestamp=alarm.state_updated_timestamp.replace(tzinfo=UTC),
    )


def state_change(alarm: Any, after: AlarmState, before: AlarmState, *, region: str) -> dict[str, Any]:
    """The event "CloudWatch Alarm State Change", of the time of the new state."""
    return eventbridge.event(
        source="aws.cloudwatch",
        detail_type="CloudWatch Alarm State Change",
        resources=[alarm.alarm_arn],
        time=after.timestamp,
        region=region,
        detail={
            "alarmName": alarm.name,
            "state": _state_in_event(after),
            "previousState": _state_in_event(before),
            "configuration": {
                "description": alarm.description,
                "metrics": [query_in_event(query) for query in queries(alarm)],
            },
        },
    )


def _state_in_event(state: AlarmState) -> dict[str, str]:
    data = {} if state.reason_data is None else {"reasonData": state.reason_data}
    return {
        "value": state.value,
        "reason": state.reason,
        **data,
        "timestamp": cloudwatch_time(state.timestamp),
    }


def subject(state: str, alarm_name: str, *, region: str) -> str:
    """The subject of an alarm's message, with the name cut to what SNS takes."""
    full = f'{state}: "{alarm_name}" in {_region_name(region)}'
    beyond = len(full) - LONGEST_SUBJECT
    return full if beyond <= 0 else subject(state, alarm_name[: -beyond - 3] + "...", region=region)


def notification(alarm: Any, after: AlarmState, before: AlarmState, *, region: str) -> dict[str, Any]:
    """The message that an alarm publishes to a topic."""
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": ACCOUNT_ID,
        "AlarmConfigurationUpdatedTimestamp": cloudwatch_time(alarm.configuration_updated_timestamp),
        "NewStateValue": after.value,
        "NewStateReason": after.reason,
        "StateChangeTime": cloudwatch_time(after.timestamp),
        "Region": _region_name(region),
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before.value,
        "OKActions": list(alarm.ok_actions),
        "AlarmActions": list(alarm.alarm_actions),
        "InsufficientDataActions": list(alarm.insufficient_data_actions),
        "Trigger": {
            **_metrics(alarm),
            "Period": period(alarm),
            "EvaluationPeriods": int(alarm.evaluation_periods),
            "DatapointsToAlarm": needed(alarm),
            "ComparisonOperator": alarm.comparison_operator,
            "Threshold": float(alarm.threshold),
            "TreatMissingData": alarm.treat_missing_data or "missing",
            "EvaluateLowSampleCountPercentile": "",
        },
    }


def _metrics(alarm: Any) -> dict[str, Any]:
    """The metric, or the queries of metric math, in an alarm's message."""
    if alarm.metric_data_queries:
        return {"Metrics": queries(alarm)}
    return {
        "MetricName": alarm.metric_name,
        "Namespace": alarm.namespace,
        "StatisticType": "Statistic",
        "Statistic": alarm.statistic.upper(),
        "Unit": alarm.unit,
        "Dimensions": [{"value": item.value, "name": item.name} for item in alarm.dimensions],
    }


def _region_name(region: str) -> str:
    """The display name of a Region, such as "US East (N. Virginia)"."""
    for partition in create_loader().load_data("partitions")["partitions"]:
        if region in partition["regions"]:
            return str(partition["regions"][region]["description"])
    return region


def cloudwatch_time(moment: datetime) -> str:
    """A time as CloudWatch writes it. A naive one is UTC."""
    utc = moment if moment.tzinfo is None else naive(moment)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}+0000"
