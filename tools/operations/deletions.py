"""The flows that a plan or a destroy deletes. Pure.

A flow goes with its stack, or CloudFormation replaces it inside an update of the stack: a plan shows only a changed
template there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tools.plan_review import read_plan, template
from tools.plan_review.plan import Change

FLOW_STACK: Final = "aws_cloudformation_stack"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedFlow:
    """A flow that a plan deletes or replaces.

    Attributes:
        address: of its stack, in Terraform.
        stack: name of the stack.
        how: what happens to it, in words.
        deletes_stack: whether the stack itself goes; otherwise CloudFormation replaces the flow inside of it.
    """

    address: str
    stack: str
    how: str
    deletes_stack: bool = True


def deleted_by_plan(plan_json: str) -> tuple[DeletedFlow, ...]:
    """The flows that a plan deletes or replaces, by Terraform or by CloudFormation inside an update.

    Args:
        plan_json: what `terraform show -json PLANFILE` printed.

    Raises:
        PlanError: it is no plan that can be read.
    """
    return tuple(found for change in read_plan(plan_json).changes for found in _deleted_by_change(change))


def deleted_by_destroy(state: Mapping[str, Any]) -> tuple[DeletedFlow, ...]:
    """All flows of a state, as `terraform show -json` prints it: those that `terraform destroy` deletes."""
    return tuple(_of_module((state.get("values") or {}).get("root_module") or {}))


def _deleted_by_change(change: Change) -> Iterator[DeletedFlow]:
    if change.type != FLOW_STACK or change.before is None:
        return
    if template.flow_of(change.before.get("template_body")) is None:
        return
    name = str(change.before["name"])
    if change.action in {"delete", "replace"}:
        how = "deleted" if change.action == "delete" else "replaced"
        yield DeletedFlow(address=change.address, stack=name, how=how)
    elif change.action == "update" and (why := _replaced_inside(change)):
        yield DeletedFlow(
            address=change.address, stack=name, how=f"replaced by CloudFormation, {why}", deletes_stack=False
        )


def _replaced_inside(change: Change) -> str | None:
    """Why an update of a stack replaces or removes the flow in it; None if it does not."""
    if change.is_unknown("template_body"):
        return "perhaps: its new template is known only after apply"
    old, new = (template.resources((state or {}).get("template_body")) for state in (change.before, change.after))
    if new is None:
        return "perhaps: its new template cannot be read"
    for key, resource in (old or {}).items():
        if resource.get("Type") != template.FLOW:
            continue
        if key not in new or new[key].get("Type") != template.FLOW:
            return "because it is not in the new template"
        if changed := template.create_only_changes(resource, new[key]):
            return f"because {' and '.join(leaf.path for leaf in changed)} cannot change in place"
    return None


def _of_module(module: Mapping[str, Any]) -> Iterator[DeletedFlow]:
    for resource in module.get("resources", ()):
        values = resource.get("values", {})
        if resource.get("type") == FLOW_STACK and template.flow_of(values.get("template_body")) is not None:
            yield DeletedFlow(address=resource["address"], stack=values["name"], how="deleted")
    for child in module.get("child_modules", ()):
        yield from _of_module(child)
