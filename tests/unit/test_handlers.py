"""The edges of both functions: which calls they make, how many, and that what fails is raised."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from alert_handler import handler as alert
from alert_handler.handler import ReportError
from alert_handler.incident import decide
from alert_handler.record import Record, nothing_known
from report import Report
from stream_monitor import handler as monitor
from stream_monitor.handler import MonitorError
from stream_monitor.trigger import TriggerError
from tests.properties.memory import World
from tests.unit.stream import EXECUTION, FLOW_ARN, PRESENCE, STARTED, check, issue, policy, report, rule

BAD = issue()
WORSE = issue("SourceJitter", "MEDIUM", value=80.0, threshold=50.0)


@cache
def client(service: str) -> Any:
    make: Any = boto3.client
    return make(service, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


def stubbed(service: str) -> tuple[Any, Stubber]:
    return client(service), Stubber(client(service))


class Aws:
    """Stubs of the three services that the monitor asks; each answers only the calls it expects, in order."""

    def __init__(self) -> None:
        (self._ssm, self.ssm), (self._flow, self.flow), (self._metrics, self.metrics) = map(
            stubbed, ("ssm", "mediaconnect", "cloudwatch")
        )

    def clients(self) -> tuple[Any, Any, Any]:
        return self._ssm, self._flow, self._metrics

    def answers(
        self, *, value: object = None, status: str = "ACTIVE", results: Any = None, outputs: Any = (), **more: Any
    ) -> None:
        text = value if isinstance(value, str) else json.dumps(value or policy())
        self.ssm.add_response(
            "get_parameter", {"Parameter": {"Value": text}}, {"Name": "/media-workflow/prod/flows/live-stream"}
        )
        flow = {
            "FlowArn": FLOW_ARN,
            "Name": "live-stream",
            "Status": status,
            "AvailabilityZone": "z",
            "Entitlements": [],
            "Outputs": list(outputs),
            "Source": {"Name": "s", "SourceArn": "a"},
        }
        self.flow.add_response("describe_flow", {"Flow": flow}, {"FlowArn": FLOW_ARN})
        if status == "ACTIVE":
            programs = [
                {"PcrPid": 1, "ProgramNumber": 1, "ProgramPid": 1, "Streams": [{"Pid": 2, "StreamType": "Video"}]}
            ]
            info = {"FlowArn": FLOW_ARN, "Messages": [], "TransportMediaInfo": {"Programs": programs}}
            self.flow.add_response("describe_flow_source_metadata", info, {"FlowArn": FLOW_ARN})
        if results is not None:
            self.metrics.add_response("get_metric_data", {"MetricDataResults": results, **more})

    def all_asked(self) -> None:
        for stub in (self.ssm, self.flow, self.metrics):
            stub.assert_no_pending_responses()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    stubs = Aws()
    monkeypatch.setenv("ENVIRONMENT", "prod")
    monkeypatch.setenv("POLICY_PREFIX", "/media-workflow/prod/flows/")
    monkeypatch.setattr(monitor, "clients", stubs.clients)
    monkeypatch.setattr(monitor, "metadata_client", lambda: stubs.clients()[1])
    with stubs.ssm, stubs.flow, stubs.metrics:
        yield stubs


def series(number: int, *values: float, **more: Any) -> dict[str, Any]:
    times = [datetime(2026, 11, 23, 20, 4 - back, tzinfo=UTC) for back in range(len(values))]
    return {"Id": f"q{number}", "StatusCode": "Complete", "Timestamps": times, "Values": list(values), **more}


EVENT = {"input": {"flow_name": "live-stream"}, "started": STARTED, "execution": EXECUTION}


def test_check_asks_each_service_once_however_many_rules(aws: Aws) -> None:
    rules = [rule(key=f"r{number}", metric=f"M{number}", missing="notBreaching") for number in range(20)]
    aws.answers(value=policy(rules=rules), results=[series(number, 0.0) for number in range(20)])
    assert monitor.lambda_handler(EVENT, None)["healthy"]
    aws.all_asked()


RECEIVERS = rule(
    key="output-disconnected", about="OutputConnected", metric="OutputConnected", statistic="Minimum",
    comparison="LessThanThreshold", threshold=1, evaluation_periods=2, datapoints_to_alarm=2,
)  # fmt: skip


def receiver(name: str, status: str) -> dict[str, Any]:
    return {"Name": name, "OutputArn": f"arn:{name}", "OutputStatus": status}


@pytest.mark.parametrize("connected", [0.0, 1.0])
def test_enabled_outputs_are_read_one_by_one_beside_a_disabled_one(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, connected: float
) -> None:
    given = [receiver("one", "ENABLED"), receiver("spare", "DISABLED"), receiver("two", "ENABLED")]
    aws.answers(value=policy(rules=[RECEIVERS], outputs=["one", "two"]), outputs=given)
    asked: dict[str, Any] = {}
    begun = datetime(2026, 11, 23, 20, 5, tzinfo=UTC)

    def answer(**parameters: Any) -> dict[str, Any]:
        asked.update(parameters)
        times = [begun - timedelta(minutes=back) for back in (2, 1)]
        values = {"arn:one": [1.0, 1.0], "arn:two": [connected, connected]}
        return {
            "MetricDataResults": [
                {
                    "Id": query["Id"],
                    "StatusCode": "Complete",
                    "Timestamps": times,
                    "Values": values[query["MetricStat"]["Metric"]["Dimensions"][0]["Value"]],
                }
                for query in parameters["MetricDataQueries"]
            ]
        }

    monkeypatch.setattr(aws.clients()[2], "get_metric_data", answer)
    found = monitor.lambda_handler(EVENT, None)
    dimensions = [query["MetricStat"]["Metric"]["Dimensions"] for query in asked["MetricDataQueries"]]
    assert dimensions == [[{"Name": "OutputARN", "Value": f"arn:{name}"}] for name in ("one", "two")]
    assert found["healthy"] is (connected == 1)


def test_metric_of_the_flow_is_read_while_all_outputs_are_enabled(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.answers(value=policy(rules=[RECEIVERS]), outputs=[receiver("one", "ENABLED")])
    asked: dict[str, Any] = {}

    def answer(**parameters: Any) -> dict[str, Any]:
        asked.update(parameters)
        return {"MetricDataResults": [series(0, 1.0)]}

    monkeypatch.setattr(aws.clients()[2], "get_metric_data", answer)
    assert monitor.lambda_handler(EVENT, None)["healthy"]
    (query,) = asked["MetricDataQueries"]
    assert query["MetricStat"]["Metric"]["Dimensions"] == [{"Name": "FlowARN", "Value": FLOW_ARN}]


def test_rules_on_the_same_series_share_a_query(aws: Aws) -> None:
    aws.answers(value=policy(rules=[rule(), rule(key="early", datapoints_to_alarm=1)]), results=[series(0, 2.0)])
    assert monitor.lambda_handler(EVENT, None)["issues"][0]["value"] == 2.0


def asked_of_cloudwatch(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What GetMetricData is asked, once it was; it answers a healthy stream."""
    asked: dict[str, Any] = {}

    def answer(**parameters: Any) -> dict[str, Any]:
        asked.update(parameters)
        return {"MetricDataResults": [series(0, 8e6), series(1, 0.0)]}

    monkeypatch.setattr(aws.clients()[2], "get_metric_data", answer)
    return asked


