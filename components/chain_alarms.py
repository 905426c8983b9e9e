"""Alarms on the watching itself. They go to the topic directly, so that no broken part of the chain is needed.

Each row says which sign of trouble means that a broken stream could go unnoticed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from constructs import Construct

from components.aws import CloudwatchMetricAlarm
from components.site import Site

PERIOD_SECONDS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainAlarm:
    """One sign that the chain is broken: more than nothing of `metric` in five minutes."""

    key: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    meaning: str
    statistic: str = "Sum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What watches, by deployed name: functions, rules and topics by part, state machine by ARN, queue."""

    functions: Mapping[str, str]
    state_machine_arn: str
    rule_names: Mapping[str, str]
    queue_name: str
    topic_names: Mapping[str, str]


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
            meaning=f"Events wait in {chain.queue_name} that never reached the workflow.",
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
                period=PERIOD_SECONDS,
                evaluation_periods=1,
                datapoints_to_alarm=1,
                comparison_operator="GreaterThanThreshold",
                threshold=0,
                # These services report failures only when there are some.
                treat_missing_data="notBreaching",
                # No message when it is OK: a new alarm would send one on its first evaluation.
                alarm_actions=[topic_arn],
            )
