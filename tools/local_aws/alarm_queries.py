"""The queries of an alarm, of one metric or of metrics and their math, and the datapoints they return.

What datapoints mean is in `alarm_evaluation`, the operators of metric math are in `metric_math`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from tools.local_aws import metric_math
from tools.local_aws.backends import ACCOUNT_ID, naive


def queries(alarm: Any) -> list[dict[str, Any]]:
    """The queries of an alarm as GetMetricData takes them."""
    if not alarm.metric_data_queries:
        return [_metric_query("m1", alarm, alarm.period, alarm.statistic, alarm.unit)]
    return [
        _metric_query(query.id, stat.metric, stat.period, stat.stat, stat.unit, returned=_returned(query))
        if (stat := query.metric_stat)
        else {
            "Id": query.id,
            "Expression": query.expression,
            **({"Label": query.label} if query.label else {}),
            "ReturnData": _returned(query),
        }
        for query in alarm.metric_data_queries
    ]


def _returned(query: Any) -> bool:
    return query.return_data not in {False, "false"}


def _metric_query(
    id_: str, metric: Any, period: Any, stat: str, unit: str | None, *, returned: bool = True
) -> dict[str, Any]:
    return {
        "Id": id_,
        "MetricStat": {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.metric_name,
                "Dimensions": [{"Name": item.name, "Value": item.value} for item in metric.dimensions],
            },
            "Period": int(period),
            "Stat": stat,
            **({"Unit": unit} if unit else {}),
        },
        "ReturnData": returned,
    }


def query_in_event(query: Mapping[str, Any]) -> dict[str, Any]:
    """A query with the keys of the event "CloudWatch Alarm State Change"."""
    if "Expression" in query:
        return {f"{key[0].lower()}{key[1:]}": value for key, value in query.items()}
    stat = query["MetricStat"]
    return {
        "id": query["Id"],
        "metricStat": {
            "metric": {
                "namespace": stat["Metric"]["Namespace"],
                "name": stat["Metric"]["MetricName"],
                "dimensions": {item["Name"]: item["Value"] for item in stat["Metric"]["Dimensions"]},
            },
            "period": stat["Period"],
            "stat": stat["Stat"],
            **({"unit": stat["Unit"]} if "Unit" in stat else {}),
        },
        "returnData": query["ReturnData"],
    }


def period(alarm: Any) -> int:
    """Seconds."""
    return next(int(query["MetricStat"]["Period"]) for query in queries(alarm) if "MetricStat" in query)


def datapoints(alarm: Any, starts: Sequence[datetime], region: str) -> dict[datetime, float]:
    """Values by the start of their period, for periods that are given newest first."""
    sent = queries(alarm)
    end = starts[0] + timedelta(seconds=period(alarm))
    results = cloudwatch_backends[ACCOUNT_ID][region].get_metric_data(
        [{**query, "ReturnData": True} for query in sent if "MetricStat" in query], naive(starts[-1]), naive(end)
    )
    series = {
        result["id"]: {
            time.replace(tzinfo=UTC): float(value)
            for time, value in zip(result["timestamps"], result["values"], strict=True)
        }
        for result in results
    }
    (returned,) = [query for query in sent if query["ReturnData"]]
    if "Expression" not in returned:
        return series[returned["Id"]]
    return dict(metric_math.evaluate(returned["Expression"], series, starts))
