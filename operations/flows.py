"""Starts and stops flows, waits until they have settled, and says whether an environment may be destroyed.

CloudFormation and Terraform never start or stop a flow: whether it is on air is an operation, not a setting. Which
flows there are is asked of the settings, by name; their ARNs and states of MediaConnect.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from settings import Environment, Names

SETTLED: Final = frozenset({"ACTIVE", "STANDBY", "ERROR"})
ON_AIR: Final = frozenset({"ACTIVE", "STARTING", "UPDATING"})
WAIT_SECONDS: Final = 3  # as MediaConnect's own waiters
WAIT_AT_MOST_SECONDS: Final = 300
Clients = Callable[[str], Any]
"""A boto3 client of a service."""


class FlowError(RuntimeError):
    """A flow is not there, cannot be brought where it should be, or keeps something from being done."""


@dataclass(frozen=True, slots=True)
class FlowState:
    """A flow of an environment as MediaConnect sees it; `arn` is None if it is not deployed."""

    name: str
    arn: str | None
    status: str


def states(clients: Clients, environment: Environment) -> list[FlowState]:
    """The flows of an environment, in the order of its settings.

    A name is unique only among the flows of our own stacks, so the stacks are asked, not the list of all flows.
    """
    names = Names(environment.name)
    return [_state(clients, flow.name, names.flow_stack(flow.name)) for flow in environment.flows]


def chosen(found: Sequence[FlowState], name: str | None) -> list[FlowState]:
    """The one flow of that name, or all that are deployed.

    Raises:
        FlowError: there is no such flow, or it is not deployed.
    """
    if name is None:
        return [flow for flow in found if flow.arn]
    for flow in found:
        if flow.name == name:
            if flow.arn is None:
                raise FlowError(f"{name} is not deployed. Deploy it first, or see `status`.")
            return [flow]
    raise FlowError(f"There is no flow {name} here; there are {', '.join(flow.name for flow in found)}.")


def start(clients: Clients, flows: Sequence[FlowState], *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Start flows and wait until they are on air.

    Raises:
        FlowError: one of them does not come on air.
    """
    _bring(clients, flows, "ACTIVE", sleep)


def stop(clients: Clients, flows: Sequence[FlowState], *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Stop flows and wait until they are.

    Raises:
        FlowError: one of them does not stop.
    """
    _bring(clients, flows, "STANDBY", sleep)


def open_incidents(clients: Clients, environment: Environment) -> list[str]:
    """The flows with an open incident; none where nothing is deployed."""
    client, names = clients("dynamodb"), Names(environment.name)
    found = []
    for flow in environment.flows:
        key = {"flow": {"S": flow.name}, "entry": {"S": "current"}}
        try:
            answer = client.get_item(TableName=names.incidents_table, Key=key, ConsistentRead=True)
        except client.exceptions.ResourceNotFoundException:
            return []
        if "open" in answer.get("Item", {}):
            found.append(flow.name)
    return found


def is_protected(clients: Clients, environment: Environment) -> bool:
    """Whether what is deployed refuses to be deleted, whatever the settings say by now."""
    client = clients("dynamodb")
    try:
        table = client.describe_table(TableName=Names(environment.name).incidents_table)["Table"]
    except client.exceptions.ResourceNotFoundException:
        return False
    return bool(table.get("DeletionProtectionEnabled"))


def reasons_to_keep(found: Sequence[FlowState], incidents: Sequence[str]) -> Iterator[str]:
    """Why an environment may not be destroyed now, each as a sentence; nothing if it may."""
    for flow in found:
        if flow.arn and flow.status != "STANDBY":
            why = "it is on air" if flow.status in ON_AIR else "it is not stopped"
            yield f"the flow {flow.name} is {flow.status}: {why}"
    for name in incidents:
        yield f"an incident of {name} is open: somebody may be working on it"


def ready_to_destroy(
    clients: Clients,
    environment: Environment,
    *,
    stop_flows: bool,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Make sure that nothing is protected or on air and no incident is open; with `stop_flows`, stop what is on air.

    Raises:
        FlowError: with every reason there is, and what to do.
    """
    name = environment.name
    if is_protected(clients, environment):
        raise FlowError(
            f"{name} is not destroyed: it is protected, and would be left half destroyed.\n"
            f"Set protect = false in environments/{name}.toml, deploy that, and destroy it then."
        )
    incidents = open_incidents(clients, environment)
    found = states(clients, environment)
    if stop_flows and not incidents:
        for flow in found:
            if flow.arn and flow.status != "STANDBY":
                say(f"stopping {flow.name}, which is {flow.status}")
        stop(clients, [flow for flow in found if flow.arn], sleep=sleep)
        found = states(clients, environment)
    if reasons := list(reasons_to_keep(found, incidents)):
        raise FlowError(
            "\n".join(
                [
                    f"{name} is not destroyed:",
                    *(f"  {reason}" for reason in reasons),
                    f"Stop its flows with `python -m operations stop {name}`, or here with --stop-flows"
                    + (", and close or wait for the end of its incidents." if incidents else "."),
                ]
            )
        )


def _state(clients: Clients, name: str, stack: str) -> FlowState:
    arn = _outputs(clients("cloudformation"), stack).get("FlowArn")
    if arn is None:
        return FlowState(name, None, "not deployed")
    return FlowState(name, arn, _status(clients("mediaconnect"), arn))


def _status(client: Any, arn: str) -> str:
    try:
        return str(client.describe_flow(FlowArn=arn)["Flow"]["Status"])
    except client.exceptions.NotFoundException:
        return "STANDBY"  # somebody deleted it: nothing is on air


def _outputs(client: Any, stack: str) -> Mapping[str, str]:
    try:
        described = client.describe_stacks(StackName=stack)["Stacks"][0]
    except client.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return {}
        raise
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def _bring(clients: Clients, flows: Sequence[FlowState], wanted: str, sleep: Callable[[float], None]) -> None:
    """Ask each flow once, when it has settled, and wait until all are where they should be.

    A flow that is still changing takes no order: asking then would be lost, and it would run on.
    """
    client = clients("mediaconnect")
    asked: set[str] = set()
    waiting = [flow for flow in flows if flow.arn]
    for _ in range(WAIT_AT_MOST_SECONDS // WAIT_SECONDS):
        rest = []
        for flow in waiting:
            arn = str(flow.arn)
            status = _status(client, arn)
            if status == wanted:
                continue
            if status in SETTLED and arn not in asked:
                (client.start_flow if wanted == "ACTIVE" else client.stop_flow)(FlowArn=arn)
                asked.add(arn)
            elif status in SETTLED and status == "ERROR":
                raise FlowError(f"{flow.name} is in ERROR: look at it in the MediaConnect console.")
            rest.append(flow)
        if not rest:
            return
        waiting = rest
        sleep(WAIT_SECONDS)
    late = ", ".join(f"{flow.name} ({_status(client, str(flow.arn))})" for flow in waiting)
    raise FlowError(f"Not {wanted} after {WAIT_AT_MOST_SECONDS} s: {late}. Look at it in the MediaConnect console.")
