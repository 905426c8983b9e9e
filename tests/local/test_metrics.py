"""GetMetricData of the local CloudWatch, for the monitor and the alarms."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.empty_region import EmptyRegion, minute
from tools.local_aws import LocalAws, clock
from tools.local_aws.gaps.cloudwatch_metrics import arriving

FLOW = "arn:aws:mediaconnect:eu-west-1:123456789012:flow:1-a:channel-one"
OTHER = "arn:aws:mediaconnect:eu-west-1:123456789012:flow:1-b:channel-two"


@pytest.fixture
def region(aws: LocalAws) -> EmptyRegion:
    return EmptyRegion(aws)


def query(number: str, metric: str, stat: str = "Average", period: int = 60, **more: Any) -> dict[str, Any]:
    series = {
        "Namespace": more.pop("namespace", "AWS/MediaConnect"),
        "MetricName": metric,
        "Dimensions": more.pop("dimensions", [{"Name": "FlowARN", "Value": FLOW}]),
    }
    return {"Id": number, "MetricStat": {"Metric": series, "Period": period, "Stat": stat, **more}}


def ask(region: EmptyRegion, *queries: dict[str, Any], start: datetime, end: datetime, **more: Any) -> dict[str, Any]:
    more = {"ScanBy": "TimestampAscending"} | more
    answer = region.client("cloudwatch").get_metric_data(
        StartTime=start, EndTime=end, MetricDataQueries=queries, **more
    )
    return {
        result["Id"]: dict(zip(result["Timestamps"], result["Values"], strict=True))
        for result in answer["MetricDataResults"]
    }


@pytest.mark.parametrize(
    ("stat", "value"), [("Average", 2.0), ("Sum", 6.0), ("Minimum", 1.0), ("Maximum", 3.0), ("SampleCount", 3.0)]
)
def test_period_has_the_value_of_the_statistic(region: EmptyRegion, stat: str, value: float) -> None:
    for second, measured in ((0, 1.0), (30, 2.0), (59, 3.0)):
        region.measure("SourceBitRate", measured, start=second / 60, FlowARN=FLOW)
    assert ask(region, query("a", "SourceBitRate", stat), start=minute(0), end=minute(1)) == {"a": {minute(0): value}}


def test_only_periods_with_data_are_returned(region: EmptyRegion) -> None:
    """From the start on, without the end."""
    region.measure("SourceBitRate", 1, 2, None, 0, 5, FlowARN=FLOW)
    for stat in ("Sum", "Average"):
        found = ask(region, query("a", "SourceBitRate", stat), start=minute(1), end=minute(4))
        assert found == {"a": {minute(1): 2.0, minute(3): 0.0}}


@pytest.mark.parametrize("year", [2001, 2026, 2099])
def test_datapoints_can_have_any_time(region: EmptyRegion, year: int) -> None:
    moment = datetime(year, 2, 3, 4, 5, tzinfo=UTC)
    region.measure("SourceBitRate", 7, start=(moment - minute(0)) / timedelta(minutes=1), FlowARN=FLOW)
    found = ask(region, query("a", "SourceBitRate"), start=moment, end=moment + timedelta(minutes=1))
    assert found == {"a": {moment: 7.0}}


def test_each_query_gets_its_own_series(region: EmptyRegion) -> None:
    region.measure("SourceBitRate", 5, FlowARN=FLOW)
    region.measure("SourceConnected", 1, FlowARN=FLOW)
    region.measure("SourceConnected", 0, FlowARN=OTHER)
    region.measure("SourceConnected", 8, namespace="Somebody/Else", FlowARN=FLOW)
    region.measure("SourceConnected", 9)
    region.measure("SourceConnected", 6, FlowARN=FLOW, AvailabilityZone="eu-west-1a")
    found = ask(
        region,
        query("bitrate", "SourceBitRate"),
        query("connected", "SourceConnected", "Maximum"),
        query("everywhere", "SourceConnected", "Maximum", dimensions=[]),
        query("silent", "SourceJitter"),
        start=minute(0),
        end=minute(1),
    )
    assert found == {
        "bitrate": {minute(0): 5.0},
        "connected": {minute(0): 1.0},
        "everywhere": {minute(0): 9.0},
        "silent": {},
    }


def test_start_within_a_minute_is_rounded_down(region: EmptyRegion) -> None:
    region.measure("SourceBitRate", 1, 2, FlowARN=FLOW)
    found = ask(region, query("a", "SourceBitRate"), start=minute(0.5), end=minute(2))
    assert found == {"a": {minute(0): 1.0, minute(1): 2.0}}


def test_periods_of_five_minutes_are_counted_from_the_start(region: EmptyRegion) -> None:
    region.measure("SourceBitRate", *range(12), FlowARN=FLOW)
    found = ask(region, query("a", "SourceBitRate", "Maximum", 300), start=minute(2), end=minute(12))
    assert found == {"a": {minute(2): 6.0, minute(7): 11.0}}


def test_unit_that_was_never_sent_has_no_datapoints(region: EmptyRegion) -> None:
    region.measure("SourceBitRate", 1, FlowARN=FLOW)
    found = ask(region, query("a", "SourceBitRate", Unit="Percent"), start=minute(0), end=minute(1))
    assert found == {"a": {}}


def test_newest_datapoint_comes_first_by_default(region: EmptyRegion) -> None:
    region.measure("SourceBitRate", 1, 2, FlowARN=FLOW)
    answer = region.client("cloudwatch").get_metric_data(
        StartTime=minute(0), EndTime=minute(2), MetricDataQueries=[query("a", "SourceBitRate")]
    )
    assert answer["MetricDataResults"][0]["Values"] == [2.0, 1.0]


def test_unknown_statistic_is_refused(region: EmptyRegion) -> None:
    region.measure("SourceBitRate", 1, FlowARN=FLOW)
    with pytest.raises(ClientError, match=r"no statistic p99"):
        ask(region, query("a", "SourceBitRate", "p99"), start=minute(0), end=minute(1))


def test_metric_of_a_flow_exists_without_a_dimension(region: EmptyRegion) -> None:
    region.measure("SourceTotalPackets", 5, 1, FlowARN=FLOW)
    region.measure("SourceTotalPackets", 7, FlowARN=OTHER)
    region.measure("SourceTotalPackets", 100, SourceARN=FLOW)
    region.measure("SourceTotalPackets", 100, FlowARN=FLOW, AvailabilityZone="eu-west-1a")
    region.measure("SourceTotalPackets", 100, namespace="Somebody/Else", FlowARN=FLOW)
    everywhere = query("a", "SourceTotalPackets", "Sum", dimensions=[])
    assert ask(region, everywhere, start=minute(0), end=minute(2)) == {"a": {minute(0): 12.0, minute(1): 1.0}}


def test_datapoint_is_not_returned_before_it_arrives(region: EmptyRegion) -> None:
    late_by = {"FlowARN": 90, "": 150}

    def arrival(_name: str, dimensions: Any, start: datetime) -> datetime:
        return start + timedelta(seconds=60 + late_by[next(iter(dimensions), "")])

    with arriving(arrival):
        region.measure("SourceTotalPackets", 5, 6, FlowARN=FLOW)
        region.measure("Invocations", 1, namespace="AWS/Lambda", FunctionName="any")
    queries = [
        query("flow", "SourceTotalPackets", "Sum"),
        query("all", "SourceTotalPackets", "Sum", dimensions=[]),
        query("other", "Invocations", namespace="AWS/Lambda", dimensions=[{"Name": "FunctionName", "Value": "any"}]),
    ]
    seen = []
    for moment in (minute(2.49), minute(2.5), minute(3.5)):
        with clock.stopped(moment):
            found = ask(region, *queries, start=minute(0), end=minute(5))
            seen.append((list(found["flow"].values()), list(found["all"].values()), list(found["other"].values())))
    assert seen == [([], [], [1.0]), ([5.0], [], [1.0]), ([5.0, 6.0], [5.0], [1.0])]
