"""A service with a fault answers as AWS would, to functions and state machines, until the fault ends."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local.empty_region import EmptyRegion
from tools.local_aws import LocalAws, executions, faults


@pytest.fixture
def region(aws: LocalAws) -> Iterator[EmptyRegion]:
    yield EmptyRegion(aws)
    faults.lift()


def client(region: EmptyRegion, service: str) -> Any:
    """A client that does not try again."""
    return region.client(service, config=Config(retries={"total_max_attempts": 1}))


CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "sns": ("sns", "list_topics", {}),
    "dynamodb": ("dynamodb", "list_tables", {}),
    "cloudwatch": ("cloudwatch", "list_metrics", {}),
    "mediaconnect": ("mediaconnect", "list_flows", {}),
    "ssm": ("ssm", "describe_parameters", {}),
    "sqs": ("sqs", "list_queues", {}),
    "eventbridge": ("events", "list_rules", {}),
    "stream_monitor": ("lambda", "invoke", {"FunctionName": "media-workflow-x-stream-monitor"}),
    "alert_handler": ("lambda", "invoke", {"FunctionName": "arn:aws:lambda:eu-west-1:123456789012:function:media-workflow-x-alert-handler"}),
}  # fmt: skip


@pytest.mark.parametrize("target", CALLS)
@pytest.mark.parametrize(
    ("error", "code"),
    [("throttled", "ThrottlingException|TooManyRequestsException"), ("access-denied", "AccessDenied")],
)
def test_service_refuses_in_its_own_protocol(region: EmptyRegion, target: Any, error: Any, code: str) -> None:
    service, call, given = CALLS[target]
    with faults.failing(target, error) as fault, pytest.raises(ClientError, match=code):
        getattr(client(region, service), call)(**given)
    assert fault.hits == 1


@pytest.mark.parametrize(("error", "kind"), [("crash", "Runtime.ExitError"), ("timeout", "Sandbox.Timedout")])
def test_lambda_answers_for_a_function_that_crashed(region: EmptyRegion, error: Any, kind: str) -> None:
    _, _, given = CALLS["stream_monitor"]
    with faults.failing("stream_monitor", error):
        answer = client(region, "lambda").invoke(**given)
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert kind in answer["Payload"].read().decode()


def test_fault_ends_after_its_number_of_calls(region: EmptyRegion) -> None:
    faults.inject("sns", "crash", calls=1)
    with pytest.raises(ClientError, match="InternalFailure"):
        client(region, "sns").list_topics()
    assert client(region, "sns").list_topics()["Topics"] == []


def test_fault_ends_when_it_is_lifted(region: EmptyRegion) -> None:
    fault = faults.inject("sns", "crash")
    faults.lift(fault)
    assert client(region, "sns").list_topics()["Topics"] == []


def test_calls_of_the_operator_pass(region: EmptyRegion) -> None:
    with faults.failing("cloudwatch", "access-denied") as fault:
        region.aws.client("cloudwatch").list_metrics()
    assert fault.hits == 0


@pytest.mark.parametrize(("target", "error"), [("sms", "crash"), ("sns", "late")])
def test_unknown_fault_is_refused_with_the_known_ones(target: Any, error: Any) -> None:
    with pytest.raises(ValueError, match="is not one of"):
        faults.inject(target, error)


def test_retry_of_a_state_machine_does_not_wait_in_real_time(region: EmptyRegion) -> None:
    again = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 60, "MaxAttempts": 2, "BackoffRate": 1}]
    publish = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": {"TopicArn": region.topic("alerts"), "Message": "text"},
        "Retry": again,
        "End": True,
    }
    started = time.monotonic()
    with faults.failing("sns", "access-denied", calls=2) as fault:
        ended = executions.wait_for(executions.start(region.state_machine("retries", Publish=publish), {}))
    assert (ended.status, fault.hits) == ("SUCCEEDED", 2), ended.cause
    assert time.monotonic() - started < 30
