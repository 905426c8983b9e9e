"""Self-monitoring alarms. CloudWatch publishes them itself, so no part of what they watch is needed.

Each row says which sign means that a broken stream could go unnoticed. Which failure has which sign is in
`docs/self-monitoring.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from constructs import Construct

from components.aws import (
    CloudwatchMetricAlarm,
    CloudwatchMetricAlarmMetricQuery,
    CloudwatchMetricAlarmMetricQueryMetric,
)
from components.health_rules import LATENESS_SECONDS
from components.site import Site

OUR_NAMESPACE: Final = "MediaWorkflow"
OUR_DIMENSION: Final = "Environment"
INPUTS_REFUSED: Final = "InputsRefused"
"""What the functions count of themselves; the other side of `lambda_src/measures.py`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfMonitoringAlarm:
    """One sign of a failure: more than nothing of `metric` in five minutes, or with `expected` nothing.

    `minutes` is the period, of which an expected metric may miss three before it is missed. `missing` is what no data
    means: failures are counted only when there are some ("notBreaching"). `less` is a metric of our own functions whose
    count is no failure, and is taken off.
    """

    key: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    meaning: str
    statistic: str = "Sum"
    expected: bool = False
    minutes: int = 5
    missing: str = "notBreaching"
    less: str | None = None

    @property
    def periods(self) -> int:
        """Periods in which the sign must be seen; that an alarm evaluates more lets datapoints be late."""
        return 3 if self.expected else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfMonitored:
    """What is watched, by deployed name: functions, rules and topics by part, state machines by ARN, queues, schedules.

    `undelivered_queue_name` is None for a topic that is not ours: then its subscriptions are not either.
    """

    functions: Mapping[str, str]
    state_machine_arn: str
    rule_names: Mapping[str, str]
    queue_name: str
    topic_names: Mapping[str, str]
    undelivered_queue_name: str | None
    second_path_arn: str
    schedule_group: str
    check_every_minutes: int


def self_monitoring_rows(self_monitored: SelfMonitored) -> tuple[SelfMonitoringAlarm, ...]:
    """The rows of an environment."""
    return (
        *(
            SelfMonitoringAlarm(
                key=f"{part}-{metric.lower()}",
                namespace="AWS/Lambda",
                metric=metric,
                dimensions={"FunctionName": name},
                meaning=f"The function {name} has {metric.lower()}.",
            )
            for part, name in self_monitored.functions.items()
            for metric in ("Errors", "Throttles")
        ),
        *(
            SelfMonitoringAlarm(
                key=key,
                namespace="AWS/States",
                metric=metric,
                dimensions={"StateMachineArn": self_monitored.state_machine_arn},
                meaning=f"Executions of the workflow {what}.",
                less=less,
            )
            for key, metric, what, less in (
                # A person's wrong input fails, and concerns nobody else. CloudWatch counts no executions by their
                # error. Where the function's count is lost, this alarm is raised without need rather than too rarely.
                ("executions-failed", "ExecutionsFailed", "failed", INPUTS_REFUSED),
                ("executions-timed-out", "ExecutionsTimedOut", "timed out", None),
                ("executions-throttled", "ExecutionThrottled", "were throttled", None),
            )
        ),
        # The heartbeat. Executions of the state machine will not do: events start them as well, so a storm of events
        # would hide that nobody looks by schedule any more. This counts what the schedules alone start.
        SelfMonitoringAlarm(
            key="no-scheduled-checks",
            namespace="AWS/Scheduler",
            metric="InvocationAttemptCount",
            dimensions={"ScheduleGroup": self_monitored.schedule_group},
            meaning="No scheduled check was counted for three check intervals and the minutes that metrics are late.",
            expected=True,
            minutes=self_monitored.check_every_minutes,
            # What is expected and not counted at all leaves the alarm without data, which notifies like an alarm;
            # "breaching" would raise it whenever an environment is new, before its first check.
            missing="missing",
        ),
        # The attempts above are counted though none succeeds, and the dead letters of the schedules wake the queue's
        # metrics late; this is counted at once.
        SelfMonitoringAlarm(
            key="scheduled-checks-failed",
            namespace="AWS/Scheduler",
            metric="InvocationDroppedCount",
            dimensions={"ScheduleGroup": self_monitored.schedule_group},
            meaning="Schedules could not start the workflow after all retries.",
        ),
        *(
            SelfMonitoringAlarm(
                key=f"rule-{part}-failed",
                namespace="AWS/Events",
                metric="FailedInvocations",
                dimensions={"RuleName": name},
                meaning=f"The rule {name} could not start the workflow.",
            )
            for part, name in self_monitored.rule_names.items()
        ),
        SelfMonitoringAlarm(
            key="dead-letters",
            namespace="AWS/SQS",
            metric="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": self_monitored.queue_name},
            meaning=(
                f"Events wait in {self_monitored.queue_name} that were not handled; make replay hands them over again."
            ),
            statistic="Maximum",
            # The metrics of a queue that was idle for six hours sleep, and need up to fifteen minutes to wake: this
            # alarm may come late, and the failures that fill the queue have alarms of their own, which do not sleep.
            # Without data it keeps its state, so that dead letters that nobody touches do not end it.
            missing="ignore",
        ),
        SelfMonitoringAlarm(
            key="second-path-failed",
            namespace="AWS/States",
            metric="ExecutionsFailed",
            dimensions={"StateMachineArn": self_monitored.second_path_arn},
            meaning="The second path of the self-monitoring alarms failed: the alerts topic did not accept a message.",
        ),
        *(
            row
            for part, name in self_monitored.topic_names.items()
            for row in _delivery_rows(self_monitored, part, name)
        ),
    )