def test_query_covers_this_flow_up_to_the_trigger(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.answers()
    asked = asked_of_cloudwatch(aws, monkeypatch)
    monitor.lambda_handler(EVENT, None)
    assert asked["EndTime"] == datetime(2026, 11, 23, 20, 5, tzinfo=UTC)
    stat = asked["MetricDataQueries"][0]["MetricStat"]
    assert (stat["Metric"]["MetricName"], stat["Stat"], stat["Period"]) == ("SourceBitRate", "Maximum", 60)
    assert stat["Metric"]["Dimensions"] == [{"Name": "FlowARN", "Value": FLOW_ARN}]


@pytest.mark.parametrize(("started", "until"), [("20:28:10", "20:28:00"), ("23:00:00", "21:03:00")])
def test_late_event_is_evaluated_with_later_datapoints(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, started: str, until: str
) -> None:
    aws.answers()
    asked = asked_of_cloudwatch(aws, monkeypatch)
    event = {"flow_name": "live-stream", "time": "2026-11-23T20:03:00Z"}
    found = monitor.lambda_handler({"input": event, "started": f"2026-11-23T{started}Z"}, None)
    assert (found["timestamp"], found["started"]) == ("2026-11-23T20:03:00+00:00", f"2026-11-23T{started}+00:00")
    assert f"{asked['EndTime']:%H:%M:%S}" == until


def test_unfinished_minute_is_not_read_beside_rules_of_seconds(aws: Aws) -> None:
    fast = rule(key="early", metric="SourcePacketLossPercent", period=10, evaluation_periods=18, datapoints_to_alarm=1)
    jitter = rule(key="jitter", metric="SourceJitter", evaluation_periods=1, datapoints_to_alarm=1)
    begun = datetime(2026, 11, 23, 20, 5, tzinfo=UTC)
    read = {"Id": "q0", "StatusCode": "Complete", "Values": [0.0, 70.0]}
    late = series(1, 0.0) | {"Timestamps": [begun.replace(second=20)]}
    aws.answers(
        value=policy(rules=[fast, jitter]), results=[read | {"Timestamps": [begun - timedelta(minutes=1), begun]}, late]
    )
    assert monitor.lambda_handler(EVENT, None)["healthy"]


def test_stopped_flow_is_checked_without_metrics(aws: Aws) -> None:
    aws.answers(status="STANDBY")
    assert monitor.lambda_handler(EVENT, None)["flow_status"] == "STANDBY"
    aws.all_asked()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"value": "[]"}, "is not a monitoring policy"),
        ({"value": "not json"}, "is not a monitoring policy"),
        ({"value": {"rules": []}}, "lacks"),
        ({"results": [series(0, 8e6)]}, "answered 1 of 2 series"),
        ({"results": [series(0, 8e6), series(1, 0.0, StatusCode="PartialData")]}, "in part"),
        ({"results": [series(0, 8e6), series(1, 0.0)], "NextToken": "more"}, "series"),
    ],
)
def test_partial_answer_is_an_error(aws: Aws, answer: dict[str, Any], words: str) -> None:
    aws.answers(**answer)
    with pytest.raises(MonitorError, match=words):
        monitor.lambda_handler(EVENT, None)


