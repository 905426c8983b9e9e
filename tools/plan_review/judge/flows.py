"""The live impact of a change to a stack that holds a flow: the flow is created, deleted, replaced or changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tools.plan_review import template
from tools.plan_review.differences import Difference, shown
from tools.plan_review.findings import Impact, Rank
from tools.plan_review.judge import flow_template
from tools.plan_review.plan import Change
from tools.plan_review.template import Resource

FLOW_STACK: Final = "aws_cloudformation_stack"


@dataclass(frozen=True, slots=True)
class Flow:
    """A stack that holds a flow.

    Attributes:
        change: of the stack.
        name: of the flow.
        before: the flow's properties now; None if it does not exist.
        after: its planned properties, those now if the new template cannot be read; None if it will not exist.
    """

    change: Change
    name: str
    before: Resource | None
    after: Resource | None

    @property
    def arn(self) -> str | None:
        """The ARN of the flow, if it exists."""
        return outputs(self.change).get("FlowArn")

    @property
    def ingest(self) -> str:
        """Address and port of the flow's source."""
        found = outputs(self.change)
        address = found.get("IngestIp")
        return f"{address}:{found.get('IngestPort', '?')}" if address else "unknown"


def outputs(stack: Change) -> Mapping[str, Any]:
    """The outputs of a stack as it is now."""
    return (stack.before or {}).get("outputs") or {}


def flows_in(changes: Sequence[Change]) -> Iterator[Flow]:
    """The flows in all stacks, changed or not."""
    for change in changes:
        if change.type != FLOW_STACK:
            continue
        before, after = (
            template.flow_of((state or {}).get("template_body")) for state in (change.before, change.after)
        )
        if before or after or change.is_unknown("template_body"):
            name = str((before or after or {}).get("Name", change.address))
            unreadable = change.after is not None and _unreadable(change) is not None
            yield Flow(change, name, before, before if unreadable else after)


def impacts(flow: Flow, flows: Sequence[Flow]) -> Iterator[Impact]:
    """The impact on a flow as a whole, and then on its parts.

    Args:
        flow: whose stack may change.
        flows: all of the plan, to see whether another one continues its stream.
    """
    change = flow.change
    if not change.changes_something or change.action == "forget":  # a forgotten stack is judged as a resource
        return
    if change.before is None:
        name = (flow.after or {}).get("Name", change.address)
        yield Rank.CHANGED, f"{name} is a new flow, created in STANDBY; its ingest address is known only after apply"
    elif change.gone:
        yield Rank.OFF_AIR, _deleted(flow, flows)
    elif why := _unreadable(change):
        yield Rank.OFF_AIR, f"{flow.name} may go off air: its new template {why}"
    elif flow.after is None:
        yield Rank.OFF_AIR, _deleted(flow, flows)
    else:
        yield from _changed(flow)


def _unreadable(change: Change) -> str | None:
    """Why the templates of a stack cannot be compared; None if they can."""
    if change.is_unknown("template_body"):
        return "is known only after apply"
    states = (change.before, change.after)
    if any(template.resources((state or {}).get("template_body")) is None for state in states):
        return "cannot be read"
    return None


def _changed(flow: Flow) -> Iterator[Impact]:
    change = flow.change
    old, new = (template.resources((state or {}).get("template_body")) or {} for state in (change.before, change.after))
    of_flow = [key for key in old if old[key].get("Type") == template.FLOW]
    forced = [item for key in of_flow if key in new for item in template.create_only_changes(old[key], new[key])]
    renamed = not any(key in new for key in of_flow)  # another logical id is another resource
    if change.action == "replace" or forced or renamed:
        yield Rank.OFF_AIR, _replaced(flow, forced)
    yield from flow_template.impacts(flow.name, old, new)


def _deleted(flow: Flow, flows: Sequence[Flow]) -> str:
    words = f"{flow.name} goes off air: its flow is deleted, and its ingest address {flow.ingest} is lost"
    for other in flows:
        if other.change.before is None and other.after and flow.before and _same_source(flow.before, other.after):
            return (
                f"{words}. It is renamed: {other.after.get('Name')} is a new flow in STANDBY with an ingest address "
                "known only after apply; viewers see nothing until it is started and encoder and receivers follow"
            )
    return words


def _same_source(before: Resource, after: Resource) -> bool:
    return bool(before.get("Source") == after.get("Source"))


def _replaced(flow: Flow, forced: Sequence[Difference]) -> str:
    causes = " and ".join(
        f"{item.path} cannot change in place ({shown(item.before)} becomes {shown(item.after)})" for item in forced
    )
    replaced_by = flow.change.replaced_by
    why = causes or (f"{', '.join(replaced_by)} changes" if replaced_by else "the stack is recreated")
    return (
        f"{flow.name} goes off air: its flow is replaced, because {why}. Its ingest address {flow.ingest} is lost, "
        "the new one is known only after apply, and the new flow is in STANDBY until it is started"
    )
