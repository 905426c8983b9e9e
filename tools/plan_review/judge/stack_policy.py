"""The live impact of a changed stack policy: whether CloudFormation refuses updates that replace or delete a flow.

A stack policy guards updates only, not the deletion of the stack.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tools.plan_review.differences import parsed
from tools.plan_review.findings import Impact, Rank
from tools.plan_review.judge.grants import listed
from tools.plan_review.plan import Change

DENIED: Final = frozenset({"Update:Replace", "Update:Delete", "Update:*"})
UPDATES: Final = "updates that replace or delete the flow of"


def impacts(change: Change, what: str) -> Iterator[Impact]:
    """The impact on the protection that a stack policy gives."""
    if change.is_unknown("policy_body"):
        yield Rank.PROTECTION, f"the stack policy of {what} is known only after apply"
    elif protects(change.before) and not protects(change.after):
        yield Rank.PROTECTION, f"CloudFormation no longer refuses {UPDATES} {what}"
    elif protects(change.after) and not protects(change.before):
        yield Rank.CHANGED, f"CloudFormation refuses {UPDATES} {what} from now on"


def protects(stack: Mapping[str, Any] | None) -> bool:
    """Whether the policy of a stack denies replacing or deleting something."""
    policy = parsed((stack or {}).get("policy_body"))
    statements = policy.get("Statement", []) if isinstance(policy, Mapping) else []
    return any(item.get("Effect") == "Deny" and DENIED & {*listed(item.get("Action"))} for item in statements)
