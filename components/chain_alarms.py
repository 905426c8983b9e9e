"""Alarms on the watching itself. They go to the topic directly, so that no broken part of the chain is needed.

Each row says which sign of trouble means that a broken stream could go unnoticed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from constructs import Construct

from components.aws import CloudwatchMetricAlarm
from components.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainAlarm:
    """One sign that the chain is broken: more than nothing of `metric` in five minutes, or with `expected` nothing.

    `minutes` is the period, of which an expected metric may miss three before it is missed.
    """

    key: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    meaning: str
    statistic: str = "Sum"
    expected: bool = False
    minutes: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What watches, by deployed name: functions, rules and topics by part, state machine by ARN, queue, schedules."""

    functions: Mapping[str, str]
    state_machine_arn: str
    rule_names: Mapping[str, str]
    queue_name: str
    topic_names: Mapping[str, str]
    schedule_group: str
    check_every_minutes: int


def chain_alarm_rows(chain: Chain) -> tuple[ChainAlarm, ...]:
    """The rows of an environment."""
    return (
        *(
            ChainAlarm(
                key=f"{part}-{metric.lower()}",
                namespace="AWS/Lambda",
                metric=metric,
                dimensions={"FunctionName": name},
                meaning=f"The function {name} has {metric.lower()}.",
            )
            for part, name in chain.functions.items()
            for metric in ("Errors", "Throttles")
        ),
        *(
            ChainAlarm(
                key=key,
                namespace="AWS/States",
                metric=metric,
                dimensions={"StateMachineArn": chain.state_machine_arn},
                meaning=f"The workflow has {key.replace('-', ' ')}.",
            )
            for key, metric in (
                ("executions-failed", "ExecutionsFailed"),
                ("executions-timed-out", "ExecutionsTimedOut"),
                ("executions-throttled", "ExecutionThrottled"),
            )
        ),
        # The heartbeat. Executions of the state machine will not do: events start them as well, so a storm of events
        # would hide that nobody looks by schedule any more. This counts what the schedules alone start.
        ChainAlarm(
            key="no-scheduled-checks",
            namespace="AWS/Scheduler",
            metric="InvocationAttemptCount",
            dimensions={"ScheduleGroup": chain.schedule_group},
            meaning="No flow was looked at by schedule for three times as long as should be between two looks.",
            expected=True,
            minutes=chain.check_every_minutes,
        ),
        *(
            ChainAlarm(
                key=f"rule-{part}-failed",
                namespace="AWS/Events",
                metric="FailedInvocations",
                dimensions={"RuleName": name},
                meaning=f"The rule {name} could not start the workflow.",
            )
            for part, name in chain.rule_names.items()
        ),
        ChainAlarm(
            key="dead-letters",
            namespace="AWS/SQS",
            metric="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": chain.queue_name},
            meaning=f"Events wait in {chain.queue_name} that were not handled; make replay hands them over again.",
            statistic="Maximum",
        ),
        *(
            ChainAlarm(
                key=f"deliveries-of-{part}-failed",
                namespace="AWS/SNS",
                metric="NumberOfNotificationsFailed",
                dimensions={"TopicName": name},
                meaning=f"Messages to {name} were sent but could not be delivered to a subscriber.",
            )
            for part, name in chain.topic_names.items()
        ),
    )


class ChainAlarms(Construct):
    """The alarms of `chain_alarm_rows`, each telling people directly."""

    def __init__(self, scope: Construct, id_: str, *, site: Site, rows: tuple[ChainAlarm, ...], topic_arn: str) -> None:
        super().__init__(scope, id_)
        for row in rows:
            CloudwatchMetricAlarm(
                self,
                row.key,
                alarm_name=site.names.chain_alarm(row.key),
                alarm_description=f"{row.meaning} A broken stream may go unnoticed: look at the streams yourself.",
                namespace=row.namespace,
                metric_name=row.metric,
                dimensions=dict(row.dimensions),
                statistic=row.statistic,
                period=row.minutes * 60,
                evaluation_periods=3 if row.expected else 1,
                datapoints_to_alarm=3 if row.expected else 1,
                comparison_operator="LessThanThreshold" if row.expected else "GreaterThanThreshold",
                threshold=1 if row.expected else 0,
                # Failures are reported only when there are some. What is expected and not reported at all leaves the
                # alarm without data, which is told like an alarm; "breaching" would raise it whenever an environment
                # is new, before its first look.
                treat_missing_data="missing" if row.expected else "notBreaching",
                # No message when it is OK: a new alarm would send one on its first evaluation.
                alarm_actions=[topic_arn],
                insufficient_data_actions=[topic_arn] if row.expected else None,
            )