def test_refusal_of_aws_reaches_the_state_machine(aws: Aws) -> None:
    aws.ssm.add_client_error("get_parameter", "ThrottlingException")
    with pytest.raises(ClientError, match="ThrottlingException"):
        monitor.lambda_handler(EVENT, None)


ALERT = {"source": "aws.mediaconnect", "detail-type": "MediaConnect Alert", "time": "2026-11-23T20:05:00Z"}
OTHER_FLOW = FLOW_ARN.replace("flow:1-", "flow:2-")


@pytest.mark.parametrize("given", [{**ALERT, "resources": []}, {"kind": "schedule"}])
def test_unusable_event_or_schedule_raises(aws: Aws, given: dict[str, Any]) -> None:
    with pytest.raises(TriggerError):
        monitor.lambda_handler({"input": given, "started": STARTED}, None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "names no flow"),
        ("nonsense", "the input is a str"),
        ({"flow_arn": "arn:aws:s3:::bucket"}, "is not the ARN of a MediaConnect flow"),
        ({"flow_name": "live-stream", "time": "2099-01-01T00:00:00Z"}, "is in the future"),
    ],
)
def test_unusable_input_of_a_person_is_refused_with_the_fix(aws: Aws, given: object, words: str) -> None:
    refused = monitor.lambda_handler({"input": given, "started": STARTED}, None)["refused"]
    assert words in refused
    assert f"The input was {json.dumps(given)}." in refused
    assert "environments/prod.toml" in refused
    aws.all_asked()


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        ({"flow_name": "live-stream"}, False),
        ({"flow_arn": FLOW_ARN}, False),
        ({"kind": "schedule", "flow_arn": FLOW_ARN, "time": "2026-11-23T20:05:00Z"}, True),
        ({**ALERT, "resources": [FLOW_ARN]}, True),
    ],
)
def test_missing_policy_is_refused_for_a_person_and_raised_otherwise(
    aws: Aws,
    given: dict[str, Any],
    ours: bool,  # noqa: FBT001
) -> None:
    aws.ssm.add_client_error("get_parameter", "ParameterNotFound")
    if ours:
        with pytest.raises(MonitorError, match="no flow 'live-stream' is monitored here"):
            monitor.lambda_handler({"input": given, "started": STARTED}, None)
    else:
        assert "'live-stream'" in monitor.lambda_handler({"input": given, "started": STARTED}, None)["refused"]


