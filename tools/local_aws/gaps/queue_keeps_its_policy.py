"""SetQueueAttributes changes what it names. moto takes a queue's policy away whenever another attribute is set."""

from functools import cache
from typing import Any

from moto.sqs.models import Queue


@cache
def install() -> None:
    """Keep the policy unless it is set."""
    change = Queue._set_attributes

    def kept(self: Any, attributes: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        before = getattr(self, "policy", None)
        change(self, attributes, *args, **kwargs)
        if "Policy" not in attributes:
            self.policy = before

    Queue._set_attributes = kept
