"""The dashboard as a dictionary: for each flow its alarms and a graph for each metric, then self-monitoring.

An environment that holds more than CloudWatch shows on one dashboard has pages. Pure. Graphs come from the same rows
as the alarms, so that a graph without a threshold line, or a line without an alarm, cannot happen. Widths are of
CloudWatch's grid of 24.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from components.health_rules import WHOLE_MINUTE, HealthRule

GRID_WIDTH: Final = 24
GRAPHS_A_ROW: Final = 3
GRAPH_WIDTH: Final = GRID_WIDTH // GRAPHS_A_ROW
GRAPH_HEIGHT: Final = 6
TITLE_HEIGHT: Final = 1
ALARMS_HEIGHT: Final = 3
WIDGETS_A_PAGE: Final = 480  # CloudWatch: 500; the rest is left to self-monitoring
METRICS_A_PAGE: Final = 2300  # CloudWatch: 2500
COLOURS: Final = {"CRITICAL": "#d62728", "HIGH": "#ff7f0e", "MEDIUM": "#dbb40c", "INFO": "#1f77b4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowGraphs:
    """What the dashboard needs to know of one flow."""

    name: str
    flow_arn: str
    rules: Sequence[HealthRule]
    alarm_arns: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfMonitoringGraph:
    """One graph of self-monitoring: `metrics` are (namespace, metric, dimension, value) tuples."""

    title: str
    metrics: Sequence[tuple[str, str, str, str]]
    statistic: str = "Sum"


def page_of(flows: Mapping[str, Sequence[HealthRule]]) -> dict[str, int]:
    """The page, counted from 1, that each flow is on: in their order, as many on a page as CloudWatch shows.

    Args:
        flows: the rules of each flow, by its name.
    """
    pages: dict[str, int] = {}
    page, widgets, metrics = 1, 0, 0
    for name, rules in flows.items():
        new_widgets = 2 + len({rule.metric for rule in rules})
        new_metrics = len(rules) + len({(rule.metric, rule.statistic) for rule in rules})  # an alarm draws its metric
        if widgets + new_widgets > WIDGETS_A_PAGE or metrics + new_metrics > METRICS_A_PAGE:
            page, widgets, metrics = page + 1, 0, 0
        widgets += new_widgets
        metrics += new_metrics
        pages[name] = page
    return pages


def dashboard_layout(
    flows: Sequence[FlowGraphs], self_monitored: Sequence[SelfMonitoringGraph], *, region: str
) -> dict[str, Any]:
    """The body of one page; widgets are placed from the top, flow by flow, and self-monitoring last if it is here."""
    widgets: list[dict[str, Any]] = []
    y = 0
    for flow in flows:
        y = _section(widgets, y, f"## {flow.name}")
        widgets.append(
            _widget(
                "alarm",
                (0, y, GRID_WIDTH, ALARMS_HEIGHT),
                {"title": f"{flow.name}: alarms", "alarms": list(flow.alarm_arns)},
            )
        )
        by_metric = sorted(flow.rules, key=lambda rule: rule.metric)
        graphs = [
            _rule_graph(flow, metric, list(rules), region)
            for metric, rules in groupby(by_metric, key=lambda rule: rule.metric)
        ]
        y = _rows(widgets, y + ALARMS_HEIGHT, graphs)
    if self_monitored:
        y = _section(widgets, y, "## Self-monitoring")
        _rows(widgets, y, [_self_monitoring_graph(graph, region) for graph in self_monitored])
    return {"start": "-PT3H", "periodOverride": "inherit", "widgets": widgets}


def _widget(kind: str, place: tuple[int, int, int, int], properties: Mapping[str, Any]) -> dict[str, Any]:
    x, y, width, height = place
    return {"type": kind, "x": x, "y": y, "width": width, "height": height, "properties": dict(properties)}


def _section(widgets: list[dict[str, Any]], y: int, markdown: str) -> int:
    widgets.append(_widget("text", (0, y, GRID_WIDTH, TITLE_HEIGHT), {"markdown": markdown}))
    return y + TITLE_HEIGHT


def _rows(widgets: list[dict[str, Any]], y: int, graphs: Sequence[dict[str, Any]]) -> int:
    for index, properties in enumerate(graphs):
        row, column = divmod(index, GRAPHS_A_ROW)
        place = (column * GRAPH_WIDTH, y + row * GRAPH_HEIGHT, GRAPH_WIDTH, GRAPH_HEIGHT)
        widgets.append(_widget("metric", place, properties))
    return y + -(-len(graphs) // GRAPHS_A_ROW) * GRAPH_HEIGHT


def _rule_graph(flow: FlowGraphs, metric: str, rules: list[HealthRule], region: str) -> dict[str, Any]:
    statistics = sorted({rule.statistic for rule in rules})
    return {
        "title": f"{flow.name}: {metric} ({rules[0].unit})",
        "view": "timeSeries",
        "region": region,
        # CloudWatch keeps datapoints of less than a minute for three hours; graphs are read the day after, too.
        "period": max(WHOLE_MINUTE, min(rule.period for rule in rules)),
        "metrics": [
            ["AWS/MediaConnect", metric, "FlowARN", flow.flow_arn, {"stat": statistic, "label": statistic}]
            for statistic in statistics
        ],
        "yAxis": {"left": {"min": 0}},
        "annotations": {
            "horizontal": [
                {
                    "label": f"{rule.severity} {rule.key}",
                    "value": rule.threshold,
                    "color": COLOURS[rule.severity],
                    "fill": "above" if rule.comparison.startswith(("Greater", "Increases")) else "below",
                }
                for rule in rules
            ]
        },
    }


def _self_monitoring_graph(graph: SelfMonitoringGraph, region: str) -> dict[str, Any]:
    return {
        "title": graph.title,
        "view": "timeSeries",
        "region": region,
        "period": 300,
        "stat": graph.statistic,
        "metrics": [list(metric) for metric in graph.metrics],
        "yAxis": {"left": {"min": 0}},
    }
