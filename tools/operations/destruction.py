"""Destroying an environment: what prevents it, and stopping its flows first."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from settings import Environment
from tools.operations import deployment
from tools.operations.account import Clients, open_environment
from tools.operations.consent import agree
from tools.operations.flows import OFF_AIR, FlowError, FlowState, is_protected, listed, open_incidents, states
from tools.operations.start_stop import stop

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
"""By flow status: why the environment cannot be destroyed, and what to do."""


def destroy(environment: str, *, stop_flows: bool, agreed: bool, say: Callable[[str], None]) -> None:
    """Remove an environment if nothing prevents it, after its plan was agreed to.

    Args:
        environment: as in `environments/<name>.toml`.
        stop_flows: as `ready_to_destroy`.
        agreed: do not ask.
        say: as `ready_to_destroy`.

    Raises:
        FlowError: as `ready_to_destroy`.
        InputError: there is no terminal to ask at.
        DeclinedError: the person does not agree.
        TerraformError: the commands cannot run here.
        StepError: terraform failed and has printed why.
    """
    deployment.ready(agreed=agreed)  # before a flow is stopped
    settings, clients = open_environment(environment)
    ready_to_destroy(
        clients,
        settings,
        stop_flows=stop_flows,
        say=say,
        ask=lambda question: agree(question, agreed=agreed),
    )
    deployment.destroy(environment, agreed=agreed)


def obstacles(
    environment: Environment,
    found: Sequence[FlowState],
    incidents: Sequence[str],
    *,
    protected: bool = False,
    stop_flows: bool = False,
) -> Iterator[str]:
    """Why an environment cannot be destroyed now, and what to do, a line each."""
    name = environment.name
    if protected:
        deploy = f"run `make deploy ENV={name}`, then destroy it"
        change = deploy if not environment.protect else f"set protect = false in environments/{name}.toml, {deploy}"
        yield f"it is protected, and would be left half destroyed. To remove the protection, {change}."
    for flow in found:
        if flow.arn and flow.status not in OFF_AIR:
            unknown = ("it is not stopped", "See the flow in the MediaConnect console")
            why, advice = BEFORE_DESTROY.get(flow.status, unknown)
            end = "" if flow.status == "DELETING" else ", or destroy with --stop-flows"
            todo = "--stop-flows stops it once nothing else is listed here" if stop_flows else f"{advice}{end}"
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
    ask: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Check that nothing is protected or on air and no incident is open; with `stop_flows`, stop flows first.

    Args:
        clients: of AWS.
        environment: what is to be destroyed.
        stop_flows: stop flows that are on air, if nothing else prevents the destruction.
        say: called with each line of progress.
        ask: called with a question before flows are stopped; raises if the answer is no.
        sleep: waits.

    Raises:
        FlowError: lists every reason, and what to do.
    """
    found = states(clients, environment)
    incidents = open_incidents(clients, environment, [flow.name for flow in found])
    protected = is_protected(clients, environment)
    on_air = [flow for flow in found if flow.arn and flow.status not in OFF_AIR]
    if stop_flows and on_air and not incidents and not protected:
        ask(f"Stop {listed(on_air)}, and then destroy {environment.name}?")
        stop(clients, on_air, say=say, sleep=sleep)
        found = states(clients, environment)
    reasons = obstacles(environment, found, incidents, protected=protected, stop_flows=stop_flows)
    if lines := [f"  {reason}" for reason in reasons]:
        raise FlowError("\n".join([f"{environment.name} is not destroyed:", *lines]))
