"""The deployed state machine, run by the real interpreter with the packaged functions, started as a person would."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from local_aws import LocalAws, executions
from local_aws.deliveries import Published, published
from local_aws.executions import Execution
from local_aws.forget import forget_what_happened
from local_aws.gaps.flow_states import set_flow_status
from local_aws.gaps.lambda_runs_the_zip import INVOCATIONS
from rehearsal.stage import Stage

Run = Callable[[dict[str, Any]], tuple[Execution, list[Published]]]


@pytest.fixture
def run(stage: Stage, aws: LocalAws) -> Run:
    """Starts the workflow with an input; how it ended, and what was published meanwhile."""
    forget_what_happened(aws.region)

    def started(given: dict[str, Any]) -> tuple[Execution, list[Published]]:
        before = len(published(region=aws.region))
        ended = executions.wait_for(executions.start(stage.outputs()["state_machine_arn"], given))
        return ended, published(region=aws.region, since=before)

    return started


def test_a_flow_that_is_off_air_on_purpose_is_healthy_and_nobody_is_told(stage: Stage, run: Run) -> None:
    ended, told = run({"flow_arn": stage.flow_arn("live-stream")})
    assert (ended.status, told) == ("SUCCEEDED", [])
    assert ended.states == ("MonitorStream", "EvaluateHealth", "ClearAlert", "StreamHealthy")
    assert [invocation.failed for invocation in INVOCATIONS] == [False, False]


def test_a_running_flow_without_a_source_becomes_one_message_to_the_right_people(stage: Stage, run: Run) -> None:
    set_flow_status(stage.flow_arn("live-stream"), "ACTIVE")
    ended, told = run({"flow_name": "live-stream"})
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "AlertSent")
    (message,) = told
    assert message.subject.startswith("[CRITICAL] live-stream (dev): The source is gone")
    assert (message.attributes["kind"], message.attributes["severity"]) == ("opened", "CRITICAL")
    assert message.recipients == ("email live-dev@example.com",)
    assert ended.arn.rpartition(":")[2] in message.message


@pytest.mark.parametrize(
    "given",
    [{}, {"flow_name": "no-such-flow"}, {"flow_arn": "arn:aws:s3:::bucket"}, {"detail-type": "Something Else"}],
)
def test_a_check_that_cannot_be_made_is_told_as_blindness_and_recorded_as_failure(
    run: Run, given: dict[str, Any]
) -> None:
    ended, told = run(given)
    assert ended.status == "FAILED"
    (message,) = told
    assert (message.subject, message.attributes["kind"]) == ("[CRITICAL] monitoring is blind (dev)", "blind")
    assert message.recipients == ("email live-dev@example.com",)
    assert ended.arn in message.message


def test_the_functions_run_from_the_deployed_zip_and_not_from_this_repository(stage: Stage, aws: LocalAws) -> None:
    arn = stage.outputs()["stream_monitor_arn"]
    answer = aws.client("lambda").invoke(FunctionName=arn, Payload=json.dumps({"input": 5, "started": "x"}).encode())
    trace = json.loads(answer["Payload"].read())["stackTrace"]
    assert "stream_monitor/handler.py" in trace[-2] + trace[-1]
    assert "lambda_src" not in "".join(trace)
