"""Starts and stops flows, waits until they have settled, and says whether an environment may be destroyed.

CloudFormation and Terraform never start or stop a flow: whether it is on air is an operation, not a setting. Which
flows there are is asked of the settings and of the stacks that are deployed; their states of MediaConnect.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from settings import Environment, Names
from tools.operations.errors import InputError

SETTLED: Final = frozenset({"ACTIVE", "STANDBY", "ERROR"})
OFF_AIR: Final = frozenset({"STANDBY", "deleted"})
GONE: Final = frozenset({"DELETING", "deleted"})
WAIT_SECONDS: Final = 3  # as MediaConnect's own waiters
WAIT_AT_MOST_SECONDS: Final = 300
Clients = Callable[[str], Any]
"""A boto3 client of a service."""

STOP: Final = "Stop it with `media-workflow stop {environment} {flow}`"
BEFORE_DESTROY: Final[Mapping[str, tuple[str, str]]] = {
    "ACTIVE": ("it is on air", STOP),
    "STARTING": ("it is on air", STOP),
    "UPDATING": ("it is on air", STOP),
    "STOPPING": ("it is not stopped yet", "Wait until `media-workflow status {environment}` shows STANDBY"),
    "ERROR": ("it is not stopped", f"{STOP}; if it stays in ERROR, see the MediaConnect console"),
    "DELETING": (
        "it is being deleted",
        "Wait until `media-workflow status {environment}` shows that it is",
    ),
}
"""By a flow's status: why it keeps its environment from being destroyed, and what to do."""


class FlowError(RuntimeError):
    """A flow is not there, cannot be brought where it should be, or keeps something from being done."""


@dataclass(frozen=True, slots=True)
class FlowState:
    """A flow of an environment as MediaConnect sees it.

    Attributes:
        name: its name.
        arn: None if it is not deployed.
        status: of MediaConnect, or `not deployed`, or `deleted` if only its stack is left.
        removed: whether it is deployed, but no longer in the settings.
    """

    name: str
    arn: str | None
    status: str
    removed: bool = False


def states(clients: Clients, environment: Environment) -> list[FlowState]:
    """The flows of an environment, in the order of its settings, then what is deployed but no longer in them.

    A name is unique only among the flows of our own stacks, so the stacks are asked, not the list of all flows.
    """
    names, mediaconnect = Names(environment.name), clients("mediaconnect")
    own = [names.flow_stack(flow.name) for flow in environment.flows]
    arns = _flow_arns(clients("cloudformation"), f"{names.prefix}-", own)
    found = []
    for flow in environment.flows:
        arn = arns.pop(names.flow_stack(flow.name), None)
        found.append(FlowState(flow.name, arn, _status(mediaconnect, arn) if arn else "not deployed"))
    removed = [
        FlowState(arn.rpartition(":")[2], arn, _status(mediaconnect, arn), removed=True) for arn in arns.values()
    ]
    return [*found, *removed]


def one_or_all(environment: Environment, flow: str | None, *, every: bool) -> str | None:
    """The flow that was named, or None for all of them.

    Raises:
        InputError: neither or both are given.
    """
    if (flow is None) is every:
        return flow
    names = ", ".join(item.name for item in environment.flows)
    wrong = "Give one flow or --all, not both." if every else "Give a flow, or --all for every flow."
    raise InputError(f"{wrong} Flows of {environment.name}: {names}.")


def chosen(found: Sequence[FlowState], name: str | None, *, environment: str = "this environment") -> list[FlowState]:
    """The one flow of that name, or all.

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


def reasons_to_ask(environment: Environment, flows: Sequence[FlowState], *, protected: bool) -> Iterator[str]:
    """Why starting or stopping these flows needs somebody's agreement, each as a sentence; nothing if it does not."""
    if protected or environment.protect:
        yield f"{environment.name} is protected."
    always = {flow.name for flow in environment.flows if flow.on_air == "always"}
    for flow in flows:
        if flow.name in always:
            yield f"{flow.name} is always on air."


