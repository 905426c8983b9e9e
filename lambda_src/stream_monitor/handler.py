"""The edge of the stream monitor: reads policy, flow and metrics from AWS, and hands them to `health`.

One GetParameter, one DescribeFlow and at most one GetMetricData, whatever the number of rules. Errors are raised: the
state machine retries them, and tells people if they stay.
"""

import json
import logging
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from report import Policy, Report, Rule
from stream_monitor.health import Points, judges_metrics, query_window, report
from stream_monitor.trigger import Trigger, read_time, read_trigger

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_mediaconnect import MediaConnectClient
    from mypy_boto3_ssm import SSMClient

Series = tuple[str, str, int, str, str]
"""Metric, statistic, period, ARN and the dimension that it is the value of."""

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)

AFTERWARDS: Final = timedelta(hours=1)
"""How long after an event datapoints are asked for that may answer it: so many always fit one call."""
CONFIG: Final = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})


class MonitorError(RuntimeError):
    """AWS answered something from which no report can be made."""


@cache
def clients() -> "tuple[SSMClient, MediaConnectClient, CloudWatchClient]":
    """One client a service for the life of the container."""
    return (
        boto3.client("ssm", config=CONFIG),
        boto3.client("mediaconnect", config=CONFIG),
        boto3.client("cloudwatch", config=CONFIG),
    )


def lambda_handler(event: Mapping[str, Any], _context: object) -> Report:
    """Look at the flow that the workflow was started for.

    Args:
        event: `input` (what started the workflow), `started` and `execution` of the execution.

    Raises:
        TriggerError: the input cannot be understood.
        MonitorError: the policy or the metrics cannot be used.
        botocore.exceptions.ClientError: AWS refused a call.
    """
    started = str(event.get("started"))
    trigger = read_trigger(event.get("input"), started=started)
    ssm, mediaconnect, cloudwatch = clients()
    policy = read_policy(ssm, trigger.flow_name)
    flow = mediaconnect.describe_flow(FlowArn=trigger.flow_arn or policy["flow_arn"])["Flow"]
    points, selected = (
        read_points(cloudwatch, flow, policy["rules"], trigger, until=read_time(started))
        if judges_metrics(flow["Status"])
        else ({}, {})
    )
    found = report(
        policy=policy,
        trigger=trigger,
        flow=flow,
        points=points,
        selected=selected,
        execution=str(event.get("execution", "")),
    )
    found["started"] = read_time(started).isoformat()
    log.info(
        "%s", json.dumps({key: found[key] for key in ("flow_name", "flow_status", "healthy", "severity", "trigger")})
    )
    return found


def read_policy(ssm: "SSMClient", flow_name: str) -> Policy:
    """How the flow is watched.

    Raises:
        MonitorError: the parameter is not a policy.
    """
    name = os.environ["POLICY_PREFIX"] + flow_name
    text = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    try:
        policy: Policy = json.loads(text)
        complete = Policy.__required_keys__ <= policy.keys()
    except (ValueError, AttributeError) as error:
        raise MonitorError(f"the parameter {name} holds no policy: {text[:100]!r}") from error
    if not complete:
        raise MonitorError(f"the policy {name} lacks {sorted(Policy.__required_keys__ - policy.keys())}")
    return policy


def read_points(
    cloudwatch: "CloudWatchClient",
    flow: Mapping[str, Any],
    rules: list[Rule],
    trigger: Trigger,
    *,
    until: datetime | None = None,
) -> tuple[dict[str, Points], dict[str, Points]]:
    """The datapoints of all rules by rule key, and of SourceSelected by source ARN, in one call.

    An event that arrives late is answered by what was measured after it, until the check runs. Rules on the same
    series share a query. SourceSelected is asked for where a flow fails over between its sources.

    Raises:
        MonitorError: the answer is partial. 500 series and 100,800 datapoints fit one call, so it never should be.
    """
    failover = flow.get("SourceFailoverConfig", {})
    switches = failover.get("FailoverMode") == "FAILOVER" and failover.get("State", "ENABLED") == "ENABLED"
    sources = [source["SourceArn"] for source in flow.get("Sources", []) if switches]
    of_rule = {rule["key"]: _of_rule(rule, flow) for rule in rules}
    of_source = {arn: _series("SourceSelected", "Maximum", 60, arn, "SourceARN") for arn in sources}
    series = sorted({*(one for many in of_rule.values() for one in many), *of_source.values()})
    if not series:
        return {}, {}
    start, end = query_window(rules, trigger.time)
    _, latest = query_window(rules, min(until or trigger.time, trigger.time + AFTERWARDS))
    end = max(end, latest)
    answer = cloudwatch.get_metric_data(
        StartTime=start,
        EndTime=end,
        ScanBy="TimestampAscending",
        MetricDataQueries=[
            {
                "Id": f"q{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/MediaConnect",
                        "MetricName": metric,
                        "Dimensions": [{"Name": dimension, "Value": arn}],
                    },
                    "Period": period,
                    "Stat": statistic,
                },
            }
            for number, (metric, statistic, period, arn, dimension) in enumerate(series)
        ],
    )
    results = {result["Id"]: result for result in answer["MetricDataResults"]}
    partial = [result["Id"] for result in results.values() if result.get("StatusCode", "Complete") != "Complete"]
    if answer.get("NextToken") or partial or len(results) != len(series):
        raise MonitorError(f"CloudWatch answered {len(results)} of {len(series)} series, in part {partial}")
    points = {
        key: {
            time: value
            for time, value in zip(results[f"q{number}"]["Timestamps"], results[f"q{number}"]["Values"], strict=True)
            if time + timedelta(seconds=key[2]) <= end  # what has not ended says nothing yet
        }
        for number, key in enumerate(series)
    }
    return {key: _lowest([points[one] for one in many]) for key, many in of_rule.items()}, {
        arn: points[of] for arn, of in of_source.items()
    }


def _of_rule(rule: Rule, flow: Mapping[str, Any]) -> list[Series]:
    """What a rule is judged by: the flow's metric, or where an output is disabled that of each enabled one.

    A disabled output may report that nobody is connected; the flow's metric has all outputs in it.
    """
    outputs = flow.get("Outputs") or []
    enabled = [item["OutputArn"] for item in outputs if item.get("OutputStatus", "ENABLED") == "ENABLED"]
    if rule["metric"] != "OutputConnected" or not enabled or len(enabled) == len(outputs):
        return [_series(rule["metric"], rule["statistic"], rule["period"], flow["FlowArn"])]
    return [_series(rule["metric"], rule["statistic"], rule["period"], arn, "OutputARN") for arn in enabled]


def _lowest(series: list[dict[datetime, float]]) -> Points:
    """The lowest value of each period: whether all are connected."""
    return {
        time: min(one[time] for one in series if time in one)
        for time in sorted({time for one in series for time in one})
    }


def _series(metric: str, statistic: str, period: int, arn: str, dimension: str = "FlowARN") -> Series:
    return metric, statistic, period, arn, dimension
