"""A topic evaluates its policy before a message is published.

What IAM allows a role is not evaluated here; a policy that denies everybody is.

moto 5.2.5: lets everybody publish.
AWS: https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
Remove when: moto evaluates topic policies, also for services that publish.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.sns.exceptions import SNSException
from moto.sns.models import Topic

from tools.local_aws.moto_patches import Gap
from tools.local_aws.resource_policies import caller, permits

GAP: Final = Gap(__name__)


@GAP.wraps(Topic, "publish", "(self, message, ...)")
def _publish(publish: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    service = caller()
    if not permits(self.policy, "sns:Publish", service):
        who = f"Resource: {service.source_arn}" if service else "The caller"
        raise SNSException(
            "AuthorizationError", f"{who} is not authorized to perform: SNS:Publish on resource: {self.arn}"
        )
    return publish(self, *args, **kwargs)
