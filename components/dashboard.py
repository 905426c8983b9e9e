"""The dashboard of an environment; what is on it is laid out in `components.dashboard_layout`."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from cdktf import Fn
from constructs import Construct

from components.aws import CloudwatchDashboard
from components.dashboard_layout import FlowGraphs, SelfMonitoringGraph, dashboard_layout
from components.self_monitoring_alarms import OUR_DIMENSION, OUR_NAMESPACE, SelfMonitored
from components.site import Site

COUNTED: Final = ("Checks", "IncidentsOpened", "NotificationsSent", "InputsRefused")
"""What the functions count; the other side of `lambda_src/measures.py`."""
CONSOLES: Final = {"aws": "aws.amazon.com", "aws-cn": "amazonaws.cn", "aws-us-gov": "amazonaws-us-gov.com"}


class Dashboard(Construct):
    """One dashboard, in as many pages as it needs: every flow's health, and on the first page self-monitoring.

    Args:
        scope: parent construct.
        id_: construct id, part of the address.
        site: where this is built.
        flows: what is drawn of each flow.
        pages: the page of each flow, by its name, from `page_of`.
        self_monitored: graphs of self-monitoring.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        site: Site,
        flows: Sequence[FlowGraphs],
        pages: Mapping[str, int],
        self_monitored: Sequence[SelfMonitoringGraph],
    ) -> None:
        super().__init__(scope, id_)
        first, *_ = [
            CloudwatchDashboard(
                self,
                "dashboard" if page == 1 else f"dashboard_{page}",
                dashboard_name=site.names.dashboard_page(page),
                dashboard_body=json.dumps(
                    dashboard_layout(
                        [flow for flow in flows if pages[flow.name] == page],
                        self_monitored if page == 1 else (),
                        region=site.region,
                    )
                ),
            )
            for page in sorted({1, *pages.values()})
        ]
        domain = Fn.lookup(CONSOLES, site.partition, CONSOLES["aws"])
        self.url: Final = (
            f"https://{site.region}.console.{domain}/cloudwatch/home?region={site.region}"
            f"#dashboards/dashboard/{first.dashboard_name}"
        )


def self_monitoring_graphs(self_monitored: SelfMonitored, *, environment: str) -> tuple[SelfMonitoringGraph, ...]:
    """Self-monitoring graphs: executions, failures, dead letters and notifications."""
    names = list(self_monitored.functions.values())
    machine = ("StateMachineArn", self_monitored.state_machine_arn)
    return (
        SelfMonitoringGraph(
            title="Workflow: executions",
            metrics=[
                ("AWS/States", metric, *machine)
                for metric in ("ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut")
            ],
        ),
        SelfMonitoringGraph(
            title="Checks, opened incidents, notifications",
            metrics=[(OUR_NAMESPACE, metric, OUR_DIMENSION, environment) for metric in COUNTED],
        ),
        SelfMonitoringGraph(
            title="Functions: errors and throttles",
            metrics=[
                ("AWS/Lambda", metric, "FunctionName", name) for metric in ("Errors", "Throttles") for name in names
            ],
        ),
        SelfMonitoringGraph(
            title="Functions: duration (ms)",
            metrics=[("AWS/Lambda", "Duration", "FunctionName", name) for name in names],
            statistic="Maximum",
        ),
        SelfMonitoringGraph(
            title="Dead letters waiting",
            metrics=[("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", self_monitored.queue_name)],
            statistic="Maximum",
        ),
        SelfMonitoringGraph(
            title="Alerts: published, delivered, failed",
            metrics=[
                ("AWS/SNS", metric, "TopicName", name)
                for name in self_monitored.topic_names.values()
                for metric in (
                    "NumberOfMessagesPublished",
                    "NumberOfNotificationsDelivered",
                    "NumberOfNotificationsFailed",
                    *(["NumberOfNotificationsRedrivenToDlq"] if self_monitored.undelivered_queue_name else []),
                )
            ],
        ),
    )
