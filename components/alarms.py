"""One CloudWatch alarm for each health rule of a flow.

The alarms have no actions: EventBridge hands their changes to the workflow, which asks the flow before it wakes
anybody. What is alarmed on is decided in `components.health_rules`.
"""

from collections.abc import Sequence
from typing import Final

from constructs import Construct

from components.aws import CloudwatchMetricAlarm
from components.health_rules import HealthRule
from components.site import Site

DESCRIPTION_LIMIT: Final = 1024


class FlowAlarms(Construct):
    """The alarms of one flow, in the order of those of its rules that have one."""

    def __init__(
        self, scope: Construct, id_: str, *, site: Site, flow_name: str, flow_arn: str, rules: Sequence[HealthRule]
    ) -> None:
        super().__init__(scope, id_)
        self.arns: Final = [
            CloudwatchMetricAlarm(
                self,
                rule.key,
                alarm_name=site.names.alarm(flow_name, rule.key),
                alarm_description=f"{rule.severity}: {rule.meaning} {' '.join(rule.actions)}"[:DESCRIPTION_LIMIT],
                namespace="AWS/MediaConnect",
                metric_name=rule.metric,
                dimensions={"FlowARN": flow_arn},
                statistic=rule.statistic,
                period=rule.period,
                evaluation_periods=rule.evaluation_periods,
                datapoints_to_alarm=rule.datapoints_to_alarm,
                comparison_operator=rule.comparison,
                threshold=rule.threshold,
                treat_missing_data=rule.missing,
            ).arn
            for rule in rules
            if rule.has_alarm
        ]
