"""Drift that AWS itself caused is explained."""

import json

import pytest

from tools.operations.drift import with_cause
from tools.operations.review import review_of
from tools.plan_review import as_text


@pytest.mark.parametrize(
    ("kind", "actions", "printed"),
    [
        ("aws_sns_topic_subscription", ["create"], True),
        ("aws_sns_topic_subscription", ["delete"], False),
        ("aws_sns_topic", ["create"], False),
    ],
)
def test_missing_subscription_is_explained(kind: str, actions: list[str], printed: bool) -> None:  # noqa: FBT001
    values = {"protocol": "email", "endpoint": "noc@example.com"}
    made = actions == ["create"]
    change = {"actions": actions, "before": None if made else values, "after": values if made else None}
    resource = {"address": f"{kind}.one", "type": kind, "name": "one", "mode": "managed", "change": change}
    found = review_of(json.dumps({"format_version": "1.2", "resource_changes": [resource]}), environment="dev")
    assert ("unconfirmed ones after three days" in with_cause(found, as_text(found))) is printed
