"""Events reach what their rules say, or the dead-letter queue; patterns match as EventBridge documents them."""

import json
from typing import Any

import pytest

from tests.local.empty_region import ROLE, EmptyRegion, minute
from tools.local_aws import LocalAws, executions
from tools.local_aws.eventbridge import Delivery, deliver, event, transformed
from tools.local_aws.gaps.lambda_runs_the_zip import INVOCATIONS
from tools.local_aws.matching import matches

FLOW = "arn:aws:mediaconnect:eu-west-1:123456789012:flow:1-a:channel-one"
ALERT = event(
    source="aws.mediaconnect",
    detail_type="MediaConnect Alert",
    detail={"errored": True, "error-code": "SourceStreamError", "sources": [{"name": "main"}, {"name": "backup"}]},
    resources=[FLOW],
    time=minute(0),
    region="eu-west-1",
)
PATTERN = {"source": ["aws.mediaconnect"]}


@pytest.fixture
def region(aws: LocalAws) -> EmptyRegion:
    return EmptyRegion(aws)


def received(execution_arn: str | None) -> Any:
    """The input of an execution, once it has ended."""
    assert execution_arn
    executions.wait_for(execution_arn)
    backend = executions._backend(execution_arn)
    return json.loads(backend.describe_execution(execution_arn).execution_input)


DETAIL = {
    "state": {"value": "ALARM", "previous": None},
    "title": "News*",
    "count": 300,
    "ratio": 300.0,
    "errored": True,
    "address": "192.0.2.7",
    "tags": ["live", "main"],
    "empty": [],
    "configuration": {
        "metrics": [
            {"id": "m1", "metricStat": {"period": 60, "metric": {"namespace": "AWS/MediaConnect", "name": "A"}}},
            {"id": "m2", "metricStat": {"period": 300, "metric": {"namespace": "AWS/Lambda", "name": "B"}}},
        ]
    },
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({}, True),
        ({"state": {"value": ["OK", "ALARM"]}}, True),
        ({"state": {"value": ["alarm"]}}, False),
        ({"state": {"value": ["ALARM"]}, "count": [1]}, False),
        ({"state": {"previous": [None]}}, True),
        ({"state": {"value": [None]}}, False),
        ({"errored": [True]}, True),
        ({"errored": [1]}, False),
        ({"errored": ["true"]}, False),
        # Numbers are compared as they are written.
        ({"count": [300]}, True),
        ({"count": [300.0]}, False),
        ({"ratio": [300.0]}, True),
        ({"count": ["300"]}, False),
        ({"tags": ["main"]}, True),
        ({"tags": ["backup"]}, False),
        ({"state": {"value": [{"prefix": "AL"}]}}, True),
        ({"state": {"value": [{"prefix": "al"}]}}, False),
        ({"state": {"value": [{"prefix": {"equals-ignore-case": "al"}}]}}, True),
        ({"state": {"value": [{"suffix": "RM"}]}}, True),
        ({"state": {"value": [{"suffix": {"equals-ignore-case": "rm"}}]}}, True),
        ({"state": {"value": [{"suffix": "AL"}]}}, False),
        ({"state": {"value": [{"equals-ignore-case": "Alarm"}]}}, True),
        ({"state": {"value": [{"equals-ignore-case": "Alar"}]}}, False),
        ({"state": {"value": [{"wildcard": "A*R*"}]}}, True),
        ({"state": {"value": [{"wildcard": "A*X"}]}}, False),
        ({"state": {"value": [{"wildcard": "A.*"}]}}, False),
        ({"state": {"value": [{"wildcard": "ALARM\\*"}]}}, False),
        ({"title": [{"wildcard": "News\\*"}]}, True),
        ({"state": {"value": [{"anything-but": "ALARM"}]}}, False),
        ({"state": {"value": [{"anything-but": ["OK", "ALARM"]}]}}, False),
        ({"state": {"value": [{"anything-but": ["OK"]}]}}, True),
        ({"state": {"value": [{"anything-but": {"prefix": "AL"}}]}}, False),
        ({"state": {"value": [{"anything-but": {"prefix": ["OK", "AL"]}}]}}, False),
        ({"state": {"value": [{"anything-but": {"wildcard": "O*"}}]}}, True),
        ({"count": [{"anything-but": 300}]}, False),
        ({"absent": [{"anything-but": "x"}]}, False),
        ({"count": [{"numeric": [">", 0, "<=", 300]}]}, True),
        ({"count": [{"numeric": [">", 0, "<", 300]}]}, False),
        ({"count": [{"numeric": ["=", 300]}]}, True),
        ({"errored": [{"numeric": [">", 0]}]}, False),
        ({"state": {"value": [{"numeric": [">", 0]}]}}, False),
        ({"address": [{"cidr": "192.0.2.0/24"}]}, True),
        ({"address": [{"cidr": "198.51.100.0/24"}]}, False),
        ({"state": {"value": [{"cidr": "192.0.2.0/24"}]}}, False),
        ({"count": [{"exists": True}]}, True),
        ({"count": [{"exists": False}]}, False),
        ({"state": {"previous": [{"exists": True}]}}, True),
        ({"absent": [{"exists": False}]}, True),
        ({"absent": [{"exists": True}]}, False),
        ({"absent": {"deeper": [{"exists": False}]}}, True),
        ({"absent": {"deeper": ["x"]}}, False),
        ({"empty": [{"exists": True}]}, False),
        ({"state": [{"exists": True}]}, False),
        ({"$or": [{"count": [1]}, {"errored": [True]}]}, True),
        ({"$or": [{"count": [1]}, {"errored": [False]}]}, False),
        ({"state": {"$or": [{"value": ["OK"]}, {"previous": [None]}]}}, True),
        ({"configuration": {"metrics": {"metricStat": {"metric": {"namespace": ["AWS/MediaConnect"]}}}}}, True),
        ({"configuration": {"metrics": {"metricStat": {"metric": {"namespace": ["AWS/S3"]}}}}}, False),
        ({"configuration": {"metrics": {"metricStat": {"metric": {"namespace": [{"prefix": "AWS/L"}]}}}}}, True),
        # Both of the same metric: no metric has the period of the other.
        ({"configuration": {"metrics": {"id": ["m1"], "metricStat": {"period": [300]}}}}, False),
        ({"configuration": {"metrics": {"id": ["m2"], "metricStat": {"period": [300]}}}}, True),
    ],
)
def test_a_pattern_matches_what_eventbridge_documents(*, pattern: dict[str, Any], expected: bool) -> None:
    assert matches({"detail": pattern}, {"detail": DETAIL}) is expected


