"""Events start the state machines of their rules or go to the dead-letter queue; patterns match as documented."""

import json
from typing import Any

import pytest

from tests.local.empty_region import ROLE, EmptyRegion, minute
from tools.local_aws import LocalAws, executions
from tools.local_aws.eventbridge import deliver, event
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
        ({"state": {"value": [{"wildcard": "A*R*"}]}}, True),
        ({"state": {"value": [{"wildcard": "A*X"}]}}, False),
        ({"state": {"value": [{"wildcard": "A.*"}]}}, False),
        ({"state": {"value": [{"wildcard": "ALARM\\*"}]}}, False),
        ({"title": [{"wildcard": "News\\*"}]}, True),
        ({"state": {"value": [{"anything-but": "ALARM"}]}}, False),
        ({"state": {"value": [{"anything-but": ["OK", "ALARM"]}]}}, False),
        ({"state": {"value": [{"anything-but": ["OK"]}]}}, True),
        ({"count": [{"anything-but": 300}]}, False),
        ({"absent": [{"anything-but": "x"}]}, False),
        ({"absent": {"deeper": ["x"]}}, False),
        ({"configuration": {"metrics": {"metricStat": {"metric": {"namespace": ["AWS/MediaConnect"]}}}}}, True),
        ({"configuration": {"metrics": {"metricStat": {"metric": {"namespace": ["AWS/S3"]}}}}}, False),
        ({"configuration": {"metrics": {"metricStat": {"metric": {"namespace": [{"prefix": "AWS/L"}]}}}}}, True),
        # Both of the same metric: no metric has the period of the other.
        ({"configuration": {"metrics": {"id": ["m1"], "metricStat": {"period": [300]}}}}, False),
        ({"configuration": {"metrics": {"id": ["m2"], "metricStat": {"period": [300]}}}}, True),
    ],
)
def test_pattern_matches_what_eventbridge_documents(*, pattern: dict[str, Any], expected: bool) -> None:
    assert matches({"detail": pattern}, {"detail": DETAIL}) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": [{"regex": ".*"}]},
        {"source": [{"exists": False}]},
        {"source": [{"anything-but": {"prefix": "x"}}]},
        {"$or": [{"source": ["x"]}]},
    ],
)
def test_unknown_pattern_operator_is_refused(pattern: dict[str, Any]) -> None:
    """It is neither a match nor a mismatch, also of a field that the event lacks."""
    for given in ({"source": "aws.mediaconnect"}, {}):
        with pytest.raises(NotImplementedError, match="does not know the pattern operator"):
            matches(pattern, given)


def test_matching_event_starts_the_state_machine(region: EmptyRegion) -> None:
    workflow = region.state_machine()
    region.rule("alert", PATTERN, {"Id": "workflow", "Arn": workflow, "RoleArn": ROLE})
    (delivery,) = deliver(ALERT, region=region.name)
    assert (delivery.rule, delivery.target_arn, delivery.error) == ("alert", workflow, None)
    assert region.execution_input(delivery.execution_arn) == ALERT


def test_event_passes_matching_enabled_rules_in_order_of_name(region: EmptyRegion) -> None:
    machines = {name: region.state_machine(name) for name in ("a", "b", "c")}
    region.rule("z", PATTERN, {"Id": "1", "Arn": machines["a"]})
    region.rule("b", PATTERN, {"Id": "2", "Arn": machines["b"]}, {"Id": "1", "Arn": machines["c"]})
    region.rule("other", {"source": ["aws.s3"]}, {"Id": "1", "Arn": machines["a"]})
    region.rule("off", PATTERN, {"Id": "1", "Arn": machines["a"]}, state="DISABLED")
    client = region.client("events")
    client.put_rule(Name="scheduled", ScheduleExpression="rate(1 minute)")
    client.put_targets(Rule="scheduled", Targets=[{"Id": "1", "Arn": machines["a"]}])
    deliveries = deliver(ALERT, region=region.name)
    assert [(delivery.rule, delivery.target_arn) for delivery in deliveries] == [
        ("b", machines["c"]),
        ("b", machines["b"]),
        ("z", machines["a"]),
    ]
    assert [region.execution_input(delivery.execution_arn) for delivery in deliveries] == [ALERT] * 3


@pytest.mark.parametrize(
    "target",
    [
        {"Arn": "arn:aws:sqs:eu-west-1:123456789012:any"},
        {"Arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:any", "InputPath": "$.detail"},
    ],
)
def test_target_that_nothing_deployed_uses_is_refused(region: EmptyRegion, target: dict[str, Any]) -> None:
    region.rule("alert", PATTERN, {"Id": "1", **target})
    with pytest.raises(NotImplementedError, match="use a state machine that gets the whole event"):
        deliver(ALERT, region=region.name)


def test_undelivered_event_goes_to_the_dead_letter_queue_with_the_reason(region: EmptyRegion) -> None:
    gone = f"arn:aws:states:{region.name}:123456789012:stateMachine:gone"
    rule = region.rule("alert", PATTERN, {"Id": "1", "Arn": gone, "DeadLetterConfig": {"Arn": region.queue("dead")}})
    (delivery,) = deliver(ALERT, region=region.name)
    assert delivery.error
    assert delivery.execution_arn is None
    (letter,) = region.waiting("dead")
    assert json.loads(letter["Body"]) == ALERT
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes.pop("ERROR_MESSAGE") == delivery.error
    assert attributes == {"RULE_ARN": rule, "TARGET_ARN": gone, "ERROR_CODE": "NO_RESOURCE", "RETRY_ATTEMPTS": "0"}


def test_failing_target_does_not_keep_the_event_from_the_next(region: EmptyRegion) -> None:
    gone = f"arn:aws:states:{region.name}:123456789012:stateMachine:gone"
    region.rule("alert", PATTERN, {"Id": "1", "Arn": gone}, {"Id": "2", "Arn": region.state_machine()})
    failed, started = deliver(ALERT, region=region.name)
    assert failed.error
    assert region.execution_input(started.execution_arn) == ALERT


def test_event_id_follows_from_the_content() -> None:
    def made(code: str) -> str:
        return str(event(
            source="aws.mediaconnect", detail_type="MediaConnect Alert", detail={"error-code": code},
            resources=[FLOW], time=minute(0), region="eu-west-1",
        )["id"])  # fmt: skip

    assert made("a") == made("a") != made("b")


def test_execution_has_status_states_and_cause(region: EmptyRegion) -> None:
    good = executions.wait_for(executions.start(region.state_machine("good"), {}))
    assert (good.status, good.states, good.cause) == ("SUCCEEDED", ("Look", "Done"), "")
    failing = {"Look": {"Type": "Pass", "Next": "Failed"}, "Failed": {"Type": "Fail", "Error": "E", "Cause": "Blind."}}
    bad = executions.wait_for(executions.start(region.state_machine("bad", **failing), {}))
    assert (bad.status, bad.states, bad.cause) == ("FAILED", ("Look", "Failed"), "Blind.")


def test_waiting_for_an_execution_times_out(region: EmptyRegion) -> None:
    slow = {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}
    started = executions.start(region.state_machine("slow", **slow), {})
    with pytest.raises(TimeoutError, match="still running"):
        executions.wait_for(started, seconds=0.05)
    assert executions.wait_for(started).status == "SUCCEEDED"


def test_unknown_state_machine_cannot_be_started(region: EmptyRegion) -> None:
    gone = f"arn:aws:states:{region.name}:123456789012:stateMachine:gone"
    with pytest.raises(executions.CannotStartError, match="gone cannot be started"):
        executions.start(gone, {})
