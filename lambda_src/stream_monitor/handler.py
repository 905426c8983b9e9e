"""Entry point of the stream monitor: reads policy, flow and metrics from AWS for `health` to evaluate.

One GetParameter, one DescribeFlow, one DescribeFlowSourceMetadata and one GetMetricData, whatever the number of rules;
a second GetMetricData where the flow is silent. Errors are raised: the state machine retries them, and notifies people
if they persist. Only further evidence may be missing.
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from event_log import log
from measures import CHECKS, INPUTS_REFUSED, count
from report import Policy, Report, Rule
from schema import load_policy
from stream_monitor.freshness import BITRATE, Points, alerts_of, lists_streams
from stream_monitor.health import emits_metrics, needs_more_evidence, query_window, report
from stream_monitor.trigger import Trigger, TriggerError, read_time, read_trigger, sent_by_us

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_mediaconnect import MediaConnectClient
    from mypy_boto3_ssm import SSMClient

Series = tuple[str, str, int, str, str]
"""Metric, statistic, period, ARN and the dimension that it is the value of; both empty for all flows of the Region."""

AFTERWARDS: Final = timedelta(hours=1)
"""How long after an event datapoints are asked for that may answer it: so many always fit one call."""
CONFIG: Final = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
NO_RETRIES: Final = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 1})
"""For what a check can do without."""


SHOWN_OF_INPUT: Final = 1000
"""Characters of an input, and of the reason, that a refusal quotes; a Fail state's cause has a limit."""


class MonitorError(RuntimeError):
    """AWS answered something from which no report can be made."""


class UnknownFlowError(MonitorError):
    """The flow has no monitoring policy here."""


@cache
def clients() -> "tuple[SSMClient, MediaConnectClient, CloudWatchClient]":
    """One client a service for the life of the container."""
    return (
        boto3.client("ssm", config=CONFIG),
        boto3.client("mediaconnect", config=CONFIG),
        boto3.client("cloudwatch", config=CONFIG),
    )


@cache
def metadata_client() -> "MediaConnectClient":
    """The client of DescribeFlowSourceMetadata, which must not hold up a check."""
    return boto3.client("mediaconnect", config=NO_RETRIES)


def lambda_handler(event: Mapping[str, Any], _context: object) -> Mapping[str, Any]:
    """The report on the flow that the workflow was started for, or `refused`: why a person's input starts no check.

    Args:
        event: `input` (what started the workflow), `started` and `execution` of the execution, `retries` before this.

    Raises:
        TriggerError: what one of our rules or schedules sent cannot be understood.
        MonitorError: the policy or the metrics cannot be used.
        botocore.exceptions.ClientError: AWS refused a call.
    """
    given, started = event.get("input"), read_time(event.get("started"))
    execution = str(event.get("execution", ""))
    ssm, mediaconnect, cloudwatch = clients()
    try:
        trigger = read_trigger(given, started=started.isoformat())
        policy = read_policy(ssm, trigger)
    except (TriggerError, UnknownFlowError) as error:
        if sent_by_us(given):
            raise
        return refusal(error, given, execution)
    if retries := event.get("retries"):
        log("retry", warning=True, flow=trigger.flow_name, execution=execution, retries=retries)
    described = mediaconnect.describe_flow(FlowArn=trigger.flow_arn or policy["flow_arn"])
    flow = described["Flow"]
    points: dict[str, Points] = {}
    selected: dict[str, Points] = {}
    listed = others = None
    if emits_metrics(flow["Status"]):
        points, selected = read_points(cloudwatch, flow, policy["rules"], trigger, until=started)
        listed = streams_listed(flow["FlowArn"])
        if needs_more_evidence(policy, points, trigger.time):
            others = others_arrived(cloudwatch, policy["rules"], trigger.time)
    found = report(
        policy=policy,
        trigger=trigger,
        flow=flow,
        points=points,
        selected=selected,
        execution=execution,
        others=others,
        errors=alerts_of(described),
        streams_listed=listed,
        started=started,
    )
    _log_check(found)
    count(CHECKS)
    return found