def test_an_unknown_operator_is_said_and_not_taken_for_a_match() -> None:
    with pytest.raises(NotImplementedError, match="'regex'"):
        matches({"source": [{"regex": ".*"}]}, {"source": "aws.mediaconnect"})


def test_a_whole_event_starts_the_workflow(region: EmptyRegion) -> None:
    workflow = region.state_machine()
    region.rule("alert", PATTERN, {"Id": "workflow", "Arn": workflow, "RoleArn": ROLE})
    (delivery,) = deliver(ALERT, region=region.name)
    assert (delivery.rule, delivery.target_arn, delivery.error) == ("alert", workflow, None)
    assert received(delivery.execution_arn) == ALERT


def test_an_event_goes_through_each_enabled_rule_that_it_matches_in_the_order_of_their_names(
    region: EmptyRegion,
) -> None:
    queues = {name: region.queue(name) for name in ("a", "b", "c")}
    region.rule("z", PATTERN, {"Id": "1", "Arn": queues["a"]})
    region.rule("b", PATTERN, {"Id": "2", "Arn": queues["b"]}, {"Id": "1", "Arn": queues["c"]})
    region.rule("other", {"source": ["aws.s3"]}, {"Id": "1", "Arn": queues["a"]})
    region.rule("off", PATTERN, {"Id": "1", "Arn": queues["a"]}, state="DISABLED")
    client = region.client("events")
    client.put_rule(Name="scheduled", ScheduleExpression="rate(1 minute)")
    client.put_targets(Rule="scheduled", Targets=[{"Id": "1", "Arn": queues["a"]}])
    assert deliver(ALERT, region=region.name) == [
        Delivery(rule="b", target_arn=queues["c"]),
        Delivery(rule="b", target_arn=queues["b"]),
        Delivery(rule="z", target_arn=queues["a"]),
    ]
    assert [json.loads(message["Body"]) for message in region.waiting("a")] == [ALERT]


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ({"Input": '{"kind": "check"}'}, {"kind": "check"}),
        ({"InputPath": "$"}, ALERT),
        ({"InputPath": "$.detail.sources[1]"}, {"name": "backup"}),
        ({"InputPath": "$.detail['error-code']"}, "SourceStreamError"),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"flow": "$.resources[0]", "on": "$.detail.errored", "none": "$.detail.none"},
                    "InputTemplate": '{"flow": <flow>, "errored": <on>, "text": "of <flow>: <on><none>", "none": <none>}',
                }
            },
            {"flow": FLOW, "errored": True, "text": f"of {FLOW}: true", "none": None},
        ),
    ],
)
def test_a_target_is_given_the_part_of_the_event_that_it_asked_for(
    region: EmptyRegion, asked: dict[str, Any], given: Any
) -> None:
    region.rule("alert", PATTERN, {"Id": "workflow", "Arn": region.state_machine(), **asked})
    (delivery,) = deliver(ALERT, region=region.name)
    assert received(delivery.execution_arn) == given


