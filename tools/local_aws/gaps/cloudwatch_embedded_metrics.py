"""Log lines in CloudWatch's embedded metric format become metrics.

Only one value for a metric and no arrays, as the functions write. `lambda_invocation` calls it with a function's log.

moto 5.2.5: keeps the lines as text.
AWS: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
Remove when: moto extracts metrics from PutLogEvents.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends


def count(logs: str, *, account: str, region: str) -> None:
    """Put the metrics that the lines of a log hold."""
    for line in logs.splitlines():
        if not line.startswith("{"):
            continue
        try:
            record = json.loads(line)
        except ValueError:
            continue
        for namespace, datum in _data(record):
            cloudwatch_backends[account][region].put_metric_data(namespace, [datum])


def _data(record: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    about = record.get("_aws", {})
    for described in about.get("CloudWatchMetrics", ()):
        for names in described["Dimensions"]:
            for metric in described["Metrics"]:
                yield (
                    described["Namespace"],
                    {
                        "MetricName": metric["Name"],
                        "Unit": metric.get("Unit", "None"),
                        "Dimensions": [{"Name": name, "Value": str(record[name])} for name in names],
                        "Timestamp": datetime.fromtimestamp(about["Timestamp"] / 1000, UTC).replace(tzinfo=None),
                        "Value": float(record[metric["Name"]]),
                    },
                )
