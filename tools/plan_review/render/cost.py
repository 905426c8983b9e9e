"""The monthly cost before and after a plan."""

from collections.abc import Iterator
from typing import Final

from tools.plan_review.cost import Cost
from tools.plan_review.render.escape import cell

HALF_A_CENT: Final = 0.005


def summary(cost: Cost) -> str:
    """The sums in one sentence, to follow `Monthly cost`."""
    difference = cost.after - cost.before
    change = "no change" if abs(difference) < HALF_A_CENT else f"{difference:+.2f}"
    return f"of what has a list price: {cost.before:.2f} USD before, {cost.after:.2f} USD after ({change})."


def cost_lines(cost: Cost) -> Iterator[str]:
    """The sums in Markdown, and folded what they include."""
    yield f"**Monthly cost** {summary(cost)}"
    yield ""
    yield "<details><summary>What is included, and what is not</summary>"
    yield ""
    if cost.lines:
        yield "| Item | USD a month | Before | After | Source |"
        yield "|---|---|---|---|---|"
        for line in cost.lines:
            price = line.price
            yield f"| {price.what} | {price.dollars:.2f} | {line.before} | {line.after} | {price.source} |"
        yield ""
    if cost.unpriced:
        yield "Not included, because a plan does not show how much is used:"
        yield ""
        yield from (f"- {cell(words)}" for words in cost.unpriced)
        yield ""
    yield "List prices of us-east-1 without free tiers and discounts. A flow costs only while it runs."
    yield ""
    yield "</details>"
    yield ""
