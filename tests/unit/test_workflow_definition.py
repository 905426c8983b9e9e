"""The state machine notifies on every path on which a stream could be broken."""

import math
from typing import Any, get_args

import pytest

from components.workflow_definition import (
    EXPRESS_MARGIN_SECONDS,
    EXPRESS_SECONDS,
    FUNCTION_TIMEOUT_SECONDS,
    Kind,
    workflow_definition,
    worst_case_seconds,
)


def definition(kind: Kind = "STANDARD") -> dict[str, Any]:
    return workflow_definition(
        environment="prod",
        partition="aws",
        stream_monitor_arn="arn:monitor",
        alert_handler_arn="arn:alert",
        topic_arn="arn:topic",
        dead_letters_url="https://queue",
        kind=kind,
    )


DEFINITION = definition()
STATES: dict[str, dict[str, Any]] = DEFINITION["States"]
TASKS = ["MonitorStream", "RaiseAlert", "ClearAlert"]


def test_every_state_named_as_the_next_one_exists() -> None:
    named = {DEFINITION["StartAt"]}
    for state in STATES.values():
        named |= {state["Next"]} if "Next" in state else set()
        named |= {state["Default"]} if "Default" in state else set()
        named |= {choice["Next"] for choice in state.get("Choices", [])}
        named |= {catch["Next"] for catch in state.get("Catch", [])}
    assert named == set(STATES)


@pytest.mark.parametrize("task", TASKS)
def test_failed_function_keeps_the_input_and_notifies(task: str) -> None:
    assert STATES[task]["Catch"] == [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "IsReplay"}]
    assert STATES["IsReplay"]["Default"] == "KeepInput"
    assert STATES["KeepInput"]["Next"] == "MonitorBlind"
    assert STATES["KeepInput"]["Parameters"]["MessageBody.$"] == "States.JsonToString($$.Execution.Input)"
    assert STATES["MonitorBlind"]["Resource"] == "arn:aws:states:::sns:publish"


def test_input_is_kept_and_notified_independently() -> None:
    (kept,) = STATES["KeepInput"]["Catch"]
    assert (kept["ErrorEquals"], kept["Next"]) == (["States.ALL"], "MonitorBlind")
    assert kept["ResultPath"] == "$.not_kept", "the first failure is still there for the message"
    notified = STATES["MonitorBlind"]["Catch"][-1]
    assert (notified["ErrorEquals"], notified["Next"]) == (["States.ALL"], "MonitoringFailed")
    assert STATES["KeepInput"]["ResultPath"] is None


def test_failure_is_never_recorded_as_success() -> None:
    assert STATES[STATES["MonitorBlind"]["Next"]]["Type"] == "Fail"


def test_only_a_healthy_report_takes_the_clear_path() -> None:
    refused, healthy = STATES["EvaluateHealth"]["Choices"]
    assert STATES[refused["Next"]]["Type"] == "Fail"
    assert healthy["Next"] == "ClearAlert"
    assert STATES["ClearAlert"]["Next"] == "StreamHealthy"
    assert {"Variable": "$.report.healthy", "BooleanEquals": True} in healthy["And"]
    assert STATES["EvaluateHealth"]["Default"] == "RaiseAlert"


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("task", TASKS)
def test_workflow_waits_longer_than_the_function_may_run(task: str, kind: Kind) -> None:
    assert definition(kind)["States"][task]["TimeoutSeconds"] > FUNCTION_TIMEOUT_SECONDS


def test_express_execution_has_time_for_the_failure_message() -> None:
    assert worst_case_seconds(definition("EXPRESS")) <= EXPRESS_SECONDS - EXPRESS_MARGIN_SECONDS


def test_standard_execution_waits_for_throttled_functions() -> None:
    patient = next(retry for retry in STATES["MonitorStream"]["Retry"] if "Lambda.TooManyRequestsException" in retry["ErrorEquals"])  # fmt: skip
    assert sum(patient["IntervalSeconds"] * patient["BackoffRate"] ** attempt for attempt in range(patient["MaxAttempts"])) >= 30  # fmt: skip
    assert worst_case_seconds(DEFINITION) < 20 * 60


RETRIED = {"TimeoutSeconds": 10, "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 2}]}


@pytest.mark.parametrize(
    ("states", "seconds"),
    [
        ({"A": {"Type": "Task", "TimeoutSeconds": 10, "End": True}}, 10),
        ({"A": {"Type": "Task", **RETRIED, "End": True}}, 3 * 10 + 2 + 4),
        ({"A": {"Type": "Task", "TimeoutSeconds": 10, "Retry": [{"ErrorEquals": ["E"]}]}}, 4 * 10 + 1 + 2 + 4),
        ({"A": {"Type": "Task", "TimeoutSeconds": 1, "Retry": [{"ErrorEquals": ["E"], "MaxDelaySeconds": 1.5}]}}, 4 + 4),
        ({"A": {"Type": "Task", "TimeoutSeconds": 10, "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}] * 2}}, 32),
        ({"A": {"Type": "Task", "End": True}}, math.inf),
        ({"A": {"Type": "Pass", "Next": "A"}}, math.inf),
        (
            {
                "A": {"Type": "Choice", "Choices": [{"Next": "B"}], "Default": "C"},
                "B": {"Type": "Task", "TimeoutSeconds": 5, "Next": "D", "Catch": [{"Next": "C"}]},
                "C": {"Type": "Task", "TimeoutSeconds": 7, "Next": "D"},
                "D": {"Type": "Fail"},
            },
            12,
        ),
    ],
)  # fmt: skip
def test_worst_case_is_every_attempt_timing_out(states: dict[str, Any], seconds: float) -> None:
    assert worst_case_seconds({"StartAt": "A", "States": states}) == seconds


def test_state_of_unknown_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="Parallel"):
        worst_case_seconds({"StartAt": "A", "States": {"A": {"Type": "Parallel"}}})


def test_monitor_gets_the_whole_input_and_the_start() -> None:
    assert STATES["MonitorStream"]["Parameters"]["Payload"] == {
        "input.$": "$",
        "started.$": "$$.Execution.StartTime",
        "execution.$": "$$.Execution.Id",
        "retries.$": "$$.State.RetryCount",
    }


def test_overlong_failure_message_is_sent_without_details() -> None:
    brief = STATES["MonitorBlind"]["Catch"][0]
    assert "SNS.InvalidParameterException" in brief["ErrorEquals"]
    assert "States.DataLimitExceeded" in brief["ErrorEquals"], "States.ALL does not include it"
    assert STATES["MonitorBlind"]["Retry"][0] == {"ErrorEquals": brief["ErrorEquals"], "MaxAttempts": 0}
    text = STATES[brief["Next"]]["Parameters"]["Message"]["default.$"]
    assert "Execution.Input" not in text
    assert "$.failure" not in text


@pytest.mark.parametrize("state", ["MonitorBlind", "MonitorBlindBriefly"])
def test_failure_message_is_critical(state: str) -> None:
    parameters = STATES[state]["Parameters"]
    assert parameters["MessageAttributes"]["severity"]["StringValue"] == "CRITICAL"
    assert parameters["MessageAttributes"]["kind"]["StringValue"] == "blind"
    assert len(parameters["Subject"]) < 100
