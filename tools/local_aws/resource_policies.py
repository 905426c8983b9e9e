"""Evaluates the policy of a resource (a topic, a queue, a key) for a caller. Pure but for the current caller.

A service that acts for us needs a statement of its own. A role of the account needs none: its own policies are enough
unless the resource's policy denies it. See "Policy evaluation logic" in the IAM guide. What IAM policies of a role
allow is not evaluated here.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from tools.local_aws.backends import ACCOUNT_ID

ROOT: Final = f"arn:aws:iam::{ACCOUNT_ID}:root"


@dataclass(frozen=True, slots=True)
class Service:
    """A service that acts for one of our resources."""

    principal: str
    source_arn: str


_service: ContextVar[Service | None] = ContextVar("service", default=None)


@contextmanager
def acting(principal: str, source_arn: str) -> Iterator[None]:
    """Make calls within the block as a service, for instance `cloudwatch.amazonaws.com` for an alarm."""
    token = _service.set(Service(principal, source_arn))
    try:
        yield
    finally:
        _service.reset(token)


def caller() -> Service | None:
    """The service that is calling; None for a role of the account."""
    return _service.get()


def permits(policy: str, action: str, service: Service | None) -> bool:
    """Whether a policy allows an action to a service, or does not deny it to a role of the account."""
    fitting = [item["Effect"] for item in _statements(policy) if _fits(item, action, service)]
    if "Deny" in fitting:
        return False
    return service is None or "Allow" in fitting


def delegates(policy: str, action: str) -> bool:
    """Whether a policy lets IAM of the account decide, as the policy of a KMS key must."""
    return permits(policy, action, None) and any(
        item["Effect"] == "Allow" and _named(item, "AWS", ROOT) and _acts(item, action) for item in _statements(policy)
    )


def _statements(policy: str) -> list[Mapping[str, Any]]:
    found = json.loads(policy).get("Statement", []) if policy else []
    return found if isinstance(found, list) else [found]


def _fits(statement: Mapping[str, Any], action: str, service: Service | None) -> bool:
    named = _named(statement, "Service", service.principal) if service else _named(statement, "AWS", ROOT)
    return (
        (named or _named(statement, "AWS", "*"))
        and _acts(statement, action)
        and _holds(statement.get("Condition", {}), service)
    )


def _named(statement: Mapping[str, Any], kind: str, principal: str) -> bool:
    given = statement.get("Principal", {})
    if given == "*":
        return True
    return principal in _listed(given.get(kind, []))


def _acts(statement: Mapping[str, Any], action: str) -> bool:
    return any(fnmatchcase(action.lower(), wanted.lower()) for wanted in _listed(statement.get("Action", [])))


def _holds(condition: Mapping[str, Mapping[str, Any]], service: Service | None) -> bool:
    context = {"aws:sourceaccount": ACCOUNT_ID, "aws:sourceowner": ACCOUNT_ID}
    if service:
        context["aws:sourcearn"] = service.source_arn
    return all(
        any(fnmatchcase(context.get(key.lower(), ""), str(value)) for value in _listed(wanted))
        for tests in condition.values()
        for key, wanted in tests.items()
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
