"""A stack whose resource cannot be deleted ends in DELETE_FAILED. moto answers the API call itself with an error."""

from typing import Any

from moto.cloudformation import models


def install() -> None:
    """Record a failed deletion in the stack's status and events, where Terraform looks for it."""
    delete = models.Stack.delete
    forget = models.CloudFormationBackend.delete_stack

    def delete_or_fail(self: Any) -> None:
        try:
            delete(self)
        except Exception as reason:  # noqa: BLE001  any refusal of a resource is what AWS reports here
            self._add_stack_event("DELETE_FAILED", resource_status_reason=str(reason))
            self.status = "DELETE_FAILED"

    def delete_stack(self: Any, name_or_stack_id: str) -> None:
        stack = next((s for s in self.stacks.values() if name_or_stack_id in {s.stack_id, s.name}), None)
        forget(self, name_or_stack_id)
        if stack is not None and stack.status == "DELETE_FAILED":
            self.deleted_stacks.pop(stack.stack_id, None)
            self.stacks[stack.stack_id] = stack

    models.Stack.delete = delete_or_fail
    models.CloudFormationBackend.delete_stack = delete_stack