def test_policy_of_another_flow_with_the_same_name_is_refused(aws: Aws) -> None:
    aws.ssm.add_response("get_parameter", {"Parameter": {"Value": json.dumps(policy())}})
    answer = monitor.lambda_handler({"input": {"flow_arn": OTHER_FLOW}, "started": STARTED}, None)
    assert f"not of {OTHER_FLOW}" in answer["refused"]
    aws.all_asked()


@pytest.mark.parametrize("key", ["flow", "flow_arn", "flow_name", "detail-type"])
def test_long_input_is_quoted_in_part(aws: Aws, key: str) -> None:
    answer = monitor.lambda_handler({"input": {key: "x" * 200_000}, "started": STARTED}, None)
    assert len(answer["refused"]) < 3000


class Desk:
    """Stubs of the table and the topic."""

    def __init__(self) -> None:
        (self._table, self.table), (self._topic, self.topic) = map(stubbed, ("dynamodb", "sns"))

    def clients(self) -> tuple[Any, Any]:
        return self._table, self._topic

    def holds(self, record: Record | None = None, version: int = 1) -> None:
        item = {"record": {"S": json.dumps(record)}, "version": {"N": str(version)}}
        asked = {"TableName": "incidents", "Key": {"flow": {"S": "live-stream"}, "entry": {"S": "current"}}}
        self.table.add_response("get_item", {"Item": item} if record else {}, asked | {"ConsistentRead": True})


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    stubs = Desk()
    monkeypatch.setenv("TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:alerts")
    monkeypatch.setenv("TABLE_NAME", "incidents")
    monkeypatch.setenv("ENVIRONMENT", "prod")
    monkeypatch.setattr(alert, "clients", stubs.clients)
    with stubs.table, stubs.topic:
        yield stubs
        stubs.table.assert_no_pending_responses()
        stubs.topic.assert_no_pending_responses()


SAVE = {
    "TableName": "incidents",
    "Item": ANY,
    "ConditionExpression": "attribute_not_exists(#version) OR #version = :over",
    "ExpressionAttributeNames": {"#version": "version"},
    "ExpressionAttributeValues": {":over": {"N": "0"}},
}
SAVE_OVER = SAVE | {"ExpressionAttributeValues": {":over": {"N": "1"}}}