def test_a_template_knows_the_rule_and_the_whole_event() -> None:
    template = '{"rule": <aws.events.rule-name>, "arn": "<aws.events.rule-arn>", "event": <aws.events.event.json>}'
    made = transformed({"InputTemplate": template}, ALERT, rule_name="alert", rule_arn="arn:rule")
    assert made == {"rule": "alert", "arn": "arn:rule", "event": ALERT}


def test_words_with_quotes_stay_words_in_a_template() -> None:
    said = {**ALERT, "detail": {"said": 'he said "no"'}}
    words = r'{"a": "<said>!", "b": <said>, "c": "\"<said>\""}'
    template = {"InputPathsMap": {"said": "$.detail.said"}, "InputTemplate": words}
    made = transformed(template, said, rule_name="", rule_arn="")
    assert made == {"a": 'he said "no"!', "b": 'he said "no"', "c": '"he said "no""'}


def test_a_topic_is_told_the_event(region: EmptyRegion) -> None:
    topic, queue = region.topic("alerts"), region.queue("reader")
    region.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    region.rule("alert", PATTERN, {"Id": "topic", "Arn": topic})
    assert deliver(ALERT, region=region.name) == [Delivery(rule="alert", target_arn=topic)]
    (message,) = region.waiting("reader")
    assert json.loads(json.loads(message["Body"])["Message"]) == ALERT


def test_a_log_group_keeps_the_event_at_its_own_time(region: EmptyRegion) -> None:
    logs = region.client("logs")
    logs.create_log_group(logGroupName="/aws/events/any")
    arn = f"arn:aws:logs:{region.name}:123456789012:log-group:/aws/events/any"
    region.rule("alert", PATTERN, {"Id": "log", "Arn": arn})
    old = {**ALERT, "time": "2001-02-03T04:05:06Z"}
    assert deliver(old, region=region.name) == [Delivery(rule="alert", target_arn=arn)]
    (kept,) = logs.get_log_events(logGroupName="/aws/events/any", logStreamName=ALERT["id"])["events"]
    assert (json.loads(kept["message"]), kept["timestamp"]) == (old, 981173106000)


def test_a_function_is_run_with_the_event(region: EmptyRegion) -> None:
    region.client("logs").create_log_group(logGroupName="/aws/lambda/reader")
    function = region.function("reader", "app.py", "def handler(event, context):\n    return event['detail-type']\n")
    region.rule("alert", PATTERN, {"Id": "function", "Arn": function})
    before = len(INVOCATIONS)
    assert deliver(ALERT, region=region.name) == [Delivery(rule="alert", target_arn=function)]
    (run,) = INVOCATIONS[before:]
    assert (run.event, run.answer, run.failed) == (ALERT, "MediaConnect Alert", False)


@pytest.mark.parametrize(
    "missing",
    [
        "states:eu-west-1:123456789012:stateMachine:gone",
        "sqs:eu-west-1:123456789012:gone",
        "sns:eu-west-1:123456789012:gone",
        "lambda:eu-west-1:123456789012:function:gone",
        "logs:eu-west-1:123456789012:log-group:gone",
    ],
)
def test_what_cannot_be_delivered_waits_in_the_dead_letter_queue_with_the_reason(
    region: EmptyRegion, missing: str
) -> None:
    rule = region.rule(
        "alert", PATTERN, {"Id": "1", "Arn": f"arn:aws:{missing}", "DeadLetterConfig": {"Arn": region.queue("dead")}}
    )
    (delivery,) = deliver(ALERT, region=region.name)
    assert delivery.error
    assert delivery.execution_arn is None
    (letter,) = region.waiting("dead")
    assert json.loads(letter["Body"]) == ALERT
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes.pop("ERROR_MESSAGE") == delivery.error
    assert attributes == {
        "RULE_ARN": rule,
        "TARGET_ARN": f"arn:aws:{missing}",
        "ERROR_CODE": "NO_RESOURCE",
        "RETRY_ATTEMPTS": "0",
    }


