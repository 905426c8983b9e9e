"""CloudFormation refuses what AWS refuses, and a failure ends in the status of the stack.

A stack is deleted in reverse order of its references. Where a resource refuses, the stack ends in DELETE_FAILED: what
the resource refers to stays, and what referred to it is gone. A failed update ends in UPDATE_ROLLBACK_COMPLETE with
the resources as they were. A stack policy of an update is stored, and termination protection obeyed.

moto 5.2.5: deletes in any order, answers the call itself with the error of a resource, updates a stack in any state and
one without a change, ignores StackPolicyBody of UpdateStack, and lacks UpdateTerminationProtection.
AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-delete-stack.html
AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html
AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateTerminationProtection.html
Remove when: moto does all of this; drop each part that it does.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from moto.cloudformation import models, parsing, responses
from moto.cloudformation.exceptions import ValidationError

from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)
NAMED_IN_TEXT: Final = re.compile(r"\$\{([A-Za-z0-9]+)[.}]")
CHANGES_WITH_ITS_RESOURCES_ONLY: Final = ("Metadata", "Conditions", "Mappings", "Parameters", "Description")
"""Parts of a template that cannot be updated by themselves (user guide, "Metadata"; the others are as inert)."""


def references(part: Any) -> Iterator[str]:
    """The logical ids that a part of a template refers to."""
    if isinstance(part, list):
        for item in part:
            yield from references(item)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key in {"Ref", "DependsOn"}:
                yield from value if isinstance(value, list) else [value]
            elif key == "Fn::GetAtt":
                yield value[0] if isinstance(value, list) else value.partition(".")[0]
            elif key == "Fn::Sub":
                yield from NAMED_IN_TEXT.findall(json.dumps(value))
            else:
                yield from references(value)


@GAP.replaces(parsing.ResourceMap, "delete", "(self)")
def _delete_dependents_first(self: Any) -> None:
    """Delete the resources of a stack, each after those that refer to it.

    Raises:
        ValidationError: some refused; they and what they refer to are left.
    """
    left: dict[str, Any] = dict(self._resource_json_map)
    refused: dict[str, str] = {}
    kept: set[str] = set()
    while ready := [
        name
        for name in left
        if name not in kept and not any(name in references(body) for other, body in left.items() if other != name)
    ]:
        for name in ready:
            body, found = left[name], self._parsed_resources.get(name)
            try:
                if found is not None and not isinstance(found, str) and body.get("DeletionPolicy") != "Retain":
                    self._delete_resource(found, body)
            except Exception as reason:  # noqa: BLE001  any refusal of a resource is what AWS reports here
                kept.add(name)
                refused[name] = str(reason)
            else:
                del left[name]
                self._parsed_resources.pop(name, None)
                # A copy: moto creates again what its own map names and is not there.
                self._resource_json_map = dict(left)
    if refused:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in refused.items())
        raise ValidationError(message=f"The following resource(s) failed to delete: [{', '.join(refused)}]. {reasons}")


def _changes_nothing(stack: Any, body: str, parameters: Mapping[str, Any], tags: Mapping[str, str] | None) -> bool:
    """Whether an update differs in nothing that CloudFormation compares; a stack policy is not compared."""
    before, after = stack.template_dict, stack.parse_template(body)
    parts = {*before, *after} - {*CHANGES_WITH_ITS_RESOURCES_ONLY}
    return (
        all(before.get(part) == after.get(part) for part in parts)
        and (not parameters or dict(parameters) == stack.parameters)
        and (tags is None or dict(tags) == stack.tags)
    )


@GAP.wraps(models.Stack, "delete", "(self)")
def _delete_or_fail(delete: Callable[..., None], self: Any) -> None:
    with suppress(Exception):
        list(self.output_map.values())  # kept as they are: a stack that cannot be deleted still has its outputs
    try:
        delete(self)
    except Exception as reason:  # noqa: BLE001  as above
        self._add_stack_event("DELETE_FAILED", resource_status_reason=str(reason))
        self.status, self.stack_status_reason = "DELETE_FAILED", str(reason)


@GAP.wraps(models.Stack, "update", "(self, template, role_arn=None, parameters=None, tags=None)")
def _update_or_roll_back(update: Callable[..., None], self: Any, template: str, *args: Any, **kwargs: Any) -> None:
    before = self.template
    try:
        update(self, template, *args, **kwargs)
    except Exception as reason:  # noqa: BLE001  as above
        self._add_stack_event("UPDATE_ROLLBACK_IN_PROGRESS", resource_status_reason=str(reason))
        update(self, before)
        self._add_stack_event("UPDATE_ROLLBACK_COMPLETE")
        self.status, self.stack_status_reason = "UPDATE_ROLLBACK_COMPLETE", str(reason)


@GAP.wraps(models.CloudFormationBackend, "update_stack", "(self, name, template, role_arn, parameters, tags)")
def _refuse_update(
    update: Callable[..., Any],
    self: Any,
    name: str,
    template: str,
    role_arn: Any,
    *,
    parameters: Any,
    tags: dict[str, str] | None,
) -> Any:
    stack = self.get_stack(name)
    if stack.status in {"DELETE_FAILED", "ROLLBACK_COMPLETE"}:
        raise ValidationError(message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")
    if _changes_nothing(stack, template, self._resolve_update_parameters(stack, parameters), tags):
        raise ValidationError(message="No updates are to be performed.")
    return update(self, name, template, role_arn, parameters, tags)


@GAP.wraps(models.CloudFormationBackend, "delete_stack", "(self, name_or_stack_id)")
def _refuse_delete(delete: Callable[..., None], self: Any, name_or_stack_id: str) -> None:
    """Refuse to delete a protected stack; keep one that failed to be deleted."""
    stack = next((s for s in self.stacks.values() if name_or_stack_id in {s.stack_id, s.name}), None)
    if stack is not None and stack.enable_termination_protection:
        refusal = f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
        raise ValidationError(message=refusal)
    delete(self, name_or_stack_id)
    if stack is not None and stack.status == "DELETE_FAILED":
        self.deleted_stacks.pop(stack.stack_id, None)
        self.stacks[stack.stack_id] = stack


@GAP.wraps(responses.CloudFormationResponse, "update_stack", "(self)")
def _store_policy(update: Callable[..., Any], self: Any) -> Any:
    answer = update(self)
    if policy := self._get_param("StackPolicyBody"):
        self.cloudformation_backend.set_stack_policy(self._get_param("StackName"), policy)
    return answer


@GAP.adds(responses.CloudFormationResponse, "update_termination_protection")
def _update_termination_protection(self: Any) -> Any:
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    stack.enable_termination_protection = self._get_bool_param("EnableTerminationProtection")
    return responses.ActionResult({"StackId": stack.stack_id})
