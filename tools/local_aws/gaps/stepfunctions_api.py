"""Calls of Step Functions that Terraform's provider makes, and names and start times of executions.

An execution without a name gets one that is the same in each rehearsal, and the context object holds its start as text.

moto 5.2.5: lacks ValidateStateMachineDefinition and ListStateMachineVersions, names each execution without a name
`None`, and fails where its start time becomes part of a text.
AWS: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
AWS: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
Remove when: moto has both calls, names executions, and keeps their start as text. Names that repeat stay.
"""

import itertools
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)
_numbers: Final[dict[str, Iterator[int]]] = {}


def restart_names() -> None:
    """Name the next executions as the first ones were."""
    _numbers.clear()


def _name(state_machine_arn: str) -> str:
    number = next(_numbers.setdefault(state_machine_arn, itertools.count(1)))
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{state_machine_arn}/{number}"))


@GAP.wraps(StepFunctionsParserBackend, "start_execution", "(self, state_machine_arn, name=None, ...)")
def _start_execution(
    start: Callable[..., Any],
    self: Any,
    state_machine_arn: str,
    name: str | None = None,
    *args: Any,
    **kwargs: Any,
) -> Any:
    return start(self, state_machine_arn, name or _name(state_machine_arn), *args, **kwargs)


@GAP.wraps(Execution, "get_start_execution_details", "(self)")
def _get_start_execution_details(get: Callable[..., Any], self: Any) -> Any:
    details = get(self)
    details.start_time = f"{self.start_date:%Y-%m-%dT%H:%M:%S}.{self.start_date.microsecond // 1000:03}Z"
    return details


@GAP.adds(StepFunctionResponse, "validate_state_machine_definition")
def _validate_state_machine_definition(self: Any) -> ActionResult:
    try:
        AmazonStateLanguageParser.parse(self._get_param("definition"))
    except Exception as error:  # noqa: BLE001  moto's parser raises many kinds for what it cannot read
        fault = {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": repr(error)}
        return ActionResult({"result": "FAIL", "diagnostics": [fault], "truncated": False})
    return ActionResult({"result": "OK", "diagnostics": [], "truncated": False})


@GAP.adds(StepFunctionResponse, "list_state_machine_versions")
def _list_state_machine_versions(self: Any) -> ActionResult:
    del self
    return ActionResult({"stateMachineVersions": []})
