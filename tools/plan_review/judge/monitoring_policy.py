"""The live impact of a changed monitoring policy: an SSM parameter with the rules of one flow.

Its value counts as sensitive, so sentences name what differs and show no value.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tools.plan_review.differences import parsed
from tools.plan_review.findings import Impact, Rank
from tools.plan_review.judge.alarms import compared
from tools.plan_review.plan import Change

Policy = Mapping[str, Any]


def impacts(change: Change, what: str) -> Iterator[Impact]:
    """The impact of what differs between two policies."""
    before, after = (parsed((state or {}).get("value")) for state in (change.before, change.after))
    if change.is_unknown("value"):
        yield Rank.CHANGED, f"{what} changes; its new content is known only after apply"
    elif before == after:
        return
    elif not isinstance(before, Mapping) or not isinstance(after, Mapping):
        yield Rank.UNWATCHED, f"{what} changes and cannot be read: its rules may be loosened"
    else:
        tags = [(state or {}).get("tags") or {} for state in (change.before, change.after)]
        if not all("OnAir" in of for of in tags):  # with the tag, the table of attributes judges it
            yield from _on_air(before, after, what)
        yield from _rules(before, after, what)
        yield from _others(before, after, what)


def _on_air(before: Policy, after: Policy, what: str) -> Iterator[Impact]:
    if before.get("on_air") != after.get("on_air"):
        rank = Rank.UNWATCHED if before.get("on_air") == "always" else Rank.CHANGED
        yield rank, f"{what}: on_air changes, which decides whether a stopped flow is an incident"


def _rules(before: Policy, after: Policy, what: str) -> Iterator[Impact]:
    old, new = ({rule["key"]: rule for rule in policy.get("rules", [])} for policy in (before, after))
    for key in sorted({*old} - {*new}):
        yield Rank.UNWATCHED, f"{what}: rule {key} is removed"
    for key in sorted({*new} - {*old}):
        yield Rank.CHANGED, f"{what}: rule {key} is added"
    for key in sorted({*old} & {*new}):
        if old[key] == new[key]:
            continue
        loosened, _ = compared(_as_alarm(old[key]), _as_alarm(new[key]))
        if loosened or any(old[key].get(part) != new[key].get(part) for part in ("metric", "statistic")):
            yield Rank.UNWATCHED, f"{what}: rule {key} is loosened or checks something else"
        else:
            yield Rank.CHANGED, f"{what}: rule {key} changes"


def _others(before: Policy, after: Policy, what: str) -> Iterator[Impact]:
    names = sorted(key for key in {*before, *after} - {"on_air", "rules"} if before.get(key) != after.get(key))
    if names:
        rank = Rank.UNWATCHED if {"flow_arn", "flow_name"} & {*names} else Rank.CHANGED
        yield rank, f"{what} changes: {', '.join(names)}"


def _as_alarm(rule: Policy) -> Policy:
    """A rule of the policy with the attribute names of an alarm."""
    return {**rule, "comparison_operator": rule.get("comparison"), "treat_missing_data": rule.get("missing")}
