"""The severities of which somebody is notified now and nobody after the plan, topic by topic."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from settings import WORST_FIRST
from tools.plan_review.differences import parsed
from tools.plan_review.findings import Finding, Rank
from tools.plan_review.plan import Change

SUBSCRIPTION: Final = "aws_sns_topic_subscription"
TOPIC: Final = "aws_sns_topic"
ANY_MESSAGE: Final = "any message"
"""What only a subscription without a filter receives."""
CONFIRMED_BY_HAND: Final = frozenset({"email", "email-json", "https", "http"})


def findings(changes: Sequence[Change]) -> Iterator[Finding]:
    """One finding for each topic that loses the last recipient of a severity."""
    topics = [change for change in changes if change.type == TOPIC]
    if topics and all(change.gone for change in topics):
        return  # reported as removed topics
    subscriptions = [change for change in changes if change.type == SUBSCRIPTION]
    for topic in sorted({_topic(change) for change in subscriptions if change.before}):
        yield from _of_topic(topic, [change for change in subscriptions if _topic(change) == topic])


def _of_topic(topic: str, subscriptions: Sequence[Change]) -> Iterator[Finding]:
    causes = tuple(
        sorted(change.cause for change in subscriptions if change.changes_something and change.action != "create")
    )
    if not causes:
        return
    before: set[str] = set()
    after: set[str] = set()
    unconfirmed: dict[str, str] = {}
    for change in subscriptions:
        before |= _received(change.before)
        planned = (change.before if change.action == "forget" else change.after) or {}
        if change.action in {"create", "replace"} and planned.get("protocol") in CONFIRMED_BY_HAND:
            unconfirmed |= dict.fromkeys(_received(planned), str(planned.get("endpoint")))
        else:
            after |= _received(planned)
    lost = [level for level in (ANY_MESSAGE, *WORST_FIRST) if level in before - after]
    name = topic.rpartition(":")[2]
    if levels := _shortest([level for level in lost if level not in unconfirmed]):
        sentence = f"nobody is notified of {', '.join(levels)} on topic {name} any more"
        yield Finding(rank=Rank.NOBODY_NOTIFIED, sentence=sentence, causes=causes)
    if levels := _shortest([level for level in lost if level in unconfirmed]):
        until = f"until {unconfirmed[levels[0]]} confirms the subscription"
        sentence = f"nobody is notified of {', '.join(levels)} on topic {name} {until}"
        yield Finding(rank=Rank.NOBODY_NOTIFIED, sentence=sentence, causes=causes)


def _shortest(levels: list[str]) -> list[str]:
    """Any message includes every severity."""
    return levels[:1] if levels[:1] == [ANY_MESSAGE] else levels


def _topic(change: Change) -> str:
    for state in (change.before, change.after):
        if state and isinstance(state.get("topic_arn"), str):
            return str(state["topic_arn"])
    return "(new)"


def _received(subscription: Mapping[str, Any] | None) -> set[str]:
    """The severities that a subscription receives, and `ANY_MESSAGE` if it has no filter."""
    if not subscription:
        return set()
    policy = parsed(subscription.get("filter_policy"))
    if not policy:
        return {*WORST_FIRST, ANY_MESSAGE}
    if not isinstance(policy, Mapping) or set(policy) != {"severity"}:
        return set()  # a filter on anything else is not relied on
    return {level for level in policy["severity"] if isinstance(level, str)}
