"""Self-monitoring alarms. CloudWatch publishes them itself, without any part that they watch.

Each row is a sign that a broken stream could go unnoticed. `docs/self-monitoring.md` lists which failure shows which
sign.
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
"""A metric of the functions; published by `lambda_src/measures.py`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfMonitoringAlarm:
    """One sign of a failure: any value of `metric` above 0 in a period or, with `expected`, none in three periods.

    `minutes` is the period. `missing` is how the alarm treats missing data; failures have data only when there are some
    ("notBreaching"). `less` is a metric of our functions that counts what is not a failure, and is subtracted.
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
        """Periods that must show the sign. The alarm evaluates more, as datapoints may be late."""
        return 3 if self.expected else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfMonitored:
    """Deployed names of what is watched; functions, rules and topics by part.

    `undelivered_queue_name` is None for an existing topic, whose subscriptions are not ours.
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
    """The alarms of an environment, as rows."""
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
                # A person's wrong input fails an execution, but is not a failure. CloudWatch does not count executions
                # by error, so the function counts these; if its count is lost, the alarm is raised needlessly.
                ("executions-failed", "ExecutionsFailed", "failed", INPUTS_REFUSED),
                ("executions-timed-out", "ExecutionsTimedOut", "timed out", None),
                ("executions-throttled", "ExecutionThrottled", "were throttled", None),
            )
        ),
        # The heartbeat. Executions of the state machine are no heartbeat: events start them, too, so that many events
        # would hide that scheduled checks have stopped. This metric counts what the schedules start.
        SelfMonitoringAlarm(
            key="no-scheduled-checks",
            namespace="AWS/Scheduler",
            metric="InvocationAttemptCount",
            dimensions={"ScheduleGroup": self_monitored.schedule_group},
            meaning="No scheduled check was counted for three check intervals and the minutes that metrics are late.",
            expected=True,
            minutes=self_monitored.check_every_minutes,
            # Without data the alarm goes to INSUFFICIENT_DATA, which notifies as well; "breaching" would raise it in
            # every new environment, before its first check.
            missing="missing",
        ),
        # Attempts count even if none succeeds, and the queue's metrics may be late for dead letters of the schedules;
        # this metric counts at once.
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
                f"Dead letters in {self_monitored.queue_name}: events or checks that failed. "
                "make replay runs them again."
            ),
            statistic="Maximum",
            # SQS pauses the metrics of a queue that is idle for six hours, and takes up to fifteen minutes to resume:
            # this alarm may be late, but the failures that fill the queue have alarms of their own. Without data it
            # keeps its state, so that it lasts while dead letters wait.
            missing="ignore",
        ),
        SelfMonitoringAlarm(
            key="second-path-failed",
            namespace="AWS/States",
            metric="ExecutionsFailed",
            dimensions={"StateMachineArn": self_monitored.second_path_arn},
            meaning="The second path of the self-monitoring alarms failed: the alerts topic refused a message.",
        ),
        *(
            row
            for part, name in self_monitored.topic_names.items()
            for row in _delivery_rows(self_monitored, part, name)
        ),
    )


def _delivery_rows(self_monitored: SelfMonitored, part: str, name: str) -> tuple[SelfMonitoringAlarm, ...]:
    """Rows for messages that do not reach the subscribers of a topic.

    NumberOfNotificationsFailed counts each failed attempt on an https endpoint, even if a retry succeeds. With a
    dead-letter queue, SNS counts messages that failed after all retries, and those that it could not put into the
    queue.
    """
    queue = self_monitored.undelivered_queue_name
    signs = (
        (
            (
                f"deliveries-of-{part}-failed",
                "NumberOfNotificationsRedrivenToDlq",
                f"Messages to {name} were not delivered after all retries; they are in {queue}.",
            ),
            (
                f"deliveries-of-{part}-lost",
                "NumberOfNotificationsFailedToRedriveToDlq",
                f"Messages to {name} were not delivered, and could not be kept in {queue}.",
            ),
        )
        if queue
        else (
            (
                f"deliveries-of-{part}-failed",
                "NumberOfNotificationsFailed",
                f"An attempt to deliver a message to {name} failed; a retry to an https endpoint may have succeeded.",
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
    """The alarms of `self_monitoring_rows`, published by CloudWatch itself."""

    def __init__(
        self, scope: Construct, id_: str, *, site: Site, rows: tuple[SelfMonitoringAlarm, ...], topic_arn: str
    ) -> None:
        super().__init__(scope, id_)
        for row in rows:
            CloudwatchMetricAlarm(
                self,
                row.key,
                alarm_name=site.names.self_monitoring_alarm(row.key),
                alarm_description=f"{row.meaning} A broken stream may go unnoticed: check the streams yourself.",
                **_metric_of(row, environment=site.names.environment),
                # Metrics of these services may be as late as MediaConnect's.
                evaluation_periods=row.periods + -(-LATENESS_SECONDS // (row.minutes * 60)),
                datapoints_to_alarm=row.periods,
                comparison_operator="LessThanThreshold" if row.expected else "GreaterThanThreshold",
                threshold=1 if row.expected else 0,
                treat_missing_data=row.missing,
                # No OK action: a new alarm would notify on its first evaluation.
                alarm_actions=[topic_arn],
                insufficient_data_actions=[topic_arn] if row.expected else None,
            )


def _metric_of(row: SelfMonitoringAlarm, *, environment: str) -> dict[str, Any]:
    """The metric of a row as arguments of an alarm; metric math if something is subtracted."""
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