def _delivery_rows(self_monitored: SelfMonitored, part: str, name: str) -> tuple[SelfMonitoringAlarm, ...]:
    """Whether messages to a topic reach its subscribers.

    NumberOfNotificationsFailed counts each failed attempt on an https endpoint, also those that a retry delivers later.
    With a queue behind our own subscriptions, SNS counts what it gave up on, and what it could not keep either.
    """
    queue = self_monitored.undelivered_queue_name
    signs = (
        (
            (
                f"deliveries-of-{part}-failed",
                "NumberOfNotificationsRedrivenToDlq",
                f"Messages to {name} could not be delivered to a subscriber after all retries; they are in {queue}.",
            ),
            (
                f"deliveries-of-{part}-lost",
                "NumberOfNotificationsFailedToRedriveToDlq",
                f"Messages to {name} could not be delivered to a subscriber, nor kept in {queue}.",
            ),
        )
        if queue
        else (
            (
                f"deliveries-of-{part}-failed",
                "NumberOfNotificationsFailed",
                f"An attempt to deliver a message to {name} failed; an https endpoint may have got it by a retry.",
            ),
        )
    )
    return tuple(
        SelfMonitoringAlarm(
            key=key, namespace="AWS/SNS", metric=metric, dimensions={"TopicName": name}, meaning=meaning
        )
        for key, metric, meaning in signs
    )


class SelfMonitoringAlarms(Construct):
    """The alarms of `chain_alarm_rows`, published by CloudWatch itself."""

    def __init__(
        self, scope: Construct, id_: str, *, site: Site, rows: tuple[SelfMonitoringAlarm, ...], topic_arn: str
    ) -> None:
        super().__init__(scope, id_)
        for row in rows:
            CloudwatchMetricAlarm(
                self,
                row.key,
                alarm_name=site.names.self_monitoring_alarm(row.key),
                alarm_description=f"{row.meaning} A broken stream may go unnoticed: look at the streams yourself.",
                **_watched(row, environment=site.names.environment),
                # The services' own metrics may be as late as MediaConnect's.
                evaluation_periods=row.periods + -(-LATENESS_SECONDS // (row.minutes * 60)),
                datapoints_to_alarm=row.periods,
                comparison_operator="LessThanThreshold" if row.expected else "GreaterThanThreshold",
                threshold=1 if row.expected else 0,
                treat_missing_data=row.missing,
                # No message when it is OK: a new alarm would send one on its first evaluation.
                alarm_actions=[topic_arn],
                insufficient_data_actions=[topic_arn] if row.expected else None,
            )


def _watched(row: SelfMonitoringAlarm, *, environment: str) -> dict[str, Any]:
    """The metric of a row as an alarm's arguments; metric math where something is taken off."""
    period, dimensions = row.minutes * 60, dict(row.dimensions)
    if row.less is None:
        return {
            "namespace": row.namespace,
            "metric_name": row.metric,
            "dimensions": dimensions,
            "statistic": row.statistic,
            "period": period,
        }
    query, metric = CloudwatchMetricAlarmMetricQuery, CloudwatchMetricAlarmMetricQueryMetric
    counted = metric(
        namespace=row.namespace, metric_name=row.metric, dimensions=dimensions, stat=row.statistic, period=period
    )
    less = metric(
        namespace=OUR_NAMESPACE,
        metric_name=row.less,
        dimensions={OUR_DIMENSION: environment},
        stat=row.statistic,
        period=period,
    )
    return {
        "metric_query": [
            query(id="failures", expression="counted - FILL(less, 0)", label=row.key, return_data=True),
            query(id="counted", metric=counted),
            query(id="less", metric=less),
        ]
    }
