"""What a resource refuses becomes the stack's status and events, where Terraform looks for it.

A stack that cannot be deleted ends in DELETE_FAILED, one that cannot be changed in UPDATE_ROLLBACK_COMPLETE with what
it was before. moto answers the API call itself with an error, and keeps half of the change.
"""

from typing import Any

from moto.cloudformation import models


def install() -> None:
    """Record failures instead of answering with them."""
    delete, update = models.Stack.delete, models.Stack.update
    forget = models.CloudFormationBackend.delete_stack

    def delete_or_fail(self: Any) -> None:
        try:
            delete(self)
        except Exception as reason:  # noqa: BLE001  any refusal of a resource is what AWS reports here
            self._add_stack_event("DELETE_FAILED", resource_status_reason=str(reason))
            self.status = "DELETE_FAILED"

    def update_or_roll_back(self: Any, template: str, *args: Any, **kwargs: Any) -> None:
        before = self.template
        try:
            update(self, template, *args, **kwargs)
        except Exception as reason:  # noqa: BLE001  as above
            self._add_stack_event("UPDATE_ROLLBACK_IN_PROGRESS", resource_status_reason=str(reason))
            update(self, before)
            self._add_stack_event("UPDATE_ROLLBACK_COMPLETE")
            self.status, self.stack_status_reason = "UPDATE_ROLLBACK_COMPLETE", str(reason)

    def delete_stack(self: Any, name_or_stack_id: str) -> None:
        stack = next((s for s in self.stacks.values() if name_or_stack_id in {s.stack_id, s.name}), None)
        forget(self, name_or_stack_id)
        if stack is not None and stack.status == "DELETE_FAILED":
            self.deleted_stacks.pop(stack.stack_id, None)
            self.stacks[stack.stack_id] = stack

    models.Stack.delete = delete_or_fail
    models.Stack.update = update_or_roll_back
    models.CloudFormationBackend.delete_stack = delete_stack
