"""Graphs keep their datapoints for longer than three hours."""

from components.dashboard_layout import FlowGraphs, dashboard_layout
from components.health_rules import health_rules
from settings import Flow, Thresholds
from tests.unit.environments import source


def test_graph_has_a_period_of_a_minute_for_rules_of_seconds() -> None:
    flow = Flow.model_validate({"name": "flow", "source": source("rtp")})
    rules = health_rules(flow, Thresholds(early_packet_loss_seconds=10))
    graphs = FlowGraphs(name="flow", flow_arn="arn", rules=rules, alarm_arns=[])
    widgets = dashboard_layout([graphs], [], region="us-east-1")["widgets"]
    assert {widget["properties"]["period"] for widget in widgets if widget["type"] == "metric"} == {60}
