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
    data = self.get_all_metrics()
    return [
        _result(query, data, start_time, end_time, newest_first=scan_by == "TimestampDescending")
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
        if _is_of(datum, wanted) and start <= datum.timestamp < end:
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


def _is_of(datum: Any, wanted: Mapping[str, Any]) -> bool:
    metric = wanted["Metric"]
    return bool(
        datum.namespace == metric["Namespace"]
        and datum.name == metric["MetricName"]
        and {item.name: item.value for item in datum.dimensions}
        == {item["Name"]: item["Value"] for item in metric.get("Dimensions", [])}
        and wanted.get("Unit") in {None, datum.unit}
    )


def _value(stat: str, data: Sequence[Any]) -> float:
    statistics = models.Statistics([stat], data[0].timestamp)
    statistics.metric_data = list(data)
    value = statistics.get_statistics_for_type(stat)
    if value is None:
        raise models.InvalidParameterValue(f"The local CloudWatch has no statistic {stat}.")
    return float(value)
