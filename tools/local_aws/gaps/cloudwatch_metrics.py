"""GetMetricData returns exactly the series of its queries, and only datapoints that have arrived.

Datapoints may arrive late, as those of MediaConnect do: until then neither GetMetricData nor an alarm sees them. Each
metric of a flow also exists without a dimension, over all flows of the Region, as the MediaConnect User Guide says.
Expressions and Metrics Insights are left to moto.

moto 5.2.5: mixes namespaces, and dimensions where a query has none; counts periods from the exact second of the start.
AWS: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
AWS: https://docs.aws.amazon.com/mediaconnect/latest/ug/monitor-with-cloudwatch.html
Remove when: moto filters by namespace and dimensions and rounds StartTime. Lateness stays.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from moto.cloudwatch import models

from tools.local_aws import clock
from tools.local_aws.backends import attached
from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)

MEDIACONNECT: Final = "AWS/MediaConnect"
ALWAYS: Final = datetime.max.replace(tzinfo=UTC)
"""A moment at which all datapoints have arrived."""

Arrival = Callable[[str, Mapping[str, str], datetime], datetime]
"""When a datapoint of MediaConnect arrives, by metric, dimensions and the start of its period."""

_arrivals: Final[list[Arrival]] = []
_as_of: Final[ContextVar[datetime | None]] = ContextVar("as_of", default=None)


@contextmanager
def arriving(when: Arrival) -> Iterator[None]:
    """Let MediaConnect's datapoints that are put within the block arrive at the time of `when`; others at once."""
    _arrivals.append(when)
    try:
        yield
    finally:
        _arrivals.remove(when)


@contextmanager
def as_of(moment: datetime) -> Iterator[None]:
    """Answer with what has arrived by this moment, within the block and in this thread; else by the clock's."""
    token = _as_of.set(moment)
    try:
        yield
    finally:
        _as_of.reset(token)


@GAP.wraps(models.CloudWatchBackend, "get_all_metrics", "(self)")
def _get_all_metrics(get: Callable[..., list[Any]], self: Any) -> list[Any]:
    now = _as_of.get() or clock.now()
    return [datum for datum in get(self) if _has_arrived(datum, now)]


def _has_arrived(datum: Any, now: datetime) -> bool:
    return getattr(datum, "arrives", now) <= now


class _Index:
    """The datapoints of a list by namespace and name. Kept, because each alarm queries it each minute."""

    def __init__(self, data: Sequence[Any]) -> None:
        self._data = data
        self._first = data[0] if data else None
        self._known = 0
        self._by_metric: dict[tuple[str, str], list[Any]] = defaultdict(list)

    def is_of(self, data: Sequence[Any]) -> bool:
        """Whether this is the same list, and it has only grown."""
        return data is self._data and len(data) >= self._known > 0 and data[0] is self._first

    def of(self, metric: tuple[str, str]) -> Sequence[Any]:
        """Those of a metric."""
        for datum in self._data[self._known :]:
            self._by_metric[datum.namespace, datum.name].append(datum)
            self._known += 1
        return self._by_metric.get(metric, ())


def _index(backend: Any) -> _Index:
    kept: dict[str, _Index] = attached(backend, "metric_index", dict)
    if not kept or not kept["index"].is_of(backend.metric_data):
        kept["index"] = _Index(backend.metric_data)
    return kept["index"]


@GAP.wraps(models.CloudWatchBackend, "put_metric_data", "(self, namespace, metric_data)")
def _put_metric_data(
    put: Callable[..., None], self: Any, namespace: str, metric_data: Sequence[Mapping[str, Any]]
) -> None:
    if namespace != MEDIACONNECT:
        put(self, namespace, list(metric_data))
        return
    of_flows = [datum for datum in metric_data if [item["Name"] for item in datum.get("Dimensions", [])] == ["FlowARN"]]
    known = len(self.metric_data)
    put(self, namespace, [*metric_data, *({**datum, "Dimensions": []} for datum in of_flows)])
    for when in _arrivals[-1:]:
        for datum in self.metric_data[known:]:
            dimensions = {item.name: item.value for item in datum.dimensions}
            datum.arrives = when(datum.name, dimensions, datum.timestamp.replace(tzinfo=UTC))


@GAP.wraps(
    models.CloudWatchBackend, "get_metric_data", "(self, queries, start_time, end_time, scan_by='TimestampAscending')"
)
def _get_metric_data(  # noqa: PLR0917  moto's signature
    get: Callable[..., list[dict[str, Any]]],
    self: Any,
    queries: Sequence[Mapping[str, Any]],
    start_time: datetime,
    end_time: datetime,
    scan_by: str = "TimestampAscending",
) -> list[dict[str, Any]]:
    if start_time >= end_time or not all("MetricStat" in query for query in queries):
        return get(self, queries, start_time, end_time, scan_by)
    now, index = _as_of.get() or clock.now(), _index(self)
    return [
        _result(
            query,
            [datum for datum in index.of(_name(query)) if _has_arrived(datum, now)],
            start_time,
            end_time,
            newest_first=scan_by == "TimestampDescending",
        )
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
    points = [(start, _value(stat, buckets[start])) for start in sorted(buckets, reverse=newest_first)]
    return {
        "id": query["Id"],
        "label": query.get("Label") or f"{wanted['Metric']['MetricName']} {stat}",
        "timestamps": [start for start, _ in points],
        "values": [value for _, value in points],
        "status_code": "Complete",
    }


def _rounded(start: datetime, period: int) -> datetime:
    """Down to the whole minute, or the period where that is shorter; see StartTime of GetMetricData."""
    return start.replace(microsecond=0) - timedelta(seconds=start.second % min(period, 60))


def _name(query: Mapping[str, Any]) -> tuple[str, str]:
    """Namespace and name of the metric of a query."""
    metric = query["MetricStat"]["Metric"]
    return metric["Namespace"], metric["MetricName"]


def _is_of(datum: Any, wanted: Mapping[str, Any]) -> bool:
    """Whether a datum of the metric is of the series: the same dimensions, and the unit if the query has one."""
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
