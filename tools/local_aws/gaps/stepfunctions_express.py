"""EXPRESS executions as AWS documents them; moto runs them like STANDARD ones.

Their names deduplicate nothing, each has an ARN of its own, and no API shows them afterwards: DescribeExecution,
GetExecutionHistory, StopExecution and ListExecutions refuse. StartSyncExecution waits for the result. Not shown here:
that one ends after five minutes, which `components.workflow_definition` keeps to.
"""

import itertools
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.stepfunctions import responses
from moto.stepfunctions.exceptions import AWSError, InvalidArn
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser import models
from moto.stepfunctions.parser.backend.execution import Execution

POLL_SECONDS: Final = 0.005
_numbers: Final = itertools.count(1)


class StateMachineTypeNotSupportedError(AWSError):
    """The call is not for state machines of this type."""

    TYPE = "StateMachineTypeNotSupported"
    STATUS = 400


def is_express(arn: str) -> bool:
    """Whether an execution's ARN is one of an EXPRESS state machine."""
    return arn.split(":")[5:6] == ["express"]


def install() -> None:
    """Tell EXPRESS from STANDARD."""
    begin = Execution.__init__
    known = StateMachine._handle_name_input_idempotency
    valid = models.StepFunctionsParserBackend._validate_execution_arn

    def named(self: Any, *arguments: Any, **more: Any) -> None:
        begin(self, *arguments, **more)
        if self.state_machine.type == "EXPRESS":  # moto calls the type of each execution STANDARD
            run = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.exec_arn}/{next(_numbers)}")
            self.exec_arn = self.execution_arn = f"{self.exec_arn.replace(':execution:', ':express:')}:{run}"

    def existing(self: Any, name: str, execution_input: str) -> Any:
        return None if self.type == "EXPRESS" else known(self, name, execution_input)

    def validate(self: Any, execution_arn: str) -> None:
        if not is_express(execution_arn):
            valid(self, execution_arn)

    Execution.__init__ = named
    StateMachine._handle_name_input_idempotency = existing
    models.StepFunctionsParserBackend._validate_execution_arn = validate
    shown: Any = responses.StepFunctionResponse
    shown.start_sync_execution = _start_sync
    for call in ("describe_execution", "get_execution_history", "stop_execution"):
        setattr(shown, call, _standard_only(getattr(shown, call)))
    listed = shown.list_executions

    def list_executions(self: Any) -> Any:
        machine = self.stepfunction_backend.describe_state_machine(self._get_param("stateMachineArn"))
        if machine.type == "EXPRESS":
            raise StateMachineTypeNotSupportedError("This operation is not supported by this type of state machine")
        return listed(self)

    shown.list_executions = list_executions


def _standard_only(answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def answered(self: Any) -> Any:
        if is_express(arn := str(self._get_param("executionArn"))):
            raise InvalidArn(f"Invalid Arn: 'Resource type not valid in this context: express' ({arn})")
        return answer(self)

    return answered


def _start_sync(self: Any) -> ActionResult:
    arn = self._get_param("stateMachineArn")
    if self.stepfunction_backend.describe_state_machine(arn).type != "EXPRESS":
        raise StateMachineTypeNotSupportedError("This operation is not supported by this type of state machine")
    given = self._get_param("input", if_none="{}")
    execution = self.stepfunction_backend.start_execution(arn, self._get_param("name"), given)
    while execution.status == "RUNNING":
        time.sleep(POLL_SECONDS)
    return ActionResult(
        {
            "executionArn": execution.execution_arn,
            "stateMachineArn": arn,
            "name": execution.name,
            "startDate": execution.start_date,
            "stopDate": execution.stop_date,
            "status": execution.status,
            **{key: value for key in ("error", "cause") if (value := getattr(execution, key)) is not None},
        }
    )
