"""Step Functions calls that the provider makes and moto lacks, and names for executions that were given none."""

import uuid
from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions import responses
from moto.stepfunctions.parser import models


def install() -> None:
    """Answer ValidateStateMachineDefinition and ListStateMachineVersions; name unnamed executions."""
    start = models.StepFunctionsParserBackend.start_execution

    def named(
        self: Any,
        state_machine_arn: str,
        name: str | None = None,
        execution_input: Any = None,
        trace_header: Any = None,
    ) -> Any:
        return start(self, state_machine_arn, name or str(uuid.uuid4()), execution_input, trace_header)

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
    responses.StepFunctionResponse.validate_state_machine_definition = validate
    responses.StepFunctionResponse.list_state_machine_versions = versions
