"""Puts the metrics that services have of themselves, as far as self-monitoring alarms and dashboards use them.

See each service's page of CloudWatch metrics: AWS/Lambda, AWS/States, AWS/Events, AWS/SQS and AWS/SNS. Like there,
most metrics have no datapoint where nothing happened. AWS/Scheduler is counted where schedules are invoked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from tools.local_aws.backends import ACCOUNT_ID, attached, put_datapoint, queues
from tools.local_aws.deliveries import Published
from tools.local_aws.eventbridge import Delivery
from tools.local_aws.executions import Execution
from tools.local_aws.gaps.lambda_invocation import Invocation

SLEEPS_AFTER: Final = timedelta(hours=6)
"""How long a queue without messages and without calls still has metrics."""
WAKES_AFTER: Final = timedelta(minutes=15)
"""The longest that an idle queue takes to have metrics again; see "Available CloudWatch metrics for Amazon SQS"."""
THROTTLED = "Lambda.TooManyRequestsException"
ENDED = {"SUCCEEDED": "ExecutionsSucceeded", "FAILED": "ExecutionsFailed", "TIMED_OUT": "ExecutionsTimedOut"}


@dataclass(slots=True)
class _Activity:
    """When a queue last held messages, and from when on it has metrics again."""

    last: datetime | None = None
    awake: datetime | None = None


def count_execution(execution: Execution, invocations: Iterable[Invocation], at: datetime) -> None:
    """Count an execution that ended, and the functions that it invoked, also those that a fault ended."""
    _, _, _, region, _, _, machine, *_ = execution.arn.split(":")  # an EXPRESS execution has one part more
    arn = f"arn:aws:states:{region}:{ACCOUNT_ID}:stateMachine:{machine}"
    for metric in ("ExecutionsStarted", ENDED.get(execution.status, "ExecutionsAborted")):
        put_datapoint(region, ("AWS/States", metric), ("StateMachineArn", arn), 1, at=at)
    ran = list(invocations)
    for run in ran:
        _count_run(region, run.function_name, at, errors=run.failed, milliseconds=run.seconds * 1000)
    counted = {run.function_name for run in ran if run.failed}
    for failure in execution.failures:
        if failure.function and failure.error == THROTTLED:
            put_datapoint(region, ("AWS/Lambda", "Throttles"), ("FunctionName", failure.function), 1, at=at)
        elif failure.function and failure.function not in counted:
            _count_run(region, failure.function, at, errors=True)


def _count_run(region: str, name: str, at: datetime, *, errors: bool, milliseconds: float | None = None) -> None:
    values = {"Invocations": 1.0, "Errors": float(errors), "Throttles": 0.0}
    if milliseconds is not None:
        values["Duration"] = milliseconds
    for metric, value in values.items():
        put_datapoint(region, ("AWS/Lambda", metric), ("FunctionName", name), value, at=at)


def count_deliveries(deliveries: Iterable[Delivery], at: datetime, *, region: str) -> None:
    """Count the invocations of rules, and those that failed."""
    for delivery in deliveries:
        for metric in ("Invocations", *(["FailedInvocations"] if delivery.error else [])):
            put_datapoint(region, ("AWS/Events", metric), ("RuleName", delivery.rule), 1, at=at)


def count_message(message: Published, at: datetime) -> None:
    """Count a published message and its deliveries."""
    *_, region, _, topic = message.topic_arn.split(":")
    put_datapoint(region, ("AWS/SNS", "NumberOfMessagesPublished"), ("TopicName", topic), 1, at=at)
    counted = {
        "NumberOfNotificationsDelivered": len(message.recipients),
        "NumberOfNotificationsFailed": message.failed_attempts,  # each attempt on a URL, also before one that succeeds
        "NumberOfNotificationsRedrivenToDlq": len(message.redriven),
        "NumberOfNotificationsFailedToRedriveToDlq": len(message.refused_by_queue),
    }
    for metric, count in counted.items():
        if count:
            put_datapoint(region, ("AWS/SNS", metric), ("TopicName", topic), count, at=at)


def count_waiting(region: str, at: datetime, *, prefix: str) -> None:
    """Count the messages in each queue that has metrics.

    A queue that was never counted has none: a rehearsal starts long after its deployment. They return as late as AWS
    allows.
    """
    for queue in queues(region, prefix=prefix):
        waiting = queue.approximate_number_of_messages
        activity = attached(queue, "metrics", _Activity)
        if waiting and (activity.last is None or at - activity.last > SLEEPS_AFTER):
            activity.awake = at + WAKES_AFTER
        if waiting:
            activity.last = at
        asleep = activity.awake is None or activity.last is None or at - activity.last > SLEEPS_AFTER
        if not asleep and at >= activity.awake:
            visible = ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
            put_datapoint(region, visible, ("QueueName", queue.name), waiting, at=at)


def forget_activity(queue: Any) -> None:
    """Let a queue be one that has long been idle."""
    activity = attached(queue, "metrics", _Activity)
    activity.last = activity.awake = None
