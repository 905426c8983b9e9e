"""Topics and queues ask their policies. moto lets everybody publish and send.

What IAM lets a role do is not asked here; a policy that denies it to everybody is.
"""

from functools import cache
from typing import Any

from moto.sns.exceptions import SNSException
from moto.sns.models import Topic
from moto.sqs.exceptions import SQSException
from moto.sqs.models import SQSBackend

from tools.local_aws.resource_policies import caller, permits


@cache
def install() -> None:
    """Ask before a message is published or sent."""
    publish, send = Topic.publish, SQSBackend.send_message

    def published(self: Any, *args: Any, **kwargs: Any) -> Any:
        service = caller()
        if not permits(self.policy, "sns:Publish", service):
            who = f"Resource: {service.source_arn}" if service else "The caller"
            raise SNSException(
                "AuthorizationError", f"{who} is not authorized to perform: SNS:Publish on resource: {self.arn}"
            )
        return publish(self, *args, **kwargs)

    def sent(self: Any, queue_name: str, *args: Any, **kwargs: Any) -> Any:
        queue = self.get_queue(queue_name)
        if not permits(queue.policy or "", "sqs:SendMessage", caller()):
            raise SQSException("AccessDenied", f"Access to the resource {queue.queue_arn} is denied.")
        return send(self, queue_name, *args, **kwargs)

    Topic.publish = published
    SQSBackend.send_message = sent
