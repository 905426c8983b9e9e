"""Conditions of bucket policies. moto ignores them, so that "deny what is not TLS" denies everything.

The local endpoint stands in for TLS: it is loopback only, and requests to it count as secure.
"""

import json
from typing import Any, Final

from moto.iam.access_control import IAMPolicy
from moto.s3 import models

CONTEXT: Final = {"aws:securetransport": "true"}
NEGATED: Final = frozenset({"StringNotEquals", "NumericNotEquals"})


def install() -> None:
    """Ask only those statements whose conditions hold."""

    def get_permission(self: Any, action: str, resource: str) -> Any:
        if self.policy is None:
            return permission(self, action, resource)
        policy = json.loads(self.policy)
        statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
        asked = [
            {key: value for key, value in statement.items() if key != "Condition"}
            for statement in statements
            if holds(statement.get("Condition", {}))
        ]
        return IAMPolicy(json.dumps({**policy, "Statement": asked})).is_action_permitted(action, resource)

    permission = models.FakeBucket.get_permission
    models.FakeBucket.get_permission = get_permission


def holds(condition: dict[str, dict[str, Any]]) -> bool:
    """Whether a condition holds for a request to the local endpoint; a key that is not known here equals nothing."""
    for operator, tests in condition.items():
        for key, wanted in tests.items():
            allowed = wanted if isinstance(wanted, list) else [wanted]
            same = CONTEXT.get(key.lower()) in {str(value).lower() for value in allowed}
            if same is (operator in NEGATED):
                return False
    return True
