"""The deployed state machine, run by the real interpreter with the packaged functions, started as a person would."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tools.local_aws import LocalAws, executions
from tools.local_aws.deliveries import Published, published
from tools.local_aws.executions import Execution
from tools.local_aws.forget import forget_what_happened
from tools.local_aws.gaps.lambda_invocation import INVOCATIONS
from tools.local_aws.gaps.mediaconnect_flow_status import set_flow_status
from tools.rehearsal.deployment import Deployment

Run = Callable[[dict[str, Any]], tuple[Execution, list[Published]]]


@pytest.fixture
def run(deployment: Deployment, aws: LocalAws) -> Run:
    """Starts the workflow with an input; how it ended, and what was published meanwhile."""
    forget_what_happened(aws.region)

    def started(given: dict[str, Any]) -> tuple[Execution, list[Published]]:
        before = len(published(region=aws.region))
        ended = executions.wait_for(executions.start(deployment.outputs()["state_machine_arn"], given))
        return ended, published(region=aws.region, since=before)

    return started


def test_a_flow_that_is_off_air_on_purpose_is_healthy_and_nobody_is_told(deployment: Deployment, run: Run) -> None:
    ended, told = run({"flow_arn": deployment.flow_arn("live-stream")})
    assert (ended.status, told) == ("SUCCEEDED", [])
    assert ended.states == ("MonitorStream", "EvaluateHealth", "ClearAlert", "StreamHealthy")
    assert [invocation.failed for invocation in INVOCATIONS] == [False, False]


def test_a_running_flow_without_a_source_becomes_one_message_to_the_right_people(
    deployment: Deployment, run: Run, aws: LocalAws
) -> None:
    flow_arn = deployment.flow_arn("live-stream")
    set_flow_status(flow_arn, "ACTIVE")
    datum = {
        "MetricName": "SourceBitRate",
        "Dimensions": [{"Name": "FlowARN", "Value": flow_arn}],
        "Timestamp": datetime.now(UTC) - timedelta(minutes=2),
        "Value": 0.0,
    }
    aws.client("cloudwatch").put_metric_data(Namespace="AWS/MediaConnect", MetricData=[datum])
    ended, told = run({"flow_name": "live-stream"})
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "AlertSent")
    (message,) = told
    assert message.subject.startswith("[CRITICAL] live-stream (dev): The source is gone")
    assert (message.attributes["kind"], message.attributes["severity"]) == ("opened", "CRITICAL")
    assert message.recipients == ("email live-dev@example.com",)
    assert ended.arn.rpartition(":")[2] in message.message


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"flow_name": "no-such-flow"},
        {"flow_name": "no such flow"},
        {"flow_arn": "arn:aws:s3:::bucket"},
        {"flow_arn": "arn:aws:mediaconnect:us-east-1:123456789012:flow:1-23aBC45dEF67hiJ8-12AbC34DE5fG:live-stream"},
        {"detail-type": "Something Else"},
        {"flow_name": "live-stream", "time": "2099-01-01T00:00:00Z"},
        ["live-stream"],
    ],
)
def test_a_persons_input_that_starts_no_check_fails_clearly_and_notifies_nobody(
    deployment: Deployment, run: Run, aws: LocalAws, given: Any
) -> None:
    ended, told = run(given)
    assert (ended.status, told) == ("FAILED", [])
    assert ended.states == ("MonitorStream", "EvaluateHealth", "InputRefused")
    assert ended.cause.startswith("Nothing was checked: ")
    assert f"The input was {json.dumps(given)}." in ended.cause
    assert "environments/dev.toml" in ended.cause
    assert [invocation.failed for invocation in INVOCATIONS] == [False], "no error of the function, and no retry"
    assert dead_letters(deployment, aws) == []


@pytest.mark.parametrize("kind", ["schedule", "event", "alarm"])
def test_a_check_of_ours_whose_policy_is_gone_is_a_monitoring_failure(
    deployment: Deployment, run: Run, aws: LocalAws, kind: str
) -> None:
    arn = deployment.flow_arn("live-stream")
    now = datetime.now(UTC).isoformat()
    stat = {"metricStat": {"metric": {"dimensions": {"FlowARN": arn}}}}
    inputs: dict[str, dict[str, Any]] = {
        "schedule": {"kind": "schedule", "flow_arn": arn, "time": now},
        "event": {
            "source": "aws.mediaconnect",
            "detail-type": "MediaConnect Alert",
            "time": now,
            "resources": [arn],
            "detail": {},
        },
        "alarm": {
            "source": "aws.cloudwatch",
            "detail-type": "CloudWatch Alarm State Change",
            "time": now,
            "detail": {"alarmName": "any", "configuration": {"metrics": [stat]}},
        },
    }
    given = inputs[kind]
    ssm = aws.client("ssm")
    name = "/media-workflow/dev/flows/live-stream"
    policy = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    ssm.delete_parameter(Name=name)
    try:
        ended, told = run(given)
    finally:
        ssm.put_parameter(Name=name, Value=policy, Type="String")
    assert (ended.status, ended.states[-1]) == ("FAILED", "MonitoringFailed")
    assert "no flow 'live-stream' is monitored here" in ended.cause
    (message,) = told
    assert (message.subject, message.attributes["kind"]) == ("[CRITICAL] monitoring is down (dev)", "blind")
    assert message.recipients == ("email live-dev@example.com",)
    assert ended.arn in message.message
    assert dead_letters(deployment, aws) == [given]


def dead_letters(deployment: Deployment, aws: LocalAws) -> list[Any]:
    """The bodies in the dead-letter queue."""
    url = deployment.outputs()["dead_letters_url"]
    got = aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return [json.loads(message["Body"]) for message in got.get("Messages", [])]


def test_the_functions_run_from_the_deployed_zip_and_not_from_this_repository(
    deployment: Deployment, aws: LocalAws
) -> None:
    arn = deployment.outputs()["stream_monitor_arn"]
    answer = aws.client("lambda").invoke(FunctionName=arn, Payload=json.dumps({"input": 5, "started": "x"}).encode())
    trace = json.loads(answer["Payload"].read())["stackTrace"]
    assert "stream_monitor/handler.py" in trace[-2] + trace[-1]
    assert "lambda_src" not in "".join(trace)