def test_new_incident_is_saved_published_with_attributes_and_saved(desk: Desk) -> None:
    desk.holds(None)
    desk.table.add_response("put_item", {}, SAVE)
    wanted = {
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:alerts",
        "Subject": "[HIGH] live-stream (prod): Viewers see blocks.",
        "Message": ANY,
        "MessageStructure": "json",
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value}
            for name, value in {
                "kind": "opened",
                "severity": "HIGH",
                "flow": "live-stream",
                "environment": "prod",
                "id": "live-stream/2026-11-23T20:05:30+00:00/1",
            }.items()
        },
    }
    desk.topic.add_response("publish", {"MessageId": "m-1"}, wanted)
    desk.table.add_response("put_item", {}, SAVE_OVER)
    answer = alert.lambda_handler({"report": report(), "execution": EXECUTION}, None)
    assert answer == {"sent": ["live-stream/2026-11-23T20:05:30+00:00/1"]}


def fields(log: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The events of the log with the fields that Lambda's JSON format makes keys of."""
    plain = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
    return [
        {"event": record.getMessage()} | {key: value for key, value in vars(record).items() if key not in plain}
        for record in log.records
        if record.name == "media_workflow"
    ]


def counted(out: str) -> dict[str, float]:
    """The metrics that lines in CloudWatch's embedded metric format hold; each has one dimension."""
    found: dict[str, float] = {}
    for line in map(json.loads, out.splitlines()):
        (described,) = line["_aws"]["CloudWatchMetrics"]
        assert (described["Namespace"], described["Dimensions"], line["Environment"]) == (
            "MediaWorkflow", [["Environment"]], "prod"
        )  # fmt: skip
        found |= {metric["Name"]: line[metric["Name"]] for metric in described["Metrics"]}
    return found


IDS = {"flow": "live-stream", "execution": EXECUTION}


def test_check_logs_its_findings_and_is_counted(
    aws: Aws, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.answers(value=policy(rules=[rule(evaluation_periods=1, datapoints_to_alarm=1)]), results=[series(0, 2.4)])
    monitor.lambda_handler({**EVENT, "retries": 1}, None)
    assert fields(caplog) == [
        {"event": "retry", **IDS, "retries": 1},
        {
            "event": "issue found", **IDS, "severity": "HIGH", "about": "SourcePacketLossPercent",
            "metric": "SourcePacketLossPercent", "value": 2.4, "evidence": "metric",
        },
        {
            "event": "check done", **IDS, "severity": "HIGH", "healthy": False, "status": "ACTIVE",
            "trigger": "person", "trigger_name": "person", "as_of": "2026-11-23T20:05:00+00:00",
        },
    ]  # fmt: skip
    assert counted(capsys.readouterr().out) == {"Checks": 1}


def test_refused_input_is_logged_and_counted(
    aws: Aws, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = monitor.lambda_handler({**EVENT, "input": {}}, None)
    assert fields(caplog) == [{"event": "input refused", "execution": EXECUTION, "reason": answer["refused"]}]
    assert counted(capsys.readouterr().out) == {"InputsRefused": 1}


def test_incident_and_notification_are_logged_and_counted(
    desk: Desk, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.holds(None)
    desk.table.add_client_error("put_item", "ConditionalCheckFailedException")
    desk.holds(None)
    for _ in range(2):
        desk.table.add_response("put_item", {})
    desk.topic.add_response("publish", {"MessageId": "m-1"})
    alert.lambda_handler({"report": report(), "execution": EXECUTION, "retries": 2}, None)
    incident = {"incident": "2026-11-23T20:05:30+00:00", "severity": "HIGH"}
    assert fields(caplog) == [
        {"event": "retry", **IDS, "retries": 2},
        {"event": "retry", **IDS, "reason": "another execution saved the record"},
        {"event": "incident opened", **IDS, **incident},
        {
            "event": "notification sent",
            **IDS,
            **incident,
            "kind": "opened",
            "id": f"live-stream/{incident['incident']}/1",
        },
    ]
    assert counted(capsys.readouterr().out) == {"NotificationsSent": 1, "IncidentsOpened": 1}


@pytest.mark.parametrize(
    ("reports", "events"),
    [
        ([check(0, WORSE), check(60, BAD), check(120, BAD)], ["incident opened", "incident escalated"]),
        ([check(0, BAD), check(60), check(120)], ["incident opened", "incident resolved"]),
        ([check(0), check(60)], []),
    ],
)
def test_each_change_of_an_incident_is_logged_once(
    caplog: pytest.LogCaptureFixture, reports: list[Report], events: list[str]
) -> None:
    caplog.set_level("INFO")
    world = World()
    for number, found in enumerate(reports):
        world.execute(found, f"execution-{number}")
    assert [found["event"] for found in fields(caplog)] == events


def test_quiet_check_reads_one_item_and_writes_nothing(desk: Desk) -> None:
    desk.holds({**nothing_known(), "status": "ACTIVE"})
    assert alert.lambda_handler({"report": check()}, None) == {"sent": []}


def test_record_closed_in_the_future_silences_nothing(desk: Desk) -> None:
    desk.holds({**nothing_known(), "closed": "2099-01-01T00:00:00+00:00"})
    desk.table.add_response("put_item", {}, SAVE_OVER)
    desk.topic.add_response("publish", {"MessageId": "m-1"})
    desk.table.add_response("put_item", {}, SAVE | {"ExpressionAttributeValues": {":over": {"N": "2"}}})
    assert alert.lambda_handler({"report": report(), "execution": EXECUTION}, None)["sent"]


def test_message_that_sns_refuses_reaches_the_state_machine(desk: Desk) -> None:
    desk.holds(None)
    desk.table.add_response("put_item", {}, SAVE)
    desk.topic.add_client_error("publish", "KMSAccessDenied")
    with pytest.raises(ClientError, match="KMSAccessDenied"):
        alert.lambda_handler({"report": report(), "execution": EXECUTION}, None)


def test_lost_save_is_decided_again_and_other_errors_are_raised(desk: Desk) -> None:
    desk.holds(None)
    desk.table.add_client_error("put_item", "ConditionalCheckFailedException")
    opened, _ = decide(nothing_known(), report())
    desk.holds({**opened, "pending": []})
    desk.table.add_client_error("put_item", "ProvisionedThroughputExceededException")
    later = report(timestamp="2026-11-23T20:06:30+00:00")
    with pytest.raises(ClientError, match="ProvisionedThroughputExceeded"):
        alert.lambda_handler({"report": later, "execution": EXECUTION}, None)


@pytest.mark.parametrize("event", [{}, {"report": None}, {"report": {}}])
def test_missing_report_is_an_error(desk: Desk, event: dict[str, Any]) -> None:
    with pytest.raises(ReportError):
        alert.lambda_handler(event, None)


@pytest.mark.parametrize("key", sorted(Report.__required_keys__))
def test_incomplete_report_is_an_error(desk: Desk, key: str) -> None:
    broken: Any = {name: value for name, value in report().items() if name != key}
    with pytest.raises(ReportError, match=f"lacks {key}"):
        alert.lambda_handler({"report": broken}, None)


def test_presence_is_a_rule_that_silence_breaks(aws: Aws) -> None:
    aws.answers(value=policy(rules=[PRESENCE]), results=[series(0)])
    aws.metrics.add_response("get_metric_data", {"MetricDataResults": [series(0, 60.0)]})
    found = monitor.lambda_handler(EVENT, None)
    assert (found["healthy"], found["issues"], found["as_of"], found["source_metadata"]) == (False, [], "", "present")
    assert found["silence"]["issue"]["evidence"] == "no data"
    assert found["silence"]["others_arrive"]
    aws.all_asked()


def test_missing_further_evidence_fails_no_check(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.answers(value=policy(rules=[PRESENCE]), results=[series(0)])
    aws.metrics.add_client_error("get_metric_data", "Throttling")
    monkeypatch.setattr(monitor, "metadata_client", Refusing)
    found = monitor.lambda_handler(EVENT, None)
    assert "source_metadata" not in found
    assert not found["silence"]["others_arrive"]


class Refusing:
    """A client without the permission."""

    def describe_flow_source_metadata(self, **_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeFlowSourceMetadata")
