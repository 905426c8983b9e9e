"""What rehearsals need of the local AWS: a clock, calls, a clean start, service metrics."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from moto.cloudwatch.models import cloudwatch_backends
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from tests.local.empty_region import EIGHT, EmptyRegion, minute
from tools.local_aws import ACCOUNT_ID, LocalAws, calls, clock, executions, faults, service_metrics
from tools.local_aws.alarms import evaluate_alarms
from tools.local_aws.deliveries import published
from tools.local_aws.eventbridge import LOST, deliver, event
from tools.local_aws.forget import forget_what_happened
from tools.local_aws.gaps.lambda_invocation import INVOCATIONS

FUNCTION = """
import datetime, os, boto3

def handler(event, context):
    for queue in event.get("queues", []):
        try:
            boto3.client("sqs").get_queue_url(QueueName=queue)
        except Exception:
            pass
    for name in event.get("flows", []):
        boto3.client("mediaconnect").list_flows()
    for topic in event.get("topics", []):
        boto3.client("sns").publish(TopicArn=topic, Message="x")
    return {"now": datetime.datetime.now(datetime.UTC).isoformat()}
"""


@pytest.fixture
def region(aws: LocalAws) -> EmptyRegion:
    return EmptyRegion(aws)


def invoke(region: EmptyRegion, **given: Any) -> Any:
    answer = region.client("lambda").invoke(FunctionName="check", Payload=json.dumps(given).encode())
    return json.loads(answer["Payload"].read())


def test_functions_and_executions_have_the_rehearsals_time(
    region: EmptyRegion,
) -> None:
    region.function("check", "check.py", FUNCTION)
    start = {"Type": "Pass", "Parameters": {"at.$": "$$.Execution.StartTime"}, "End": True}
    machine = region.state_machine(Check=start)
    with clock.stopped(EIGHT) as set_clock:
        assert invoke(region) == {"now": "2026-11-23T20:00:00+00:00"}
        set_clock(minute(7.5))
        assert invoke(region) == {"now": "2026-11-23T20:07:30+00:00"}
        ran = executions.wait_for(executions.start(machine, {}))
    described = region.client("stepfunctions").describe_execution(executionArn=ran.arn)
    assert json.loads(described["output"]) == {"at": "2026-11-23T20:07:30.000Z"}
    real = datetime.fromisoformat(invoke(region)["now"])
    assert abs((datetime.now(UTC) - real).total_seconds()) < 60
    assert clock.stopped_at() is None


def test_invocation_lists_its_calls_and_which_were_refused(region: EmptyRegion) -> None:
    region.function("check", "check.py", FUNCTION)
    topic = region.topic("alerts")
    invoke(region, queues=["none"], flows=["x"])
    invoke(region, topics=[topic])
    first, second = INVOCATIONS[-2:]
    assert [(call.service, call.operation, call.refused) for call in first.calls] == [
        ("sqs", "GetQueueUrl", True),
        ("mediaconnect", "ListFlows", False),
    ]
    assert second.calls == (calls.Call("sns", "Publish", refused=False),)


def test_forget_clears_what_happened_and_keeps_what_is_deployed(region: EmptyRegion) -> None:
    forget_what_happened(region.name)
    topic, machine = region.topic("alerts"), region.state_machine()
    queue = region.queue("letters")
    region.client("sqs").send_message(QueueUrl=queue_url(region), MessageBody="x")
    region.client("sns").publish(TopicArn=topic, Message="x")
    first = executions.wait_for(executions.start(machine, {})).arn
    region.measure("SourceBitRate", 1.0)
    faults.inject("sns", "crash")
    LOST.add("aws.mediaconnect")
    forget_what_happened(region.name)
    assert published(region=region.name) == []
    assert region.waiting("letters") == []
    assert cloudwatch_backends[ACCOUNT_ID][region.name].metric_data == []
    assert (faults.next_error("sns"), LOST) == (None, set())
    assert region.client("sns").list_topics()["Topics"] == [{"TopicArn": topic}]
    assert queue.endswith(":letters")
    assert executions.wait_for(executions.start(machine, {})).arn == first, "ids are the same in each rehearsal"


def queue_url(region: EmptyRegion) -> str:
    return str(region.client("sqs").get_queue_url(QueueName="letters")["QueueUrl"])


def test_forget_clears_one_environment_only(region: EmptyRegion) -> None:
    for name in ("dev-letters", "prod-letters"):
        region.queue(name)
        url = region.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
        region.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    forget_what_happened(region.name, prefix="dev")
    assert (len(region.waiting("dev-letters")), len(region.waiting("prod-letters"))) == (0, 1)


def test_lost_event_starts_nothing_and_leaves_no_dead_letter(region: EmptyRegion) -> None:
    machine = region.state_machine()
    region.rule("all", {"source": ["aws.mediaconnect"]}, {"Id": "1", "Arn": machine, "RoleArn": machine})
    lost = event(
        source="aws.mediaconnect", detail_type="MediaConnect Alert", detail={}, resources=[], time=EIGHT,
        region=region.name,
    )  # fmt: skip
    LOST.add("aws.mediaconnect")
    assert deliver(lost, region=region.name) == []
    LOST.clear()
    assert len(deliver(lost, region=region.name)) == 1


def test_url_subscriber_is_listed_and_not_called(region: EmptyRegion, monkeypatch: pytest.MonkeyPatch) -> None:
    posted: list[str] = []
    monkeypatch.setattr("moto.sns.models.requests.post", lambda url, **_: posted.append(url))
    topic = region.topic("alerts")
    region.client("sns").subscribe(TopicArn=topic, Protocol="https", Endpoint="https://pager.example.com/x")
    region.client("sns").publish(TopicArn=topic, Message="x")
    assert published(region=region.name)[-1].recipients == ("https https://pager.example.com/x",)
    assert posted == []


def test_alarm_notifies_nobody_while_its_topic_refuses(region: EmptyRegion) -> None:
    topic = region.topic("alerts")
    region.client("cloudwatch").put_metric_alarm(
        AlarmName="lost", Namespace="AWS/MediaConnect", MetricName="SourceBitRate", Statistic="Average", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="LessThanThreshold", AlarmActions=[topic],
    )  # fmt: skip
    region.measure("SourceBitRate", 0.0)
    with faults.failing("sns", "access-denied"):
        assert [change.after for change in evaluate_alarms(minute(1), region=region.name)] == ["ALARM"]
    assert published(region=region.name) == []


def test_failed_task_names_its_state_and_function(region: EmptyRegion) -> None:
    region.function("check", "check.py", "def handler(event, context):\n    raise ValueError('no')\n")
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    task = {
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Retry": retry, "End": True,
        "Parameters": {"FunctionName": "check", "Payload": {}},
    }  # fmt: skip
    ran = executions.wait_for(executions.start(region.state_machine(Check=task), {}))
    assert [(failure.state, failure.error, failure.function) for failure in ran.failures] == [
        ("Check", "ValueError", "check")
    ] * 2


def test_services_count_what_self_monitoring_alarms_watch(region: EmptyRegion) -> None:
    run = executions.wait_for(executions.start(region.state_machine(), {}))
    crash = executions.Failure(state="Check", error="Runtime.ExitError", function="check")
    throttle = executions.Failure(state="Check", error="Lambda.TooManyRequestsException", function="check")
    failed = executions.Execution(
        arn=run.arn, status="FAILED", states=("Check",), cause="", failures=(crash, throttle)
    )  # fmt: skip
    service_metrics.count_execution(run, [], EIGHT)
    service_metrics.count_execution(failed, [], EIGHT)
    counted: dict[str, float] = {}
    for datum in cloudwatch_backends[ACCOUNT_ID][region.name].metric_data:
        counted[datum.name] = counted.get(datum.name, 0) + datum.value
    assert counted == {
        "ExecutionsStarted": 2, "ExecutionsSucceeded": 1, "ExecutionsFailed": 1, "Invocations": 1, "Errors": 1,
        "Throttles": 1,
    }  # fmt: skip


def test_definition_is_parsed_once(region: EmptyRegion) -> None:
    machine = region.state_machine()
    executions.wait_for(executions.start(machine, {}))
    before = AmazonStateLanguageParser.parse.cache_info()
    for _ in range(3):
        assert executions.wait_for(executions.start(machine, {})).status == "SUCCEEDED"
    after = AmazonStateLanguageParser.parse.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (0, 3)