def test_a_template_that_makes_no_json_is_a_failed_delivery(region: EmptyRegion) -> None:
    region.rule(
        "alert",
        PATTERN,
        {
            "Id": "1",
            "Arn": region.state_machine(),
            "InputTransformer": {"InputTemplate": '{"a": <aws.events.rule-name>'},
            "DeadLetterConfig": {"Arn": region.queue("dead")},
        },
    )
    (delivery,) = deliver(ALERT, region=region.name)
    assert "which is no JSON" in str(delivery.error)
    (letter,) = region.waiting("dead")
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "INVALID_JSON"


def test_one_failing_target_does_not_keep_the_event_from_the_next(region: EmptyRegion) -> None:
    gone = f"arn:aws:sqs:{region.name}:123456789012:gone"
    region.rule("alert", PATTERN, {"Id": "1", "Arn": gone}, {"Id": "2", "Arn": region.queue("there")})
    assert [bool(delivery.error) for delivery in deliver(ALERT, region=region.name)] == [True, False]
    assert len(region.waiting("there")) == 1


def test_an_archive_on_the_bus_keeps_what_is_delivered(region: EmptyRegion) -> None:
    client = region.client("events")
    bus = f"arn:aws:events:{region.name}:123456789012:event-bus/default"
    client.create_archive(ArchiveName="kept", EventSourceArn=bus)
    assert [delivery.error for delivery in deliver(ALERT, region=region.name)] == [None]
    assert client.describe_archive(ArchiveName="kept")["EventCount"] == 1


def test_events_of_ones_own_start_the_workflow_through_put_events(region: EmptyRegion) -> None:
    workflow = region.state_machine()
    region.rule(
        "own",
        {"source": ["example.planning"], "detail": {"shows": {"name": ["news"]}}},
        {"Id": "1", "Arn": workflow},
        {"Id": "2", "Arn": region.queue("copy")},
    )
    region.rule("off", {"source": ["example.planning"]}, {"Id": "1", "Arn": workflow}, state="DISABLED")
    entry = {
        "Source": "example.planning",
        "DetailType": "Show Planned",
        "Detail": json.dumps({"shows": [{"name": "news"}]}),
        "Resources": [FLOW],
        "Time": minute(0),
    }
    answer = region.client("events").put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 0
    (execution,) = region.client("stepfunctions").list_executions(stateMachineArn=workflow)["executions"]
    assert received(execution["executionArn"]) == {
        "version": "0",
        "id": answer["Entries"][0]["EventId"],
        "detail-type": "Show Planned",
        "source": "example.planning",
        "account": "123456789012",
        "time": "2026-11-23T20:00:00Z",
        "region": "eu-west-1",
        "resources": [FLOW],
        "detail": {"shows": [{"name": "news"}]},
    }
    assert len(region.waiting("copy")) == 1


def test_the_same_event_has_the_same_id_and_another_has_another() -> None:
    def made(code: str) -> str:
        return str(event(
            source="aws.mediaconnect", detail_type="MediaConnect Alert", detail={"error-code": code},
            resources=[FLOW], time=minute(0), region="eu-west-1",
        )["id"])  # fmt: skip

    assert made("a") == made("a") != made("b")


def test_an_execution_tells_how_it_ended_and_through_which_states(region: EmptyRegion) -> None:
    good = executions.wait_for(executions.start(region.state_machine("good"), {}))
    assert (good.status, good.states, good.cause) == ("SUCCEEDED", ("Look", "Done"), "")
    failing = {"Look": {"Type": "Pass", "Next": "Failed"}, "Failed": {"Type": "Fail", "Error": "E", "Cause": "Blind."}}
    bad = executions.wait_for(executions.start(region.state_machine("bad", **failing), {}))
    assert (bad.status, bad.states, bad.cause) == ("FAILED", ("Look", "Failed"), "Blind.")


def test_waiting_for_an_execution_has_an_end(region: EmptyRegion) -> None:
    slow = {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}
    started = executions.start(region.state_machine("slow", **slow), {})
    with pytest.raises(TimeoutError, match="still runs"):
        executions.wait_for(started, seconds=0.05)
    assert executions.wait_for(started).status == "SUCCEEDED"


def test_a_state_machine_that_is_not_there_cannot_be_started(region: EmptyRegion) -> None:
    gone = f"arn:aws:states:{region.name}:123456789012:stateMachine:gone"
    with pytest.raises(executions.CannotStartError, match="gone cannot be started"):
        executions.start(gone, {})
