"""Compares two policy documents: which permissions are gained and lost. Does not judge them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tools.plan_review.differences import parsed


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One action that one principal is allowed or denied on one resource."""

    effect: str
    action: str
    resource: str
    principal: str
    condition: str

    def covers(self, other: "Grant") -> bool:
        """Whether this grant includes the other."""
        return (
            self.effect == other.effect
            and self.condition in {"", other.condition}
            and all(
                fnmatchcase(theirs.lower(), ours.lower())
                for ours, theirs in (
                    (self.action, other.action),
                    (self.resource, other.resource),
                    (self.principal, other.principal),
                )
            )
        )

    @property
    def is_open(self) -> bool:
        """Whether action, resource or principal is a wildcard."""
        return self.action in {"*", "*:*"} or self.action.endswith(":*") or "*" in {self.resource, self.principal}

    def __str__(self) -> str:
        whom = f" for {self.principal}" if self.principal else ""
        condition = ", under a condition" if self.condition else ""
        return f"{self.action} on {self.resource}{whom}{condition}"


def grants(document: Any) -> frozenset[Grant] | None:
    """The grants of a policy document, one action at a time; None if it cannot be read."""
    policy = parsed(document)
    if policy is None or policy == "":
        return frozenset()
    if not isinstance(policy, Mapping) or "Statement" not in policy:
        return None
    return frozenset(
        Grant(
            effect=str(statement.get("Effect", "Allow")),
            action=action,
            resource=resource,
            principal=principal,
            condition=json.dumps(statement["Condition"], sort_keys=True) if statement.get("Condition") else "",
        )
        for statement in listed(policy["Statement"])
        for action in _values(statement, "Action")
        for resource in _values(statement, "Resource", "(this)")
        for principal in _principals(statement)
    )


def gained(before: frozenset[Grant], after: frozenset[Grant]) -> list[Grant]:
    """What is newly allowed, and what is no longer denied."""
    return sorted([*_new(before, after, "Allow"), *_new(after, before, "Deny")])


def lost(before: frozenset[Grant], after: frozenset[Grant]) -> list[Grant]:
    """What is no longer allowed, and what is newly denied."""
    return gained(after, before)


def _new(before: frozenset[Grant], after: frozenset[Grant], effect: str) -> Iterator[Grant]:
    return (grant for grant in after if grant.effect == effect and not any(had.covers(grant) for had in before))


def _values(statement: Mapping[str, Any], key: str, missing: str = "") -> list[str]:
    """The values of a key such as `Action`, or those of `NotAction` in words."""
    if key in statement:
        return [str(item) for item in listed(statement[key])]
    return [f"everything except {item}" for item in listed(statement.get(f"Not{key}", []))] or [missing]


def _principals(statement: Mapping[str, Any]) -> Iterator[str]:
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    prefix = "everybody except " if "NotPrincipal" in statement else ""
    if principal is None:
        yield ""
    elif isinstance(principal, Mapping):
        yield from (f"{prefix}{item}" for items in principal.values() for item in listed(items))
    else:
        yield f"{prefix}{principal}"


def listed(value: Any) -> list[Any]:
    """A list, or the one value that stands for a list of one."""
    return value if isinstance(value, list) else [value]
