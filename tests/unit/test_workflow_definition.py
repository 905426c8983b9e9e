"""The state machine tells somebody on every path on which a stream could be broken."""

from typing import Any

import pytest

from components.workflow_definition import FUNCTION_TIMEOUT_SECONDS, workflow_definition

DEFINITION = workflow_definition(
    environment="prod",
    partition="aws",
    stream_monitor_arn="arn:monitor",
    alert_handler_arn="arn:alert",
    topic_arn="arn:topic",
    dead_letters_url="https://queue",
)
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
def test_a_function_that_fails_for_good_keeps_the_input_and_then_says_that_monitoring_is_blind(task: str) -> None:
    assert STATES[task]["Catch"] == [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "KeepInput"}]
    assert STATES["KeepInput"]["Next"] == "MonitorBlind"
    assert STATES["KeepInput"]["Parameters"]["MessageBody.$"] == "States.JsonToString($$.Execution.Input)"
    assert STATES["MonitorBlind"]["Resource"] == "arn:aws:states:::sns:publish"


def test_keeping_and_telling_are_each_tried_though_the_other_fails() -> None:
    (kept,) = STATES["KeepInput"]["Catch"]
    assert (kept["ErrorEquals"], kept["Next"]) == (["States.ALL"], "MonitorBlind")
    assert kept["ResultPath"] == "$.not_kept", "the first failure is still there to be told"
    (told,) = STATES["MonitorBlind"]["Catch"]
    assert (told["ErrorEquals"], told["Next"]) == (["States.ALL"], "MonitoringFailed")
    assert STATES["KeepInput"]["ResultPath"] is None


def test_a_failure_is_never_recorded_as_success() -> None:
    assert STATES[STATES["MonitorBlind"]["Next"]]["Type"] == "Fail"


def test_only_a_report_that_calls_itself_healthy_may_clear_an_alert() -> None:
    (healthy,) = STATES["EvaluateHealth"]["Choices"]
    assert healthy["Next"] == "ClearAlert"
    assert STATES["ClearAlert"]["Next"] == "StreamHealthy"
    assert {"Variable": "$.report.healthy", "BooleanEquals": True} in healthy["And"]
    assert STATES["EvaluateHealth"]["Default"] == "RaiseAlert"


@pytest.mark.parametrize("task", TASKS)
def test_the_workflow_waits_longer_than_the_function_may_run(task: str) -> None:
    assert STATES[task]["TimeoutSeconds"] > FUNCTION_TIMEOUT_SECONDS


def test_the_monitor_is_given_the_whole_input_and_when_the_execution_began() -> None:
    assert STATES["MonitorStream"]["Parameters"]["Payload"] == {
        "input.$": "$",
        "started.$": "$$.Execution.StartTime",
        "execution.$": "$$.Execution.Id",
    }


def test_the_blind_message_is_routed_as_critical() -> None:
    attributes = STATES["MonitorBlind"]["Parameters"]["MessageAttributes"]
    assert attributes["severity"]["StringValue"] == "CRITICAL"
    assert attributes["kind"]["StringValue"] == "blind"
    assert len(STATES["MonitorBlind"]["Parameters"]["Subject"]) < 100
