"""CloudWatch alarms of a flow: one per health rule, and one for missing data of its source.

The alarms have no actions: EventBridge passes their state changes to the workflow, which checks the flow before it
notifies anybody. `components.health_rules` decides what they watch. Each alarm evaluates the periods of its rule, and
as many more as datapoints may be late.
"""

from collections.abc import Sequence
from typing import Final

from constructs import Construct

from components.aws import CloudwatchMetricAlarm
from components.health_rules import HealthRule
from components.site import Site

DESCRIPTION_LIMIT: Final = 1024
SILENT: Final = "source-silent"
"""Key of the alarm that only starts a check, a few minutes after the last datapoint of a source.

The alarm of the presence rule itself waits as long as datapoints may be late: too long if metrics are on time.
"""
SILENT_PERIODS: Final = 2


class FlowAlarms(Construct):
    """The alarms of one flow, in the order of its rules."""

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
                evaluation_periods=rule.alarm_periods,
                datapoints_to_alarm=rule.datapoints_to_alarm,
                comparison_operator=rule.comparison,
                threshold=rule.threshold,
                treat_missing_data=rule.missing,
            ).arn
            for rule in rules
            if rule.has_alarm
        ]
        for rule in rules:
            if rule.watches_presence:
                self._silence(site, flow_name, flow_arn, rule)

    def _silence(self, site: Site, flow_name: str, flow_arn: str, presence: HealthRule) -> None:
        CloudwatchMetricAlarm(
            self,
            SILENT,
            alarm_name=site.names.alarm(flow_name, SILENT),
            alarm_description=(
                f"Never in ALARM. INSUFFICIENT_DATA starts a check: {presence.metric} has not arrived for minutes, "
                "because it is late, the flow is stopped or the source is gone."
            ),
            namespace="AWS/MediaConnect",
            metric_name=presence.metric,
            dimensions={"FlowARN": flow_arn},
            statistic=presence.statistic,
            period=presence.period,
            evaluation_periods=SILENT_PERIODS,
            datapoints_to_alarm=SILENT_PERIODS,
            comparison_operator="LessThanThreshold",
            threshold=0,  # no datapoint of this metric is below it
            treat_missing_data="missing",
        )
