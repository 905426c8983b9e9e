"""GetMetricData answers for the exact series asked for. moto mixes namespaces, and dimensions where none are asked for.

It also counts periods from an odd second if asked to. Expressions and Metrics Insights stay moto's.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from moto.cloudwatch import models

_get_by_moto: Final = models.CloudWatchBackend.get_metric_data


@cache
def install() -> None:
    """Answer queries of plain metrics."""
    models.CloudWatchBackend.get_metric_data = _get_metric_data


def _get_metric_data(
    self: Any,
    queries: Sequence[Mapping[str, Any]],
    start_time: datetime,
    end_time: datetime,
    scan_by: str = "TimestampAscending",
) -> list[dict[str, Any]]:
    if start_time >= end_time or not all("MetricStat" in query for query in queries):
        answer: list[dict[str, Any]] = _get_by_moto(self, queries, start_time, end_time, scan_by)
        return answer
    named: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for datum in self.get_all_metrics():
        named[datum.namespace, datum.name].append(datum)
    return [
        _result(query, named[_name(query)], start_time, end_time, newest_first=scan_by == "TimestampDescending")
        for query in queries
        if query.get("ReturnData", True)
    ]


def _result(
    query: Mapping[str, Any], data: Sequence[Any], start: datetime, end: datetime, *, newest_first: bool
) -> dict[str, Any]:
    wanted, period, stat = query["MetricStat"], int(query["MetricStat"]["Period"]), query["MetricStat"]["Stat"]
    start = _rounded(start, period)
    buckets: dict[datetime, list[Any]] = defaultdict(list)
    for datum in data:
        if start <= datum.timestamp < end and _is_of(datum, wanted):
            buckets[start + timedelta(seconds=(datum.timestamp - start) // timedelta(seconds=period) * period)].append(
                datum
            )
    points = [(begin, _value(stat, buckets[begin])) for begin in sorted(buckets, reverse=newest_first)]
    return {
        "id": query["Id"],
        "label": query.get("Label") or f"{wanted['Metric']['MetricName']} {stat}",
        "timestamps": [begin for begin, _ in points],
        "values": [value for _, value in points],
        "status_code": "Complete",
    }


def _rounded(start: datetime, period: int) -> datetime:
    """Down to the whole minute, or the period where that is shorter; see StartTime of GetMetricData."""
    return start.replace(microsecond=0) - timedelta(seconds=start.second % min(period, 60))


def _name(query: Mapping[str, Any]) -> tuple[str, str]:
    """Namespace and name of the metric that is asked for."""
    metric = query["MetricStat"]["Metric"]
    return metric["Namespace"], metric["MetricName"]


def _is_of(datum: Any, wanted: Mapping[str, Any]) -> bool:
    """Whether a datum of the metric is of the series: the same dimensions, and the unit if one is asked for."""
    return wanted.get("Unit") in {None, datum.unit} and {item.name: item.value for item in datum.dimensions} == {
        item["Name"]: item["Value"] for item in wanted["Metric"].get("Dimensions", [])
    }


def _value(stat: str, data: Sequence[Any]) -> float:
    statistics = models.Statistics([stat], data[0].timestamp)
    statistics.metric_data = list(data)
    value = statistics.get_statistics_for_type(stat)
    if value is None:
        raise models.InvalidParameterValue(f"The local CloudWatch has no statistic {stat}.")
    return float(value)
