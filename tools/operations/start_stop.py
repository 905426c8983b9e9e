"""Starting and stopping flows, and waiting until they have.

CloudFormation and Terraform never start or stop a flow: whether it is on air is an operation, not a setting.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from settings import Environment
from tools.operations.account import Clients, open_environment
from tools.operations.consent import agree
from tools.operations.errors import InputError
from tools.operations.flows import (
    OFF_AIR,
    FlowError,
    FlowState,
    chosen,
    flow_status,
    is_protected,
    listed,
    states,
)

SETTLED: Final = frozenset({"ACTIVE", "STANDBY", "ERROR"})
GONE: Final = frozenset({"DELETING", "deleted"})
WAIT_SECONDS: Final = 3  # as MediaConnect's own waiters
WAIT_AT_MOST_SECONDS: Final = 300


def start_named(environment: str, flow: str | None, *, every: bool, agreed: bool, say: Callable[[str], None]) -> None:
    """Start one flow of an environment or all, after asking where that can interrupt a program.

    Raises:
        InputError: neither a flow nor `every` is given, or both, or there is no such flow.
        FlowError: as `start`.
        DeclinedError: the person does not agree.
    """
    settings, clients = open_environment(environment)
    name = one_or_all(settings, flow, every=every)
    found = chosen(states(clients, settings), name, environment=environment)
    if name is None:
        found = [item for item in found if not item.removed]
    _ask("Start", clients, settings, found, agreed=agreed)
    start(clients, found, say=say)


def stop_named(environment: str, flow: str | None, *, every: bool, agreed: bool, say: Callable[[str], None]) -> None:
    """Stop one flow of an environment or all, after asking where that can interrupt a program.

    Raises:
        InputError: as `start_named`.
        FlowError: as `stop`.
        DeclinedError: as `start_named`.
    """
    settings, clients = open_environment(environment)
    name = one_or_all(settings, flow, every=every)
    found = chosen(states(clients, settings), name, environment=environment)
    _ask("Stop", clients, settings, found, agreed=agreed)
    stop(clients, found, say=say)


def one_or_all(environment: Environment, flow: str | None, *, every: bool) -> str | None:
    """The named flow, or None for all flows.

    Raises:
        InputError: neither or both are given.
    """
    if (flow is None) is every:
        return flow
    names = ", ".join(item.name for item in environment.flows)
    wrong = "Give one flow or --all, not both." if every else "Give a flow, or --all for every flow."
    raise InputError(f"{wrong} Flows of {environment.name}: {names}.")


def reasons_to_ask(environment: Environment, flows: Sequence[FlowState], *, protected: bool) -> Iterator[str]:
    """Why starting or stopping these flows needs agreement, a sentence each."""
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
    """Start flows, wait until they are on air, and print the status of each before and after.

    Raises:
        FlowError: lists every flow that does not start.
    """
    _change(clients, flows, "ACTIVE", say, sleep)


def stop(
    clients: Clients,
    flows: Sequence[FlowState],
    *,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Stop flows, wait until they are off air, and print the status of each before and after.

    Raises:
        FlowError: lists every flow that does not stop.
    """
    _change(clients, flows, "STANDBY", say, sleep)


def _ask(verb: str, clients: Clients, settings: Environment, found: Sequence[FlowState], *, agreed: bool) -> None:
    reasons = list(reasons_to_ask(settings, found, protected=is_protected(clients, settings)))
    if reasons:
        agree(f"{' '.join(reasons)} {verb} {listed(found)}?", agreed=agreed)


def _change(
    clients: Clients,
    flows: Sequence[FlowState],
    wanted: str,
    say: Callable[[str], None],
    sleep: Callable[[float], None],
) -> None:
    """Start or stop each flow once, when it has settled, and wait until all have the wanted status.

    A flow that fails does not end the wait for the others.
    """
    absent = [flow.name for flow in flows if not flow.arn]
    failed = [f"{name} is not deployed." for name in absent if wanted == "ACTIVE"]
    for name in absent if not failed else ():
        say(f"{name}: not deployed (nothing to do)")
    waiting = [_Transition(clients("mediaconnect"), flow, wanted, say) for flow in flows if flow.arn]
    for _ in range(WAIT_AT_MOST_SECONDS // WAIT_SECONDS):
        waiting = [transition for transition in waiting if not transition.settled()]
        failed += [transition.failure for transition in waiting if transition.failure]
        waiting = [transition for transition in waiting if not transition.failure]
        if not waiting:
            break
        sleep(WAIT_SECONDS)
    if waiting:
        slow = ", ".join(f"{transition.flow.name} ({transition.status})" for transition in waiting)
        failed.append(f"Not {wanted} after {WAIT_AT_MOST_SECONDS} s: {slow}. See the MediaConnect console.")
    if failed:
        raise FlowError("\n".join(failed))


class _Transition:
    """The change of one flow to a wanted status.

    A call while the flow is still changing would be lost, so the call waits until it has settled.
    """

    def __init__(self, client: Any, flow: FlowState, wanted: str, say: Callable[[str], None]) -> None:
        self._client, self._wanted, self._say = client, wanted, say
        self._called = False
        self.flow = flow
        self.status = flow.status
        self.failure = ""

    def settled(self) -> bool:
        """Whether the flow has the wanted status; starts or stops it if it can, and sets `failure` if it failed."""
        self.status = flow_status(self._client, str(self.flow.arn))
        stops = self._wanted == "STANDBY"
        if self.status in (OFF_AIR if stops else {self._wanted}):
            self._say(
                f"{self.flow.name}: was {self.flow.status}, now {self.status}"
                + ("" if self._called or self.status != self.flow.status else " (nothing to do)")
            )
            return True
        if self.status in GONE or (self.status == "ERROR" and self._called):
            self.failure = f"{self.flow.name} is in {self.status}. See the flow in the MediaConnect console."
        elif self.status in SETTLED and not self._called:
            (self._client.stop_flow if stops else self._client.start_flow)(FlowArn=self.flow.arn)
            self._called = True
            self._say(f"{self.flow.name}: {'stopping' if stops else 'starting'}, was {self.status}")
        return False
