"""Counts what services count of themselves in CloudWatch, as far as alarms and dashboards of a chain look at it.

See each service's page of CloudWatch metrics: AWS/Lambda, AWS/States, AWS/Events, AWS/SQS and AWS/SNS. Like there,
what did not happen is mostly not counted at all. AWS/Scheduler is counted where schedules are fired.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from moto.cloudwatch.models import cloudwatch_backends
from moto.sqs.models import sqs_backends

from tools.local_aws.deliveries import Published
from tools.local_aws.eventbridge import ACCOUNT_ID, Delivery
from tools.local_aws.executions import Execution
from tools.local_aws.gaps.lambda_runs_the_zip import Invocation

SLEEPS_AFTER: Final = timedelta(hours=6)
"""For so long a queue without messages, and that nobody asks, still has metrics."""
WAKES_AFTER: Final = timedelta(minutes=15)
"""So long it can take until a queue that slept has metrics again; see "Available CloudWatch metrics for Amazon SQS"."""
THROTTLED = "Lambda.TooManyRequestsException"
ENDED = {"SUCCEEDED": "ExecutionsSucceeded", "FAILED": "ExecutionsFailed", "TIMED_OUT": "ExecutionsTimedOut"}


@dataclass(slots=True)
class _Activity:
    """When a queue last held messages, and when its metrics are awake again."""

    last: datetime | None = None
    awake: datetime | None = None


def count_execution(execution: Execution, invocations: Iterable[Invocation], at: datetime) -> None:
    """An execution that ended, and the functions that it invoked, those included that a fault ended."""
    _, _, _, region, _, _, machine, *_ = execution.arn.split(":")  # an EXPRESS execution's has one part more
    arn = f"arn:aws:states:{region}:{ACCOUNT_ID}:stateMachine:{machine}"
    for metric in ("ExecutionsStarted", ENDED.get(execution.status, "ExecutionsAborted")):
        _put(region, "AWS/States", metric, ("StateMachineArn", arn), 1, at)
    ran = list(invocations)
    for run in ran:
        _count_run(region, run.function_name, at, errors=run.failed, milliseconds=run.seconds * 1000)
    counted = {run.function_name for run in ran if run.failed}
    for failure in execution.failures:
        if failure.function and failure.error == THROTTLED:
            _put(region, "AWS/Lambda", "Throttles", ("FunctionName", failure.function), 1, at)
        elif failure.function and failure.function not in counted:
            _count_run(region, failure.function, at, errors=True)


def _count_run(region: str, name: str, at: datetime, *, errors: bool, milliseconds: float | None = None) -> None:
    values = {"Invocations": 1.0, "Errors": float(errors), "Throttles": 0.0}
    if milliseconds is not None:
        values["Duration"] = milliseconds
    for metric, value in values.items():
        _put(region, "AWS/Lambda", metric, ("FunctionName", name), value, at)


def count_deliveries(deliveries: Iterable[Delivery], at: datetime, *, region: str) -> None:
    """Events that rules handed over, or could not."""
    for delivery in deliveries:
        for metric in ("Invocations", *(["FailedInvocations"] if delivery.error else [])):
            _put(region, "AWS/Events", metric, ("RuleName", delivery.rule), 1, at)


def count_message(message: Published, at: datetime) -> None:
    """A message that was published, and each of its deliveries."""
    *_, region, _, topic = message.topic_arn.split(":")
    _put(region, "AWS/SNS", "NumberOfMessagesPublished", ("TopicName", topic), 1, at)
    counted = {
        "NumberOfNotificationsDelivered": len(message.recipients),
        "NumberOfNotificationsFailed": message.failed_attempts,  # each attempt on a URL, also before one that succeeds
        "NumberOfNotificationsRedrivenToDlq": len(message.redriven),
        "NumberOfNotificationsFailedToRedriveToDlq": len(message.unkept),
    }
    for metric, count in counted.items():
        if count:
            _put(region, "AWS/SNS", metric, ("TopicName", topic), count, at)


def count_waiting(region: str, at: datetime, *, prefix: str) -> None:
    """How many messages wait in each queue whose metrics are awake.

    A queue that was never counted has slept: a rehearsal begins long after its deployment. It wakes as late as it may.
    """
    for name, queue in sqs_backends[ACCOUNT_ID][region].queues.items():
        if not name.startswith(prefix):
            continue
        depth = float(len(queue._messages))
        activity = vars(queue).setdefault("metrics", _Activity())
        if depth and (activity.last is None or at - activity.last > SLEEPS_AFTER):
            activity.awake = at + WAKES_AFTER
        if depth:
            activity.last = at
        asleep = activity.awake is None or activity.last is None or at - activity.last > SLEEPS_AFTER
        if not asleep and at >= activity.awake:
            _put(region, "AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName", name), depth, at)


def forget_activity(queue: Any) -> None:
    """Let the metrics of a queue sleep."""
    vars(queue).pop("metrics", None)


def _put(  # noqa: PLR0917  in the order of a datapoint's own sentence
    region: str, namespace: str, metric: str, dimension: tuple[str, str], value: float, at: datetime
) -> None:
    name, of = dimension
    datum = {
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": of}],
        "Timestamp": at.replace(tzinfo=None),  # moto's times are UTC, unsaid
        "Value": value,
    }
    cloudwatch_backends[ACCOUNT_ID][region].put_metric_data(namespace, [datum])
