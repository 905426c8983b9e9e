"""The flows of an environment: which are deployed, their status, and what is open or protected.

Settings and deployed stacks say which flows exist, MediaConnect says their status.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from settings import Environment, Names, OperatorError
from tools.operations.account import Clients, open_environment
from tools.operations.errors import InputError

OFF_AIR: Final = frozenset({"STANDBY", "deleted"})


class FlowError(OperatorError):
    """A flow does not exist, does not start or stop, or prevents what was asked for."""


@dataclass(frozen=True, slots=True)
class FlowState:
    """A flow of an environment and its status.

    Attributes:
        name: its name.
        arn: None if it is not deployed.
        status: its status in MediaConnect, or `not deployed`, or `deleted` if only its stack is left.
        removed: it is deployed, but no longer in the settings.
    """

    name: str
    arn: str | None
    status: str
    removed: bool = False


def states(clients: Clients, environment: Environment) -> list[FlowState]:
    """The flows of an environment in the order of its settings, then those that are deployed but no longer in them.

    Names are unique only among the flows of our own stacks, so this reads the stacks, not the list of all flows.
    """
    names, mediaconnect = Names(environment.name), clients("mediaconnect")
    own = [names.flow_stack(flow.name) for flow in environment.flows]
    arns = _flow_arns(clients("cloudformation"), f"{names.prefix}-", own)
    found = []
    for flow in environment.flows:
        arn = arns.pop(names.flow_stack(flow.name), None)
        found.append(FlowState(flow.name, arn, flow_status(mediaconnect, arn) if arn else "not deployed"))
    removed = [
        FlowState(arn.rpartition(":")[2], arn, flow_status(mediaconnect, arn), removed=True) for arn in arns.values()
    ]
    return [*found, *removed]


def status_lines(environment: str, flow: str | None) -> list[str]:
    """The status of one flow of an environment or of all, a line each.

    Raises:
        InputError: there is no such flow.
    """
    settings, clients = open_environment(environment)
    found = states(clients, settings)
    named = [item for item in found if flow in {None, item.name}] or chosen(found, flow, environment=environment)
    return [f"{item.name}: {item.status}" + (", no longer in the settings" if item.removed else "") for item in named]


def chosen(found: Sequence[FlowState], name: str | None, *, environment: str = "this environment") -> list[FlowState]:
    """The flow of that name, or all flows.

    Raises:
        InputError: there is no such flow.
        FlowError: it is not deployed.
    """
    if name is None:
        return list(found)
    for flow in found:
        if flow.name == name:
            if flow.arn is None:
                raise FlowError(f"{name} is not deployed. Deploy it with `make deploy ENV={environment}`.")
            return [flow]
    raise InputError(f'No flow "{name}" in {environment}. Flows: {", ".join(flow.name for flow in found)}.')


def open_incidents(clients: Clients, environment: Environment, more: Sequence[str] = ()) -> list[str]:
    """Flows with an open incident, among those of the settings and `more`; none if nothing is deployed."""
    client, names = clients("dynamodb"), Names(environment.name)
    found = []
    for flow in dict.fromkeys([*(item.name for item in environment.flows), *more]):
        key = {"flow": {"S": flow}, "entry": {"S": "current"}}
        try:
            answer = client.get_item(TableName=names.incidents_table, Key=key, ConsistentRead=True)
        except client.exceptions.ResourceNotFoundException:
            return []
        if "open" in answer.get("Item", {}):
            found.append(flow)
    return found


def is_protected(clients: Clients, environment: Environment) -> bool:
    """Whether the deployed environment has deletion protection, whatever the settings say."""
    client = clients("dynamodb")
    try:
        table = client.describe_table(TableName=Names(environment.name).incidents_table)["Table"]
    except client.exceptions.ResourceNotFoundException:
        return False
    return bool(table.get("DeletionProtectionEnabled"))


def listed(flows: Sequence[FlowState]) -> str:
    """Flows and their status, for a question."""
    return ", ".join(f"{flow.name} ({flow.status})" for flow in flows)


def flow_status(client: Any, arn: str) -> str:
    """The status of a flow by MediaConnect; `deleted` if it does not exist."""
    try:
        return str(client.describe_flow(FlowArn=arn)["Flow"]["Status"])
    except client.exceptions.NotFoundException:
        return "deleted"


def _flow_arns(client: Any, prefix: str, own: Iterable[str]) -> dict[str, str]:
    """The flow ARN of each deployed stack whose name begins with `prefix`, by stack name."""
    found = {}
    for stack in _stacks(client, own):
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        if stack["StackName"].startswith(prefix) and "FlowArn" in outputs:
            found[stack["StackName"]] = outputs["FlowArn"]
    return found


def _stacks(client: Any, own: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """All stacks; where the role may not list them, as a pipeline's, the existing ones among `own`.

    Those lack flows that are no longer in the settings; a destroy checks each flow in the state.
    """
    try:
        for page in client.get_paginator("describe_stacks").paginate():
            yield from page["Stacks"]
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in {"AccessDenied", "AccessDeniedException"}:
            raise
    else:
        return
    for name in own:
        try:
            yield from client.describe_stacks(StackName=name)["Stacks"]
        except client.exceptions.ClientError as error:
            if "does not exist" not in str(error):
                raise
