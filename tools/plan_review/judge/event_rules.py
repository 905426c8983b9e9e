"""The live impact of a changed EventBridge pattern: which events start the workflow."""

from collections.abc import Iterator, Mapping
from typing import Any

from tools.plan_review.differences import parsed
from tools.plan_review.findings import Impact, Rank
from tools.plan_review.plan import Change

Pair = tuple[str, str]
"""Path and value that a pattern names."""


def impacts(change: Change, what: str) -> Iterator[Impact]:
    """The impact of what a pattern no longer names, or names newly."""
    if change.is_unknown("event_pattern"):
        return
    missed, added = pattern_changes(change)
    if missed:
        yield Rank.UNWATCHED, f"{what} no longer matches {_listed(missed)}"
    elif added:
        yield Rank.CHANGED, f"{what} also matches {_listed(added)}"


def pattern_changes(change: Change) -> tuple[list[Pair], list[Pair]]:
    """What the pattern of a rule no longer names, and what it names newly."""
    before, after = (_pairs(parsed((state or {}).get("event_pattern"))) for state in (change.before, change.after))
    return sorted(before - after), sorted(after - before)


def _pairs(value: Any, path: str = "") -> set[Pair]:
    if isinstance(value, Mapping):
        return {pair for key, part in value.items() for pair in _pairs(part, f"{path}.{key}".lstrip("."))}
    if isinstance(value, list):
        return {pair for part in value for pair in _pairs(part, path)}
    return {(path, str(value))}


def _listed(pairs: list[Pair]) -> str:
    return ", ".join(f"{path} {value}" for path, value in pairs)
