"""Allowances: the changes that a person lets through although the review would block them."""

import re
from collections.abc import Sequence
from typing import Final

from tools.plan_review.plan import Cause, PlanError

ACTIONS: Final = ("create", "update", "delete", "replace", "forget")


def allowances(texts: Sequence[str]) -> frozenset[Cause]:
    """Address and action of each `ADDRESS:ACTION`.

    Raises:
        PlanError: one of them has another form.
    """
    found = set()
    for text in texts:
        address, _, action = text.rpartition(":")
        if not address or action not in ACTIONS:
            raise PlanError(
                f"--allow {text}: give the exact address of a resource, a colon and one of {', '.join(ACTIONS)}, such "
                "as module.flow_studio.aws_cloudformation_stack.this:replace"
            )
        found.add((address, action))
    return frozenset(found)


def allowances_in(text: str) -> list[str]:
    """The allowances in the description of a pull request: its lines `allow ADDRESS:ACTION`, also as list items."""
    return re.findall(
        r"^[ \t]*(?:[-*][ \t]+)?allow[ \t]+`?([^\s`]+:[a-z]+)`?[ \t]*\r?$", text, re.MULTILINE | re.IGNORECASE
    )
