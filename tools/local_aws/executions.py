"""Starts executions of a state machine, waits for them, and reads which states they went through."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from moto.core.exceptions import JsonRESTError, ServiceException
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

POLL_SECONDS: Final = 0.005


class CannotStartError(RuntimeError):
    """Step Functions refused to start an execution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A task that failed, retried or not; `function` is the name of the one it invoked, or empty."""

    state: str
    error: str
    function: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A finished execution."""

    arn: str
    status: str
    states: tuple[str, ...]
    cause: str
    failures: tuple[Failure, ...] = ()


def start(state_machine_arn: str, given: Any) -> str:
    """Start an execution with an input; returns its ARN.

    Raises:
        CannotStartError: Step Functions refused, for instance because there is no such state machine.
    """
    try:
        execution = _backend(state_machine_arn).start_execution(state_machine_arn, None, json.dumps(given))
    except (JsonRESTError, ServiceException) as error:
        raise CannotStartError(f"{state_machine_arn} cannot be started: {error.message}") from error
    return str(execution.execution_arn)


def wait_for(execution_arn: str, *, seconds: float = 60) -> Execution:
    """Wait for an execution to end.

    Raises:
        TimeoutError: it is still running after `seconds`.
    """
    deadline = time.monotonic() + seconds
    backend = _backend(execution_arn)
    while (execution := backend.describe_execution(execution_arn)).status == "RUNNING":
        if time.monotonic() > deadline:
            raise TimeoutError(f"{execution_arn} is still running after {seconds} seconds")
        time.sleep(POLL_SECONDS)
    events = backend.get_execution_history(execution_arn)["events"]
    entered = [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]
    return Execution(
        arn=execution_arn,
        status=str(execution.status),
        states=tuple(entered),
        cause=str(getattr(execution, "cause", None) or ""),
        failures=tuple(_failures(events)),
    )


def _failures(events: Iterable[Mapping[str, Any]]) -> Iterator[Failure]:
    state = function = ""
    for event in events:
        state = event.get("stateEnteredEventDetails", {}).get("name", state)
        if "taskScheduledEventDetails" in event:
            parameters = json.loads(event["taskScheduledEventDetails"]["parameters"])
            function = str(parameters.get("FunctionName", "")).rpartition(":")[2]
        failed = event.get("taskFailedEventDetails") or event.get("taskTimedOutEventDetails")
        if failed:
            yield Failure(state=state, error=str(failed.get("error", "")), function=function)


def _backend(arn: str) -> Any:
    _, _, _, region, account_id, *_ = arn.split(":")
    return stepfunctions_parser_backends[account_id][region]
