"""A statement of a bucket policy counts only where its conditions hold.

The local endpoint is loopback only; its requests count as TLS.

moto 5.2.5: ignores conditions, so that "deny what is not TLS" denies everything.
AWS: https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
Remove when: moto evaluates conditions of bucket policies.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from moto.iam.access_control import IAMPolicy
from moto.s3.models import FakeBucket

from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)
CONTEXT: Final = {"aws:securetransport": "true"}
NEGATED: Final = frozenset({"StringNotEquals", "NumericNotEquals"})


@GAP.wraps(FakeBucket, "get_permission", "(self, action, resource)")
def _get_permission(get: Callable[..., Any], self: Any, action: str, resource: str) -> Any:
    if self.policy is None:
        return get(self, action, resource)
    policy = json.loads(self.policy)
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    in_force = [
        {key: value for key, value in statement.items() if key != "Condition"}
        for statement in statements
        if _holds(statement.get("Condition", {}))
    ]
    return IAMPolicy(json.dumps({**policy, "Statement": in_force})).is_action_permitted(action, resource)


def _holds(condition: dict[str, dict[str, Any]]) -> bool:
    """Whether a condition holds for a request to the local endpoint; an unknown key equals nothing."""
    for operator, tests in condition.items():
        for key, wanted in tests.items():
            allowed = wanted if isinstance(wanted, list) else [wanted]
            same = CONTEXT.get(key.lower()) in {str(value).lower() for value in allowed}
            if same is (operator in NEGATED):
                return False
    return True
