"""Step Functions calls that the provider makes and moto lacks, and what executions know of themselves.

An execution without a name gets one of its own, the same in each rehearsal, and the context object holds the time of
its start as text: moto calls all of them `None`, and fails where the time is put into a message.
"""

import itertools
import uuid
from collections.abc import Iterator
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.stepfunctions import responses
from moto.stepfunctions.parser import models
from moto.stepfunctions.parser.backend.execution import Execution

_numbers: Final[dict[str, Iterator[int]]] = {}


def begin_again() -> None:
    """Name the next executions as the first ones were."""
    _numbers.clear()


def _name(state_machine_arn: str) -> str:
    number = next(_numbers.setdefault(state_machine_arn, itertools.count(1)))
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{state_machine_arn}/{number}"))


def install() -> None:
    """Answer what moto does not, and complete executions."""
    start = models.StepFunctionsParserBackend.start_execution
    details = Execution.get_start_execution_details

    def named(
        self: Any,
        state_machine_arn: str,
        name: str | None = None,
        execution_input: Any = None,
        trace_header: Any = None,
    ) -> Any:
        return start(self, state_machine_arn, name or _name(state_machine_arn), execution_input, trace_header)

    def with_text_time(self: Any) -> Any:
        given = details(self)
        given.start_time = f"{self.start_date:%Y-%m-%dT%H:%M:%S}.{self.start_date.microsecond // 1000:03}Z"
        return given

    def validate(self: Any) -> ActionResult:
        try:
            models.StepFunctionsParserBackend._validate_definition(self._get_param("definition"))
        except models.InvalidDefinition as error:
            fault = {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": error.message}
            return ActionResult({"result": "FAIL", "diagnostics": [fault], "truncated": False})
        return ActionResult({"result": "OK", "diagnostics": [], "truncated": False})

    def versions(self: Any) -> ActionResult:
        del self
        return ActionResult({"stateMachineVersions": []})

    models.StepFunctionsParserBackend.start_execution = named
    Execution.get_start_execution_details = with_text_time
    responses.StepFunctionResponse.validate_state_machine_definition = validate
    responses.StepFunctionResponse.list_state_machine_versions = versions
