"""Which changes only remove the monitoring of a flow that the plan removes too, and so leave nothing unwatched."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tools.plan_review.judge import grants
from tools.plan_review.judge.event_rules import pattern_changes
from tools.plan_review.judge.flows import FLOW_STACK, Flow, outputs
from tools.plan_review.plan import Change

EVENT_RULE: Final = "aws_cloudwatch_event_rule"


def removed_with(change: Change, changes: Sequence[Change], removed: Sequence[Flow]) -> str | None:
    """The name of the removed flow that a change belongs to, if it belongs to no other flow."""
    return next((flow.name for flow in removed if flow.change is not change and _belongs(change, flow, changes)), None)


def _belongs(change: Change, flow: Flow, changes: Sequence[Change]) -> bool:
    """Whether what a change removes was for one flow and for no other."""
    if not change.before or not flow.arn:
        return False
    others = [
        str(outputs(other).get("FlowArn")) for other in changes if other.type == FLOW_STACK and other is not flow.change
    ]
    own_module = flow.change.address.rpartition(f"{FLOW_STACK}.")[0]
    return (
        _names_only(change.before, flow.arn, others)
        or bool(own_module and change.address.startswith(own_module))
        or _is_of_rule(change, [*_own_rules(flow.arn, others, changes)])
        or (change.type == "aws_iam_role_policy" and _loses_only_permissions_for(change, flow))
        or (change.type == EVENT_RULE and _loses_only_events_of(change, flow))
    )


def _own_rules(arn: str, others: Sequence[str], changes: Sequence[Change]) -> Iterator[str]:
    """The names of the event rules of one flow."""
    for rule in changes:
        if rule.type == EVENT_RULE and rule.before and _names_only(rule.before, arn, others):
            yield rule.before["name"]


def _is_of_rule(change: Change, rules: Sequence[str]) -> bool:
    """Whether a change is of a target or an alarm of one of these rules."""
    before = change.before or {}
    return before.get("rule") in rules or (before.get("dimensions") or {}).get("RuleName") in rules


def _names_only(attributes: Any, arn: str, others: Sequence[str]) -> bool:
    text = json.dumps(attributes)
    return arn in text and not any(other in text for other in others)


def _loses_only_events_of(change: Change, flow: Flow) -> bool:
    """Whether a rule that stays loses nothing but the events of one flow."""
    missed, _ = pattern_changes(change)
    return change.after is not None and bool(missed) and all(value == flow.arn for _, value in missed)


def _loses_only_permissions_for(change: Change, flow: Flow) -> bool:
    """Whether a role loses nothing but its permissions for one flow."""
    before, after = (grants.grants((state or {}).get("policy")) for state in (change.before, change.after))
    if before is None or after is None:
        return False
    lost = grants.lost(before, after)
    return bool(lost) and all(grant.resource.endswith(f":flow:*:{flow.name}") for grant in lost)