def start(
    clients: Clients,
    flows: Sequence[FlowState],
    *,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Start flows, wait until they are on air, and say of each what it was and is.

    Raises:
        FlowError: with every flow that does not come on air.
    """
    _bring(clients, flows, "ACTIVE", say, sleep)


def stop(
    clients: Clients,
    flows: Sequence[FlowState],
    *,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Stop flows, wait until they are off air, and say of each what it was and is.

    Raises:
        FlowError: with every flow that does not stop.
    """
    _bring(clients, flows, "STANDBY", say, sleep)


def open_incidents(clients: Clients, environment: Environment, more: Sequence[str] = ()) -> list[str]:
    """The flows with an open incident, among those of the settings and `more`; none where nothing is deployed."""
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
    """Whether what is deployed refuses to be deleted, whatever the settings say by now."""
    client = clients("dynamodb")
    try:
        table = client.describe_table(TableName=Names(environment.name).incidents_table)["Table"]
    except client.exceptions.ResourceNotFoundException:
        return False
    return bool(table.get("DeletionProtectionEnabled"))


def reasons_to_keep(
    environment: Environment,
    found: Sequence[FlowState],
    incidents: Sequence[str],
    *,
    protected: bool = False,
    stop_flows: bool = False,
) -> Iterator[str]:
    """Why an environment may not be destroyed now, and what to do, a line each; nothing if it may."""
    name = environment.name
    if protected:
        deploy = f"run `make deploy ENV={name}`, and destroy it then"
        change = deploy if not environment.protect else f"set protect = false in environments/{name}.toml, {deploy}"
        yield f"it is protected, and would be left half destroyed. To end that, {change}."
    for flow in found:
        if flow.arn and flow.status not in OFF_AIR:
            unknown = ("it is not stopped", "See the flow in the MediaConnect console")
            why, advice = BEFORE_DESTROY.get(flow.status, unknown)
            end = "" if flow.status == "DELETING" else ", or destroy with --stop-flows"
            todo = "--stop-flows stops it when nothing else is listed here" if stop_flows else f"{advice}{end}"
            yield f"the flow {flow.name} is {flow.status}: {why}. {todo.format(environment=name, flow=flow.name)}."
    for flow_name in incidents:
        close = f"`media-workflow close {name} {flow_name} --reason TEXT`"
        yield f"an incident of {flow_name} is open: somebody may be working on it. Wait until it ends, or run {close}."


def ready_to_destroy(
    clients: Clients,
    environment: Environment,
    *,
    stop_flows: bool,
    say: Callable[[str], None],
    agreed: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Make sure that nothing is protected or on air and no incident is open; with `stop_flows`, stop what is on air.

    Args:
        clients: of AWS.
        environment: what is to be destroyed.
        stop_flows: stop what is on air, if nothing else is in the way.
        say: receives what is done, a line each.
        agreed: called with a question before flows are stopped; raises if the answer is no.
        sleep: waits.

    Raises:
        FlowError: with every reason there is, and what to do.
    """
    found = states(clients, environment)
    incidents = open_incidents(clients, environment, [flow.name for flow in found])
    protected = is_protected(clients, environment)
    on_air = [flow for flow in found if flow.arn and flow.status not in OFF_AIR]
    if stop_flows and on_air and not incidents and not protected:
        agreed(f"Stop {listed(on_air)}, and then destroy {environment.name}?")
        stop(clients, on_air, say=say, sleep=sleep)
        found = states(clients, environment)
    reasons = reasons_to_keep(environment, found, incidents, protected=protected, stop_flows=stop_flows)
    if lines := [f"  {reason}" for reason in reasons]:
        raise FlowError("\n".join([f"{environment.name} is not destroyed:", *lines]))


def listed(flows: Sequence[FlowState]) -> str:
    """Flows and their states, for a question."""
    return ", ".join(f"{flow.name} ({flow.status})" for flow in flows)


def _status(client: Any, arn: str) -> str:
    try:
        return str(client.describe_flow(FlowArn=arn)["Flow"]["Status"])
    except client.exceptions.NotFoundException:
        return "deleted"


def _flow_arns(client: Any, prefix: str, own: Iterable[str]) -> dict[str, str]:
    """The flow's ARN of each deployed stack whose name begins with `prefix`, by the stack's name."""
    found = {}
    for stack in _stacks(client, own):
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        if stack["StackName"].startswith(prefix) and "FlowArn" in outputs:
            found[stack["StackName"]] = outputs["FlowArn"]
    return found


def _stacks(client: Any, own: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """All stacks, or those of `own` that are there, where a role may not list all, as that of a pipeline.

    Flows that are no longer in the settings are then not among them; what deletes them checks each flow of the state.
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


def _bring(
    clients: Clients,
    flows: Sequence[FlowState],
    wanted: str,
    say: Callable[[str], None],
    sleep: Callable[[float], None],
) -> None:
    """Ask each flow once, when it has settled, and wait until all are where they should be.

    One that fails does not keep the others from being waited for.
    """
    absent = [flow.name for flow in flows if not flow.arn]
    failed = [f"{name} is not deployed." for name in absent if wanted == "ACTIVE"]
    for name in absent if not failed else ():
        say(f"{name}: not deployed (nothing to do)")
    waiting = [_Order(clients("mediaconnect"), flow, wanted, say) for flow in flows if flow.arn]
    for _ in range(WAIT_AT_MOST_SECONDS // WAIT_SECONDS):
        waiting = [order for order in waiting if not order.settled()]
        failed += [order.failure for order in waiting if order.failure]
        waiting = [order for order in waiting if not order.failure]
        if not waiting:
            break
        sleep(WAIT_SECONDS)
    if waiting:
        late = ", ".join(f"{order.flow.name} ({order.status})" for order in waiting)
        failed.append(f"Not {wanted} after {WAIT_AT_MOST_SECONDS} s: {late}. See the MediaConnect console.")
    if failed:
        raise FlowError("\n".join(failed))


class _Order:
    """What one flow is asked to become.

    A flow that is still changing takes no order: asking then would be lost, and it would run on.
    """

    def __init__(self, client: Any, flow: FlowState, wanted: str, say: Callable[[str], None]) -> None:
        self._client, self._wanted, self._say = client, wanted, say
        self._given = False
        self.flow = flow
        self.status = flow.status
        self.failure = ""

    def settled(self) -> bool:
        """Whether the flow is where it should be; asks it to go there, or notes why it cannot."""
        self.status = _status(self._client, str(self.flow.arn))
        stops = self._wanted == "STANDBY"
        if self.status in (OFF_AIR if stops else {self._wanted}):
            self._say(
                f"{self.flow.name}: was {self.flow.status}, now {self.status}"
                + ("" if self._given or self.status != self.flow.status else " (nothing to do)")
            )
            return True
        if self.status in GONE or (self.status == "ERROR" and self._given):
            self.failure = f"{self.flow.name} is in {self.status}. See the flow in the MediaConnect console."
        elif self.status in SETTLED and not self._given:
            (self._client.stop_flow if stops else self._client.start_flow)(FlowArn=self.flow.arn)
            self._given = True
            self._say(f"{self.flow.name}: {'stopping' if stops else 'starting'}, was {self.status}")
        return False
