"""The dashboard as a dictionary: for each flow its alarms and a graph for each metric, then the chain itself.

Pure. Graphs come from the same rows as the alarms, so that a graph without a threshold line, or a line without an
alarm, cannot happen. Widths are of CloudWatch's grid of 24.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from components.health_rules import HealthRule

GRID_WIDTH: Final = 24
GRAPHS_A_ROW: Final = 3
GRAPH_WIDTH: Final = GRID_WIDTH // GRAPHS_A_ROW
GRAPH_HEIGHT: Final = 6
TITLE_HEIGHT: Final = 1
ALARMS_HEIGHT: Final = 3
COLOURS: Final = {"CRITICAL": "#d62728", "HIGH": "#ff7f0e", "MEDIUM": "#dbb40c", "INFO": "#1f77b4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowGraphs:
    """What the dashboard needs to know of one flow."""

    name: str
    flow_arn: str
    rules: Sequence[HealthRule]
    alarm_arns: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainGraph:
    """One graph about the watching itself: `metrics` are (namespace, metric, dimension, value) tuples."""

    title: str
    metrics: Sequence[tuple[str, str, str, str]]
    statistic: str = "Sum"


def dashboard_layout(flows: Sequence[FlowGraphs], chain: Sequence[ChainGraph], *, region: str) -> dict[str, Any]:
    """The body of the dashboard; widgets are placed from the top, flow by flow."""
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
    y = _section(widgets, y, "## The watching itself")
    _rows(widgets, y, [_chain_graph(graph, region) for graph in chain])
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
        "period": min(rule.period for rule in rules),
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
                    "fill": "above" if rule.comparison.startswith("Greater") else "below",
                }
                for rule in rules
            ]
        },
    }


def _chain_graph(graph: ChainGraph, region: str) -> dict[str, Any]:
    return {
        "title": graph.title,
        "view": "timeSeries",
        "region": region,
        "period": 300,
        "stat": graph.statistic,
        "metrics": [list(metric) for metric in graph.metrics],
        "yAxis": {"left": {"min": 0}},
    }