def _log_check(found: Report) -> None:
    flow, execution, trigger = found["flow_name"], found["execution"], found["trigger"]
    for issue in found["issues"]:
        log(
            "issue found",
            flow=flow,
            execution=execution,
            severity=issue["severity"],
            about=issue["about"],
            metric=issue["metric"],
            value=issue["value"],
            evidence=issue["evidence"],
        )
    log(
        "check done",
        flow=flow,
        execution=execution,
        severity=found["severity"],
        healthy=found["healthy"],
        status=found["flow_status"],
        trigger=trigger["kind"],
        trigger_name=trigger["name"],
        as_of=found.get("as_of"),
    )


def refusal(error: Exception, given: object, execution: str = "") -> dict[str, str]:
    """The answer to a person whose input starts no check; raising it would count as an error of the function."""
    environment = os.environ["ENVIRONMENT"]
    why, shown = _shortened(str(error)), _shortened(json.dumps(given))
    reason = (
        f"Nothing was checked: {why}. The input was {shown}. Start the workflow again with "
        f'{{"flow_name": "<name>"}}, a flow of environments/{environment}.toml; without a time, as of now. '
        f"A new flow is monitored after {environment} is deployed with it."
    )
    log("input refused", warning=True, execution=execution, reason=reason)
    count(INPUTS_REFUSED)
    return {"refused": reason}


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN_OF_INPUT else f"{text[:SHOWN_OF_INPUT]}..."


def read_policy(ssm: "SSMClient", trigger: Trigger) -> Policy:
    """The flow's monitoring policy.

    Raises:
        UnknownFlowError: there is no policy of this name, or it is of another flow with the same name.
        MonitorError: the parameter is not a policy.
    """
    name = os.environ["POLICY_PREFIX"] + trigger.flow_name
    try:
        text = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound as error:
        raise UnknownFlowError(f"no flow {trigger.flow_name!r} is monitored here (there is no {name})") from error
    try:
        policy = load_policy(json.loads(text))
        complete = Policy.__required_keys__ <= policy.keys()
    except (ValueError, AttributeError) as error:
        raise MonitorError(f"the parameter {name} is not a monitoring policy: {text[:100]!r}") from error
    if not complete:
        raise MonitorError(f"the policy {name} lacks {sorted(Policy.__required_keys__ - policy.keys())}")
    if trigger.flow_arn not in {None, policy["flow_arn"]}:
        raise UnknownFlowError(f"the policy {name} is of {policy['flow_arn']}, not of {trigger.flow_arn}")
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
    points = _read_series(cloudwatch, series, (start, max(end, latest)))
    return {key: _lowest([points[one] for one in many]) for key, many in of_rule.items()}, {
        arn: points[of] for arn, of in of_source.items()
    }


def streams_listed(flow_arn: str) -> bool | None:
    """Whether MediaConnect lists a stream of the source in use; None if it does not say, which stops no check."""
    try:
        return lists_streams(metadata_client().describe_flow_source_metadata(FlowArn=flow_arn))
    except (BotoCoreError, ClientError) as error:
        log("evidence not available", warning=True, about="source metadata", reason=str(error))
        return None


def others_arrived(cloudwatch: "CloudWatchClient", rules: list[Rule], now: datetime) -> datetime | None:
    """Up to when data of any flow of this Region has arrived; None if none has, or it could not be asked for.

    MediaConnect's metrics are also there without dimensions, for all flows together (User Guide, "Media health
    metrics").
    """
    series = _series(BITRATE, "SampleCount", 60, "", "")
    try:
        points = _read_series(cloudwatch, [series], query_window(rules, now))[series]
    except (BotoCoreError, ClientError, MonitorError) as error:
        log("evidence not available", warning=True, about="metrics of all flows", reason=str(error))
        return None
    return max(points) + timedelta(minutes=1) if points else None


def _read_series(
    cloudwatch: "CloudWatchClient", series: list[Series], window: tuple[datetime, datetime]
) -> dict[Series, dict[datetime, float]]:
    """The datapoints of whole periods in a window, in one call.

    Raises:
        MonitorError: the answer is partial.
    """
    start, end = window
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
                        "Dimensions": [{"Name": dimension, "Value": arn}] if arn else [],
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
    return {
        key: {
            time: value
            for time, value in zip(results[f"q{number}"]["Timestamps"], results[f"q{number}"]["Values"], strict=True)
            if time + timedelta(seconds=key[2]) <= end  # a period that has not ended is incomplete
        }
        for number, key in enumerate(series)
    }


def _of_rule(rule: Rule, flow: Mapping[str, Any]) -> list[Series]:
    """The series of a rule: the flow's metric, or where an output is disabled that of each enabled one.

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
