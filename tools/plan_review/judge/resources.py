"""The live impact of a change to any resource but the flow itself; picks the files that judge it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from tools.plan_review.findings import Impact, Rank
from tools.plan_review.judge import (
    alarms,
    attributes,
    event_rules,
    lifecycle,
    monitoring_policy,
    permissions,
    stack_policy,
)
from tools.plan_review.judge.subjects import subject
from tools.plan_review.plan import Change

BY_TYPE: Final[Mapping[str, Callable[[Change, str], Iterator[Impact]]]] = {
    "aws_cloudwatch_metric_alarm": alarms.impacts,
    "aws_ssm_parameter": monitoring_policy.impacts,
    "aws_cloudwatch_event_rule": event_rules.impacts,
    "aws_cloudformation_stack": stack_policy.impacts,
}
"""What needs more than the table of attributes."""


def impacts(change: Change, *, flows: str = "") -> Iterator[Impact]:
    """The impact of a change to anything but a flow's template; nothing for what is only listed.

    Args:
        change: of one resource.
        flows: the planned templates of all flows, which show whether one still needs a removed permission.
    """
    what = subject(change)
    if change.action == "forget":
        yield Rank.CHANGED, f"{what} stays as it is, but Terraform no longer manages it"
    elif change.gone:
        yield from permissions.impacts(change, what, flows)
        yield from lifecycle.removed(change, what)
    elif change.before is None:
        yield from lifecycle.created(change, what)
    else:
        yield from lifecycle.replaced(change, what)
        if change.type in BY_TYPE:
            yield from BY_TYPE[change.type](change, what)
        yield from permissions.impacts(change, what, flows)
        yield from attributes.impacts(change, what)
