"""The local CloudWatch evaluates alarms as AWS documents it, and does what follows from a change."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.cloudwatch.models import cloudwatch_backends

from report import Rule
from stream_monitor.handler import read_points
from stream_monitor.health import evaluate_rule
from stream_monitor.trigger import Trigger
from tests.local.empty_region import EIGHT, EmptyRegion, minute
from tests.unit.stream import rule
from tools.local_aws import ACCOUNT_ID, LocalAws
from tools.local_aws.alarm_evaluation import next_state
from tools.local_aws.alarm_messages import AlarmState, notification, state_change, subject
from tools.local_aws.alarms import evaluate_alarms
from tools.local_aws.deliveries import published
from tools.local_aws.gaps.cloudwatch_metrics import arriving

FLOW = "arn:aws:mediaconnect:eu-west-1:123456789012:flow:1-a:channel-one"
NAME = "media-workflow-prod-channel-one/packet-loss"
RETAIN = "retain"
RAISED = AlarmState(value="ALARM", reason="", reason_data=None, timestamp=EIGHT)


@pytest.fixture
def region(aws: LocalAws) -> EmptyRegion:
    return EmptyRegion(aws)


def put_alarm(region: EmptyRegion, name: str = NAME, **more: Any) -> None:
    settings = {
        "AlarmDescription": "Packets are lost.",
        "Namespace": "AWS/MediaConnect",
        "MetricName": "SourcePacketLossPercent",
        "Dimensions": [{"Name": "FlowARN", "Value": FLOW}],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.1,
        "ComparisonOperator": "GreaterThanThreshold",
    } | more
    given = {key: value for key, value in settings.items() if value is not None}
    region.client("cloudwatch").put_metric_alarm(AlarmName=name, **given)


def lose(region: EmptyRegion, *percent: float | None, start: float = 0) -> None:
    region.measure("SourcePacketLossPercent", *percent, start=start, FlowARN=FLOW)


def state(region: EmptyRegion, name: str = NAME) -> str:
    (alarm,) = region.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(alarm["StateValue"])


# The tables of "Configuring how CloudWatch alarms treat missing data", newest datapoint on the right.
@pytest.mark.parametrize(
    ("needed", "points", "missing", "ignore", "breaching", "not_breaching"),
    [
        (3, "0-X-X", "OK", "OK", "OK", "OK"),
        (3, "0----", "OK", "OK", "OK", "OK"),
        (3, "-----", "INSUFFICIENT_DATA", RETAIN, "ALARM", "OK"),
        (3, "0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"),
        (3, "--X--", "ALARM", RETAIN, "ALARM", "OK"),
        (2, "0-X-X", "ALARM", "ALARM", "ALARM", "ALARM"),
        (2, "00X0X", "ALARM", "ALARM", "ALARM", "ALARM"),
        (2, "0-X--", "OK", "OK", "ALARM", "OK"),
        (2, "----0", "OK", "OK", "ALARM", "OK"),
        (2, "---X-", "ALARM", RETAIN, "ALARM", "OK"),
        # "Avoiding premature transitions to alarm state"
        (3, "----X", RETAIN, RETAIN, "ALARM", "OK"),
        (3, "---X-", RETAIN, RETAIN, "ALARM", "OK"),
        (3, "---X0", "OK", "OK", "OK", "OK"),
        (2, "----X", RETAIN, RETAIN, "ALARM", "OK"),
    ],
)
@pytest.mark.parametrize("before", ["OK", "ALARM", "INSUFFICIENT_DATA"])
def test_missing_data_is_treated_as_the_user_guide_shows(
    needed: int, points: str, missing: str, ignore: str, breaching: str, not_breaching: str, before: Any
) -> None:
    recent = [{"0": 0.0, "X": 1.0, "-": None}[point] for point in reversed(points)]
    for mode, expected in {
        "missing": missing, "ignore": ignore, "breaching": breaching, "notBreaching": not_breaching,
    }.items():  # fmt: skip
        after = next_state(
            recent, breaching=lambda value: value > 0, needed=needed, wanted=3, missing=mode, before=before
        )
        assert after == (before if expected == RETAIN else expected), mode


@pytest.mark.parametrize(
    ("operator", "at_threshold", "beyond"),
    [
        ("GreaterThanThreshold", "OK", 0.2),
        ("GreaterThanOrEqualToThreshold", "ALARM", 0.2),
        ("LessThanThreshold", "OK", 0.0),
        ("LessThanOrEqualToThreshold", "ALARM", 0.0),
    ],
)
def test_comparison_breaches_on_the_right_side(
    region: EmptyRegion, operator: str, at_threshold: str, beyond: float
) -> None:
    put_alarm(region, ComparisonOperator=operator)
    lose(region, 0.1, beyond)
    evaluate_alarms(minute(1), region=region.name)
    assert state(region) == at_threshold
    evaluate_alarms(minute(2), region=region.name)
    assert state(region) == "ALARM"


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [("Average", "OK"), ("Sum", "ALARM"), ("Minimum", "OK"), ("Maximum", "ALARM"), ("SampleCount", "ALARM")],
)
def test_every_statistic_is_evaluated(region: EmptyRegion, statistic: str, expected: str) -> None:
    put_alarm(region, Statistic=statistic, Threshold=1.5)
    lose(region, 0.2)
    lose(region, 1.8, start=0.5)
    evaluate_alarms(minute(1), region=region.name)
    assert state(region) == expected


def test_three_of_five_minutes_raise_the_alarm(region: EmptyRegion) -> None:
    """It ends when fewer than three are left."""
    put_alarm(region, EvaluationPeriods=5, DatapointsToAlarm=3, TreatMissingData="notBreaching")
    lose(region, 0, 0, 0, 0, 0, 9, 0, 9, 9, 0, 0, 0, 0)
    changes = {
        number: (change.before, change.after)
        for number in range(1, 14)
        for change in evaluate_alarms(minute(number), region=region.name)
    }
    assert changes == {1: ("INSUFFICIENT_DATA", "OK"), 9: ("OK", "ALARM"), 11: ("ALARM", "OK")}


@pytest.mark.parametrize("beyond", [0, 1, 2, 3, 5])
def test_breach_counts_within_the_evaluation_range(region: EmptyRegion, beyond: int) -> None:
    put_alarm(region, TreatMissingData="notBreaching")
    lose(region, 9)
    states = []
    for number in range(1, 8):
        evaluate_alarms(minute(number), region=region.name, beyond=beyond)
        states.append(state(region))
    assert states.count("ALARM") == 1 + beyond
    assert states[beyond + 1 :] == ["OK"] * (6 - beyond)


def test_datapoint_that_has_not_arrived_is_missing(region: EmptyRegion) -> None:
    put_alarm(region, TreatMissingData="notBreaching")
    with arriving(lambda _name, _dimensions, start: start + timedelta(seconds=60 + 90)):
        lose(region, 9)
    found = [
        (number, change.after)
        for number in range(1, 6)
        for change in evaluate_alarms(minute(number), region=region.name)
    ]
    assert found == [(1, "OK"), (3, "ALARM"), (4, "OK")]


def test_minute_that_has_not_ended_is_not_evaluated(region: EmptyRegion) -> None:
    put_alarm(region, TreatMissingData="notBreaching")
    lose(region, 0, 9)
    evaluate_alarms(minute(1.9), region=region.name)
    assert state(region) == "OK"


def test_only_periods_of_seconds_are_evaluated_within_a_minute(
    region: EmptyRegion,
) -> None:
    """And of those only the periods that have ended."""
    put_alarm(region, TreatMissingData="notBreaching")
    put_alarm(region, "seconds", Period=10, EvaluationPeriods=18, DatapointsToAlarm=1, TreatMissingData="notBreaching")
    lose(region, 9, start=1 / 6)
    changes = {
        second: [(change.alarm_name, change.after) for change in within]
        for second in (10, 19, 20)
        if (within := evaluate_alarms(minute(second / 60), region=region.name, within_minute=True))
    }
    assert changes == {10: [("seconds", "OK")], 20: [("seconds", "ALARM")]}
    assert state(region) == "INSUFFICIENT_DATA"
    (alarm,) = region.client("cloudwatch").describe_alarms(AlarmNames=["seconds"])["MetricAlarms"]
    assert alarm["StateReason"] == (
        "Threshold Crossed: 1 out of the last 1 datapoints [9.0 (23/11/26 20:00:10)] was greater than the threshold "
        "(0.1) and 17 missing datapoints were treated as [NonBreaching] "
        "(minimum 1 datapoint for OK -> ALARM transition)."
    )
    data = json.loads(alarm["StateReasonData"])
    assert (data["queryDate"], data["startDate"], data["period"], data["recentDatapoints"]) == (
        *("2026-11-23T20:00:20.000+0000", "2026-11-23T20:00:10.000+0000"),
        *(10, [9.0]),
    )
    assert [change.alarm_name for change in evaluate_alarms(minute(1), region=region.name)] == [NAME]


def rule_of(period: int, evaluation_periods: int, datapoints_to_alarm: int, missing: str) -> Rule:
    # Only a rule that silence cannot break may have a period of seconds.
    return rule(
        key=f"{period}-{evaluation_periods}-{datapoints_to_alarm}-{missing}",
        period=period,
        evaluation_periods=evaluation_periods,
        datapoints_to_alarm=min(datapoints_to_alarm, evaluation_periods),
        missing=missing if period == MINUTE else "notBreaching",
    )


MINUTE = 60
watched = st.lists(
    st.builds(
        rule_of,
        st.sampled_from([10, 30, MINUTE]),
        st.sampled_from([1, 2, 6, 18]),
        st.integers(1, 3),
        st.sampled_from(["missing", "notBreaching", "breaching"]),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda item: item["key"],
)


@given(
    rules=watched,
    measured=st.lists(st.sampled_from([None, None, None, 0.0, 9.0]), min_size=56, max_size=56),
    second=st.integers(400, 559),
)
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_monitor_and_alarms_agree_at_any_second(
    region: EmptyRegion, rules: list[Rule], measured: list[float | None], second: int
) -> None:
    """Both evaluate the same datapoints, each by its own implementation."""
    backend = cloudwatch_backends[ACCOUNT_ID][region.name]
    backend.reset()
    client = region.client("cloudwatch")
    for watching in rules:
        put_alarm(
            region,
            watching["key"],
            Period=watching["period"],
            EvaluationPeriods=watching["evaluation_periods"],
            DatapointsToAlarm=watching["datapoints_to_alarm"],
            TreatMissingData=watching["missing"],
        )
        # Where CloudWatch would keep the state, the monitor, which knows of none, says OK.
        client.set_alarm_state(AlarmName=watching["key"], StateValue="OK", StateReason="so far")
    data = [
        {"MetricName": "SourcePacketLossPercent", "Dimensions": [{"Name": "FlowARN", "Value": FLOW}],
         "Timestamp": minute((10 * number + 3) / 60), "Value": value}
        for number, value in enumerate(measured) if value is not None
    ]  # fmt: skip
    if data:
        client.put_metric_data(Namespace="AWS/MediaConnect", MetricData=data)
    now = minute(second / 60)
    evaluate_alarms(now.replace(second=0), region=region.name)
    for ten in range(10, now.second + 1, 10):
        evaluate_alarms(now.replace(second=ten), region=region.name, within_minute=True)
    trigger = Trigger(kind="alarm", name="any", flow_name="channel-one", flow_arn=FLOW, time=now)
    points, _ = read_points(client, {"FlowArn": FLOW}, rules, trigger)
    evaluated = {watching["key"]: evaluate_rule(watching, points[watching["key"]], now=now)[0] for watching in rules}
    assert evaluated == {watching["key"]: state(region, watching["key"]) for watching in rules}
    ended = [now.replace(second=now.second - now.second % min(item["period"], MINUTE)) for item in rules]
    assert all(time + timedelta(seconds=item["period"]) <= max(ended) for item in rules for time in points[item["key"]])


def test_five_minute_periods_slide_by_the_minute(region: EmptyRegion) -> None:
    put_alarm(region, Period=300, Statistic="Sum", Threshold=5, TreatMissingData="notBreaching")
    lose(region, 0, 3, 0, 0, 0, 4)
    evaluate_alarms(minute(5), region=region.name)
    assert state(region) == "OK"
    evaluate_alarms(minute(6), region=region.name)  # minutes 1 to 5: 3 + 4
    assert state(region) == "ALARM"


def test_silence_becomes_insufficient_data_late(region: EmptyRegion) -> None:
    """Older datapoints of the evaluation range count first."""
    put_alarm(region, TreatMissingData="missing")
    lose(region, 0, 0, 0)
    states = [(evaluate_alarms(minute(number), region=region.name), state(region))[1] for number in range(3, 7)]
    assert states == ["OK", "OK", "OK", "INSUFFICIENT_DATA"]


def test_only_the_series_of_the_alarm_counts(region: EmptyRegion) -> None:
    put_alarm(region)
    region.measure("SourcePacketLossPercent", 9, FlowARN=FLOW.replace("channel-one", "channel-two"))
    region.measure("SourcePacketLossPercent", 9, FlowARN=FLOW, SourceARN="arn:any")
    region.measure("SourcePacketLossPercent", 9, namespace="Somebody/Else", FlowARN=FLOW)
    evaluate_alarms(minute(1), region=region.name)
    assert state(region) == "INSUFFICIENT_DATA"


def test_unit_counts_only_where_the_alarm_names_one(region: EmptyRegion) -> None:
    put_alarm(region)
    put_alarm(region, "with-unit", Unit="Percent")
    lose(region, 9)
    evaluate_alarms(minute(1), region=region.name)
    assert (state(region), state(region, "with-unit")) == ("ALARM", "INSUFFICIENT_DATA")


def test_self_monitoring_alarm_is_evaluated_like_any_other(region: EmptyRegion) -> None:
    put_alarm(
        region,
        "media-workflow-prod-chain-monitor-errors",
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": "media-workflow-prod-stream-monitor"}],
        Statistic="Sum",
        Period=300,
        Threshold=0,
        TreatMissingData="notBreaching",
    )
    region.measure("Errors", 1, namespace="AWS/Lambda", FunctionName="media-workflow-prod-stream-monitor")
    (change,) = evaluate_alarms(minute(1), region=region.name)
    assert change.after == "ALARM"


def put_math_alarm(region: EmptyRegion, expression: str) -> None:
    def of_function(id_: str, metric: str) -> dict[str, Any]:
        named = {
            "Namespace": "AWS/Lambda",
            "MetricName": metric,
            "Dimensions": [{"Name": "FunctionName", "Value": "f"}],
        }
        return {"Id": id_, "MetricStat": {"Metric": named, "Period": 300, "Stat": "Sum"}, "ReturnData": False}

    none: dict[str, Any] = dict.fromkeys(("Namespace", "MetricName", "Dimensions", "Statistic", "Period"))
    put_alarm(
        region,
        **none,
        Metrics=[
            {"Id": "left", "Expression": expression, "Label": "what is left", "ReturnData": True},
            of_function("errors", "Errors"),
            of_function("known", "Throttles"),
        ],
        Threshold=0,
        TreatMissingData="notBreaching",
        AlarmActions=[region.topic("math")],
    )


@pytest.mark.parametrize(
    ("expression", "errors", "known", "after"),
    [
        ("errors - FILL(known, 0)", 1, None, "ALARM"),
        ("errors - FILL(known, 0)", 2, 1, "ALARM"),
        ("errors - FILL(known, 0)", 2, 2, "OK"),
        ("errors - FILL(known, 0)", None, 2, "OK"),
        ("errors - known", 1, None, "OK"),  # no datapoint where one of two is missing
    ],
)
def test_metric_math_is_evaluated_as_cloudwatch_defines_it(
    region: EmptyRegion, expression: str, errors: float | None, known: float | None, after: str
) -> None:
    put_math_alarm(region, expression)
    for metric, value in (("Errors", errors), ("Throttles", known)):
        if value is not None:
            region.measure(metric, value, namespace="AWS/Lambda", FunctionName="f")
    evaluate_alarms(minute(1), region=region.name)
    assert state(region) == after


def test_metric_math_in_the_event_and_the_message_names_its_queries(region: EmptyRegion) -> None:
    put_math_alarm(region, "errors - FILL(known, 0)")
    region.measure("Errors", 1, namespace="AWS/Lambda", FunctionName="f")
    (change,) = evaluate_alarms(minute(1), region=region.name)
    (alarm,) = cloudwatch_backends[ACCOUNT_ID][region.name].alarms.values()
    assert change.after == "ALARM"
    metrics = state_change(alarm, RAISED, RAISED, region=region.name)["detail"]["configuration"]["metrics"]
    assert [one["id"] for one in metrics] == ["left", "errors", "known"]
    assert metrics[0]["expression"] == "errors - FILL(known, 0)"
    assert metrics[1]["metricStat"]["metric"]["dimensions"] == {"FunctionName": "f"}
    trigger = notification(alarm, RAISED, RAISED, region=region.name)["Trigger"]
    assert (trigger["Period"], trigger["Metrics"][0]["Label"]) == (300, "what is left")
    assert "MetricName" not in trigger


def test_unknown_metric_math_is_refused(region: EmptyRegion) -> None:
    put_math_alarm(region, "ANOMALY_DETECTION_BAND(errors)")
    with pytest.raises(NotImplementedError, match="does not know 'ANOMALY_DETECTION_BAND"):
        evaluate_alarms(minute(1), region=region.name)


def test_change_shows_in_describe_alarms_with_reason_and_data(region: EmptyRegion) -> None:
    put_alarm(region, EvaluationPeriods=2, DatapointsToAlarm=1)
    lose(region, 0.25, 0)
    evaluate_alarms(minute(2), region=region.name)
    (alarm,) = region.client("cloudwatch").describe_alarms(AlarmNames=[NAME])["MetricAlarms"]
    assert alarm["StateUpdatedTimestamp"] == minute(2)
    assert alarm["StateReason"] == (
        "Threshold Crossed: 1 out of the last 2 datapoints [0.25 (23/11/26 20:00:00)] was greater than "
        "the threshold (0.1) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    assert json.loads(alarm["StateReasonData"]) == {
        "version": "1.0",
        "queryDate": "2026-11-23T20:02:00.000+0000",
        "startDate": "2026-11-23T20:00:00.000+0000",
        "statistic": "Average",
        "period": 60,
        "recentDatapoints": [0.25, 0.0],
        "threshold": 0.1,
    }


@pytest.mark.parametrize(
    ("points", "missing", "reason"),
    [
        ((), "breaching", "no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching]."),
        ((9,), "breaching", "[9.0 (23/11/26 20:00:00)] was greater than the threshold (0.1) and 1 missing datapoint was treated as [Breaching] (minimum 2 datapoints for OK -> ALARM transition)."),
        ((0, 9), "missing", "1 out of the last 2 datapoints [0.0 (23/11/26 20:00:00)] was not greater than the threshold (0.1) (minimum 1 datapoint for ALARM -> OK transition)."),
        ((9,), "notBreaching", "Threshold Crossed: 1 missing datapoint was treated as [NonBreaching]."),
    ],
)  # fmt: skip
def test_reason_names_datapoints_that_counted_or_were_missing(
    region: EmptyRegion, points: tuple[float, ...], missing: str, reason: str
) -> None:
    put_alarm(region, EvaluationPeriods=2, TreatMissingData=missing)
    lose(region, *points)
    evaluate_alarms(minute(2), region=region.name)
    (alarm,) = region.client("cloudwatch").describe_alarms(AlarmNames=[NAME])["MetricAlarms"]
    assert alarm["StateReason"].endswith(reason)


def test_lost_data_is_insufficient_data(region: EmptyRegion) -> None:
    put_alarm(region)
    lose(region, 0)
    evaluate_alarms(minute(1), region=region.name)
    evaluate_alarms(minute(9), region=region.name)
    (alarm,) = region.client("cloudwatch").describe_alarms(AlarmNames=[NAME])["MetricAlarms"]
    assert alarm["StateReason"] == "Insufficient Data: 1 datapoint was unknown."
    assert json.loads(alarm["StateReasonData"])["recentDatapoints"] == []


def test_change_sends_the_event_that_aws_documents(region: EmptyRegion) -> None:
    machine = region.state_machine()
    region.rule("all", {"source": ["aws.cloudwatch"]}, {"Id": "workflow", "Arn": machine})
    put_alarm(region, Unit="Percent", Dimensions=[{"Name": "FlowARN", "Value": FLOW}])
    region.client("cloudwatch").put_metric_data(
        Namespace="AWS/MediaConnect",
        MetricData=[
            {"MetricName": "SourcePacketLossPercent", "Dimensions": [{"Name": "FlowARN", "Value": FLOW}],
             "Timestamp": minute(number), "Value": value, "Unit": "Percent"}
            for number, value in enumerate((0.0, 9.0))
        ],
    )  # fmt: skip
    (change,) = evaluate_alarms(minute(1), region=region.name)
    (first,) = [region.execution_input(delivery.execution_arn) for delivery in change.deliveries]
    assert first["detail"]["state"]["value"] == "OK"
    # A new alarm has not been evaluated, so its reason has no data.
    assert first["detail"]["previousState"]["reason"] == "Unchecked: Initial alarm creation"
    assert "reasonData" not in first["detail"]["previousState"]

    (change,) = evaluate_alarms(minute(2) + timedelta(milliseconds=40), region=region.name)
    (second,) = [region.execution_input(delivery.execution_arn) for delivery in change.deliveries]
    reason_data = json.loads(second["detail"]["state"].pop("reasonData"))
    assert reason_data["recentDatapoints"] == [9.0]
    assert second["detail"]["state"].pop("reason").startswith("Threshold Crossed: 1 out of the last 1 datapoints")
    assert second == {
        "version": "0",
        "id": second["id"],
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": "123456789012",
        "time": "2026-11-23T20:02:00Z",
        "region": "eu-west-1",
        "resources": [f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{NAME}"],
        "detail": {
            "alarmName": NAME,
            "state": {"value": "ALARM", "timestamp": "2026-11-23T20:02:00.040+0000"},
            "previousState": first["detail"]["state"],
            "configuration": {
                "description": "Packets are lost.",
                "metrics": [
                    {
                        "id": "m1",
                        "metricStat": {
                            "metric": {
                                "namespace": "AWS/MediaConnect",
                                "name": "SourcePacketLossPercent",
                                "dimensions": {"FlowARN": FLOW},
                            },
                            "period": 60,
                            "stat": "Average",
                            "unit": "Percent",
                        },
                        "returnData": True,
                    }
                ],
            },
        },
    }
    assert [(delivery.rule, delivery.target_arn) for delivery in change.deliveries] == [("all", machine)]


def test_each_state_publishes_to_its_own_actions(region: EmptyRegion) -> None:
    topics = {name: region.topic(name) for name in ("ALARM", "OK", "INSUFFICIENT_DATA")}
    put_alarm(
        region,
        AlarmActions=[topics["ALARM"]],
        OKActions=[topics["OK"]],
        InsufficientDataActions=[topics["INSUFFICIENT_DATA"]],
    )
    lose(region, 9, 0)
    for number in (1, 2, 9):
        evaluate_alarms(minute(number), region=region.name)
    sent = [(message.topic_arn, json.loads(message.message)) for message in published(region=region.name)]
    assert [(topic, message["OldStateValue"], message["NewStateValue"]) for topic, message in sent] == [
        (topics["ALARM"], "INSUFFICIENT_DATA", "ALARM"),
        (topics["OK"], "ALARM", "OK"),
        (topics["INSUFFICIENT_DATA"], "OK", "INSUFFICIENT_DATA"),
    ]


def test_message_of_an_alarm_has_the_form_of_cloudwatch(region: EmptyRegion) -> None:
    topic = region.topic("chain")
    put_alarm(region, AlarmActions=[topic])
    lose(region, 9)
    evaluate_alarms(minute(1), region=region.name)
    (sent,) = published(region=region.name)
    assert sent.subject == f'ALARM: "{NAME}" in Europe (Ireland)'
    message = json.loads(sent.message)
    assert message["StateChangeTime"] == "2026-11-23T20:01:00.000+0000"
    assert {key: message[key] for key in ("AlarmName", "AlarmDescription", "AWSAccountId", "Region", "AlarmArn")} == {
        "AlarmName": NAME,
        "AlarmDescription": "Packets are lost.",
        "AWSAccountId": "123456789012",
        "Region": "Europe (Ireland)",
        "AlarmArn": f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{NAME}",
    }
    assert message["Trigger"] == {
        "MetricName": "SourcePacketLossPercent",
        "Namespace": "AWS/MediaConnect",
        "StatisticType": "Statistic",
        "Statistic": "AVERAGE",
        "Unit": None,
        "Dimensions": [{"value": FLOW, "name": "FlowARN"}],
        "Period": 60,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0.1,
        "TreatMissingData": "missing",
        "EvaluateLowSampleCountPercentile": "",
    }


def test_subject_of_a_long_name_is_cut_to_what_sns_takes() -> None:
    assert subject("ALARM", "short", region="us-east-1") == 'ALARM: "short" in US East (N. Virginia)'
    long = subject("INSUFFICIENT_DATA", "a" * 200, region="us-east-1")
    assert len(long) == 100
    assert long.endswith('aaa..." in US East (N. Virginia)')


def test_disabled_actions_publish_nothing(region: EmptyRegion) -> None:
    """The event is sent nevertheless."""
    region.rule("all", {"source": ["aws.cloudwatch"]}, {"Id": "workflow", "Arn": region.state_machine()})
    put_alarm(region, AlarmActions=[region.topic("chain")], ActionsEnabled=False)
    lose(region, 9)
    (change,) = evaluate_alarms(minute(1), region=region.name)
    assert published(region=region.name) == []
    assert len(change.deliveries) == 1


def test_lasting_state_is_published_once(region: EmptyRegion) -> None:
    put_alarm(region, AlarmActions=[region.topic("chain")])
    lose(region, 9, 9, 9)
    changes = [len(evaluate_alarms(minute(number), region=region.name)) for number in (1, 2, 3)]
    assert changes == [1, 0, 0]
    assert len(published(region=region.name)) == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"Statistic": None, "ExtendedStatistic": "p99"}, "use a metric or metric math"),
        ({"AlarmActions": ["arn:aws:lambda:eu-west-1:123456789012:function:any"]}, "use a topic"),
    ],
)
def test_unknown_kind_of_alarm_or_action_is_refused(region: EmptyRegion, settings: dict[str, Any], words: str) -> None:
    put_alarm(region, **settings)
    lose(region, 9)
    with pytest.raises(NotImplementedError, match=words):
        evaluate_alarms(minute(1), region=region.name)


def test_alarms_can_be_listed_while_others_are_created(region: EmptyRegion) -> None:
    put_alarm(region)
    for number, _ in enumerate(cloudwatch_backends[ACCOUNT_ID][region.name].alarms.values()):
        put_alarm(region, f"another-{number}")
