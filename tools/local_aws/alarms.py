"""Evaluates metric alarms at a given moment, and does what follows from a change: the new state, actions, an event.

How a state follows from datapoints is in `alarm_evaluation`, what the event and the message say in `alarm_messages`.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.exceptions import ServiceException
from moto.sns.models import sns_backends

from tools.local_aws import eventbridge, faults
from tools.local_aws.alarm_evaluation import BEYOND, BREACHES, MINUTE, State, needed, next_state, period_starts, reason
from tools.local_aws.alarm_messages import AlarmState, cloudwatch_time, notification, state_change, state_of, subject
from tools.local_aws.alarm_queries import datapoints, period
from tools.local_aws.backends import ACCOUNT_ID, naive
from tools.local_aws.eventbridge import Delivery
from tools.local_aws.gaps import cloudwatch_alarm_history
from tools.local_aws.gaps.cloudwatch_metrics import as_of
from tools.local_aws.resource_policies import acting

__all__ = ["BEYOND", "Transition", "changes", "evaluate_alarms"]

ACTIONS: Final = {
    "ALARM": "alarm_actions",
    "OK": "ok_actions",
    "INSUFFICIENT_DATA": "insufficient_data_actions",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """An alarm that changed its state, and the deliveries of the event of it."""

    alarm_name: str
    before: State
    after: State
    deliveries: tuple[Delivery, ...]


def evaluate_alarms(
    now: datetime, *, region: str, within_minute: bool = False, beyond: int = BEYOND
) -> list[Transition]:
    """Evaluate every metric alarm at `now`, by name; returns those that changed.

    CloudWatch does this once a minute, so call it for each minute; and every ten seconds for alarms whose period is
    shorter than a minute: `within_minute` evaluates only those. Datapoints that have not arrived by `now` are missing.
    `beyond` is the number of periods of the evaluation range beyond the evaluation periods.

    Raises:
        NotImplementedError: an alarm is of a kind that is not evaluated here, or has an action that is not a topic.
    """
    return list(changes(now, region=region, within_minute=within_minute, beyond=beyond))


def changes(
    now: datetime, *, region: str, prefix: str = "", within_minute: bool = False, beyond: int = BEYOND
) -> Iterator[Transition]:
    """Evaluate the metric alarms whose names begin with `prefix` one by one, as `evaluate_alarms` does.

    Each is evaluated when the iterator reaches it, so that the caller can wait for the effects of a change first.
    """
    alarms = cloudwatch_backends[ACCOUNT_ID][region].alarms
    for name in sorted(name for name in alarms if name.startswith(prefix)):
        due = not within_minute or int(alarms[name].period or MINUTE) < MINUTE
        transition = _evaluate(alarms[name], now, region, beyond) if due else None
        if transition:
            yield transition


def _evaluate(alarm: Any, now: datetime, region: str, beyond: int) -> Transition | None:
    if alarm.rule or not (alarm.metric_data_queries or alarm.statistic) or alarm.comparison_operator not in BREACHES:
        raise NotImplementedError(
            f"the local CloudWatch cannot evaluate the alarm {alarm.name}: use a metric or metric math, one of the"
            f" statistics of an alarm, and one of {', '.join(BREACHES)}"
        )
    starts = period_starts(now, period=period(alarm), count=int(alarm.evaluation_periods) + beyond)
    with as_of(now):
        values = datapoints(alarm, starts, region)
    recent = [values.get(start) for start in starts]
    threshold = float(alarm.threshold)
    before = state_of(alarm)
    after = next_state(
        recent,
        breaching=lambda value: BREACHES[alarm.comparison_operator](value, threshold),
        needed=needed(alarm),
        wanted=int(alarm.evaluation_periods),
        missing=alarm.treat_missing_data or "missing",
        before=before.value,
    )
    if after == before.value:
        return None
    present = [(start, value) for start, value in zip(starts, recent, strict=True) if value is not None]
    _set_state(alarm, after, now, present[: int(alarm.evaluation_periods)])
    _act(alarm, before, region)
    deliveries = eventbridge.deliver(state_change(alarm, state_of(alarm), before, region=region), region=region)
    return Transition(alarm_name=alarm.name, before=before.value, after=after, deliveries=tuple(deliveries))


def _set_state(alarm: Any, after: State, now: datetime, present: Sequence[tuple[datetime, float]]) -> None:
    """Set the state of an alarm with its reason. Datapoints are newest first."""
    data = {
        "version": "1.0",
        "queryDate": cloudwatch_time(now),
        **({"startDate": cloudwatch_time(present[-1][0])} if present else {}),
        **({"statistic": alarm.statistic} if alarm.statistic else {}),
        "period": period(alarm),
        "recentDatapoints": [value for _, value in reversed(present)],
        "threshold": float(alarm.threshold),
    }
    alarm.update_state(reason(alarm, after, present), json.dumps(data), after)
    alarm.state_updated_timestamp = naive(now)


def _act(alarm: Any, before: AlarmState, region: str) -> None:
    """Publish to the topics among the actions of the alarm's new state."""
    for action in getattr(alarm, ACTIONS[alarm.state_value]) if alarm.actions_enabled else []:
        if str(action).split(":")[2] != "sns":
            raise NotImplementedError(
                f"the local CloudWatch cannot run the action {action} of the alarm {alarm.name}: use a topic"
            )
        error = _publish(alarm, action, before, region)
        cloudwatch_alarm_history.note(alarm, action, error=error)


def _publish(alarm: Any, topic_arn: str, before: AlarmState, region: str) -> str | None:
    """Publish the message of an alarm; the error if SNS refused it."""
    if fault := faults.next_error("sns"):
        return f"The local sns is made to answer {fault}."
    _, _, _, topic_region, account_id, _ = topic_arn.split(":")
    headline = subject(alarm.state_value, alarm.name, region=region)
    body = json.dumps(notification(alarm, state_of(alarm), before, region=region))
    try:
        with acting("cloudwatch.amazonaws.com", alarm.alarm_arn):
            sns_backends[account_id][topic_region].publish(
                message=json.dumps({"default": body, "sms": headline}),
                message_structure="json",
                arn=topic_arn,
                subject=headline,
            )
    except ServiceException as refused:
        return str(refused.message)
    return None
