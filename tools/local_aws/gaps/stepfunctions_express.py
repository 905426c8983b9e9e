"""EXPRESS executions differ from STANDARD ones.

Their names deduplicate nothing, each has an ARN of its own, and no API shows them afterwards: DescribeExecution,
GetExecutionHistory, StopExecution and ListExecutions refuse. StartSyncExecution waits for the result. Not here: an
execution ends after five minutes, which `components.workflow_definition` keeps to.

moto 5.2.5: runs them like STANDARD ones, and lacks StartSyncExecution.
AWS: https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html
AWS: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html
Remove when: moto distinguishes the two types.
"""

import itertools
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.stepfunctions.exceptions import AWSError, InvalidArn
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)
POLL_SECONDS: Final = 0.005
_numbers: Final = itertools.count(1)


class StateMachineTypeNotSupportedError(AWSError):
    """The call does not support state machines of this type."""

    TYPE = "StateMachineTypeNotSupported"
    STATUS = 400


def is_express(arn: str) -> bool:
    """Whether an execution's ARN is one of an EXPRESS state machine."""
    return arn.split(":")[5:6] == ["express"]


@GAP.wraps(Execution, "__init__", "(self, name, sm_type, role_arn, exec_arn, ...)")
def _init(init: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
    init(self, *args, **kwargs)
    if self.state_machine.type == "EXPRESS":  # moto calls the type of each execution STANDARD
        run = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.exec_arn}/{next(_numbers)}")
        self.exec_arn = self.execution_arn = f"{self.exec_arn.replace(':execution:', ':express:')}:{run}"


@GAP.wraps(StateMachine, "_handle_name_input_idempotency", "(self, name, execution_input)")
def _existing_execution(find: Callable[..., Any], self: Any, name: str, execution_input: str) -> Any:
    return None if self.type == "EXPRESS" else find(self, name, execution_input)


@GAP.wraps(StepFunctionsParserBackend, "_validate_execution_arn", "(self, execution_arn)")
def _validate_execution_arn(validate: Callable[..., None], self: Any, execution_arn: str) -> None:
    if not is_express(execution_arn):
        validate(self, execution_arn)


def _standard_only(answer: Callable[..., Any], self: Any) -> Any:
    if is_express(arn := str(self._get_param("executionArn"))):
        raise InvalidArn(f"Invalid Arn: 'Resource type not valid in this context: express' ({arn})")
    return answer(self)


for _call in ("describe_execution", "get_execution_history", "stop_execution"):
    GAP.wraps(StepFunctionResponse, _call, "(self)")(_standard_only)


@GAP.wraps(StepFunctionResponse, "list_executions", "(self)")
def _list_executions(answer: Callable[..., Any], self: Any) -> Any:
    machine = self.stepfunction_backend.describe_state_machine(self._get_param("stateMachineArn"))
    if machine.type == "EXPRESS":
        raise StateMachineTypeNotSupportedError("This operation is not supported by this type of state machine")
    return answer(self)


@GAP.adds(StepFunctionResponse, "start_sync_execution")
def _start_sync_execution(self: Any) -> ActionResult:
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
