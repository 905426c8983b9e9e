"""Reads the data of a report from the deployment: metrics, dashboard and workflow.

The dashboard's graphs ask the local CloudWatch for exactly the series that the deployed body names.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from tools.local_aws import ACCOUNT_ID
from tools.local_aws.gaps.cloudwatch_metrics import ALWAYS, as_of
from tools.rehearsal.assignment import Assignment
from tools.rehearsal.deployment import Deployment
from tools.rehearsal.evidence import Evidence, Graph, Line, Point, Threshold


def collect(assignment: Assignment, deployment: Deployment) -> Evidence:
    """Read the evidence of the scenario that was played last."""
    return _Reader(assignment, deployment).evidence()


class _Reader:
    def __init__(self, assignment: Assignment, deployment: Deployment) -> None:
        self._scenario = assignment.scenario
        self._prefix = deployment.names.alarm(assignment.flow.name, "")
        self._dashboard = deployment.names.dashboard
        self._region = deployment.environment.region
        self._watched: Any = cloudwatch_backends[ACCOUNT_ID][self._region]
        self._other_flows = [
            arn for name, arn in deployment.outputs()["flow_arns"].items() if name != assignment.flow.name
        ]
        self._machine = deployment.outputs()["state_machine_arn"]

    def evidence(self) -> Evidence:
        machines = stepfunctions_parser_backends[ACCOUNT_ID][self._region]
        definition = json.loads(machines.describe_state_machine(self._machine).definition)
        return Evidence(
            metrics=tuple(self._alarmed()),
            dashboard=tuple(self._widgets()),
            definition=definition,
        )

    def _alarmed(self) -> list[Graph]:
        alarms = [alarm for name, alarm in sorted(self._watched.alarms.items()) if name.startswith(self._prefix)]
        graphs = []
        for metric in dict.fromkeys(alarm.metric_name for alarm in alarms):
            of_metric = [alarm for alarm in alarms if alarm.metric_name == metric]
            statistics = sorted({alarm.statistic for alarm in of_metric})
            dimensions = [(item.name, item.value) for item in of_metric[0].dimensions]
            graphs.append(
                Graph(
                    title=metric,
                    lines=tuple(
                        Line(
                            label=statistic,
                            points=self._points(
                                of_metric[0].namespace,
                                metric,
                                dimensions,
                                statistic,
                                min(int(alarm.period) for alarm in of_metric if alarm.statistic == statistic),
                            ),
                        )
                        for statistic in statistics
                    ),
                    thresholds=tuple(
                        Threshold(
                            label=alarm.name.removeprefix(self._prefix),
                            value=float(alarm.threshold),
                            severity=str(alarm.description).partition(":")[0],
                        )
                        for alarm in of_metric
                    ),
                )
            )
        return graphs

    def _widgets(self) -> list[Graph]:
        """The graphs of the dashboard, without those of other flows."""
        body = json.loads(self._watched.dashboards[self._dashboard].body)
        graphs = [widget for widget in body["widgets"] if widget["type"] not in {"text", "alarm"}]
        return [
            self._widget(widget) for widget in graphs if not any(arn in json.dumps(widget) for arn in self._other_flows)
        ]

    def _widget(self, widget: Mapping[str, Any]) -> Graph:
        properties = widget.get("properties", {})
        title = str(properties.get("title", widget["type"]))
        try:
            lines = tuple(self._line(row, properties) for row in properties["metrics"])
        except (KeyError, ValueError, TypeError, IndexError) as error:
            return Graph(title=title, note=f"this {widget['type']} widget cannot be drawn here: {error!r}")
        horizontal = properties.get("annotations", {}).get("horizontal", [])
        return Graph(
            title=title,
            lines=lines,
            note=self._why_empty(properties["metrics"]) if not any(line.points for line in lines) else "",
            thresholds=tuple(
                Threshold(
                    label=str(line.get("label", "")).partition(" ")[2] or str(line.get("label", "")),
                    value=float(line["value"]),
                    severity=str(line.get("label", "")).partition(" ")[0],
                )
                for line in horizontal
            ),
        )

    def _why_empty(self, rows: Sequence[Sequence[Any]]) -> str:
        """Why a graph is empty: nothing emitted its metrics, or its dimensions differ."""
        emitted = {datum.name for datum in self._watched.metric_data}
        asked = list(dict.fromkeys(str(row[1]) for row in rows))
        there = [metric for metric in asked if metric in emitted]
        if there:
            return f"{', '.join(there)} was emitted, but not with these dimensions"
        return f"nothing emitted {', '.join(asked)}"

    def _line(self, row: Sequence[Any], properties: Mapping[str, Any]) -> Line:
        options = row[-1] if isinstance(row[-1], dict) else {}
        namespace, metric, *pairs = [item for item in row if not isinstance(item, dict)]
        dimensions = list(zip(pairs[::2], pairs[1::2], strict=True))
        statistic = str(options.get("stat", properties.get("stat", "Average")))
        label = str(
            options.get(
                "label", metric if len(properties["metrics"]) == 1 else f"{metric} {str(pairs[-1]).rpartition(':')[2]}"
            )
        )
        period = int(options.get("period", properties.get("period", 300)))
        return Line(label=label, points=self._points(namespace, metric, dimensions, statistic, period))

    def _points(
        self, namespace: str, metric: str, dimensions: Sequence[tuple[str, str]], statistic: str, period: int
    ) -> tuple[Point, ...]:
        """Datapoints by minute, as GetMetricData answers."""
        start = self._scenario.at(0)
        query = {
            "Id": "q",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": metric,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions],
                },
                "Period": period,
                "Stat": statistic,
            },
        }
        with as_of(ALWAYS):  # what arrived late is drawn where it belongs
            (found,) = self._watched.get_metric_data(
                [query], _plain(start), _plain(self._scenario.at(self._scenario.minutes))
            )
        return tuple(
            ((time.replace(tzinfo=UTC) - start).total_seconds() / 60, float(value))
            for time, value in zip(found["timestamps"], found["values"], strict=True)
        )


def _plain(moment: datetime) -> datetime:
    """The moment as naive UTC, as moto keeps it."""
    return moment.astimezone(UTC).replace(tzinfo=None)
