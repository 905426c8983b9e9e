"""A queue keeps its policy when other attributes are set, and evaluates it before a message is sent.

What IAM allows a role is not evaluated here; a policy that denies everybody is.

moto 5.2.5: removes the policy when another attribute is set, and lets everybody send.
AWS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
AWS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-using-identity-based-policies.html
Remove when: moto does both.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.sqs.exceptions import SQSException
from moto.sqs.models import SQSBackend

from tools.local_aws.moto_patches import Gap
from tools.local_aws.resource_policies import caller, permits

GAP: Final = Gap(__name__)


@GAP.wraps(SQSBackend, "set_queue_attributes", "(self, queue_name, attributes)")
def _set_queue_attributes(
    set_attributes: Callable[..., Any], self: Any, queue_name: str, attributes: dict[str, Any]
) -> Any:
    before = self.get_queue(queue_name).policy
    queue = set_attributes(self, queue_name, attributes)
    if "Policy" not in attributes:
        queue.policy = before
    return queue


@GAP.wraps(SQSBackend, "send_message", "(self, queue_name, ...)")
def _send_message(send: Callable[..., Any], self: Any, queue_name: str, *args: Any, **kwargs: Any) -> Any:
    queue = self.get_queue(queue_name)
    if not permits(queue.policy or "", "sqs:SendMessage", caller()):
        raise SQSException("AccessDenied", f"Access to the resource {queue.queue_arn} is denied.")
    return send(self, queue_name, *args, **kwargs)
