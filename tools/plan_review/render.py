"""A review as text: Markdown for a pull request, JSON for machines, a few lines for a terminal. Decides nothing.

The same review gives the same text. A comment on GitHub holds 65,536 characters, so what is long is shortened, and
said to be.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from tools.plan_review.cost import Cost
from tools.plan_review.findings import Finding, Rank
from tools.plan_review.plan import Change, Leaf
from tools.plan_review.review import Review

LIMIT: Final = 60_000
VALUE_LIMIT: Final = 120
MARKER: Final = "<!-- media-workflow plan review: {environment} -->"
LIVE_IMPACT: Final = ("| | Live impact | Where |", "|---|---|---|")
WORDS: Final = {
    "create": "created",
    "update": "changed in place",
    "delete": "deleted",
    "replace": "deleted and recreated",
    "forget": "no longer managed",
    "no-op": "unchanged",
    "read": "read",
}


def as_json(review: Review) -> str:
    """Everything, for machines; sorted keys, no sensitive value."""
    plan = review.plan
    return json.dumps(
        {
            "verdict": "blocked" if review.blocked else "fine",
            "headline": headline(review),
            "environment": review.environment,
            "protected": review.protected,
            "terraform_version": plan.terraform_version,
            "errored": plan.errored,
            "complete": plan.complete,
            "findings": [_finding_json(review, finding) for finding in review.findings],
            "drift": [_finding_json(review, finding, drift=True) for finding in review.drift],
            "allowances_unused": [f"{address}:{action}" for address, action in review.unused],
            "changes": [_change_json(change) for change in review.touched],
            "drifted": [_change_json(change) for change in plan.drift],
            "outputs": [_leaf_json(leaf) for leaf in plan.outputs],
            "cost": _cost_json(review.cost),
        },
        indent=2,
        sort_keys=True,
        ensure_ascii=False,
    )


def as_markdown(review: Review) -> str:
    """A comment on a pull request, under 60,000 characters."""
    environment = review.environment or "unknown"
    head = [
        MARKER.format(environment=environment),
        f"## {headline(review)}",
        "",
        *_notes(review),
        *_table(review),
        *_cost_lines(review.cost),
    ]
    text = "\n".join(head)
    room = LIMIT - 2_000
    if len(text) > room:
        return text[:room].rpartition("\n")[0] + "\n\nThe table is shortened. The JSON form is complete.\n"
    return text + "\n".join(["", *_details(review, room - len(text))]) + "\n"


def as_text(review: Review) -> str:
    """For a terminal, below terraform's own plan: the verdict and the findings, without the attributes."""
    lines = [headline(review), "", *_notes(review)]
    lines += ["Live impact:"] if review.findings or review.drift else []
    for words, findings in (("", review.findings), ("Changed outside Terraform: ", review.drift)):
        for finding in findings:
            title = _rank(review, finding).replace("*", "") if not words else f"{words}{finding.rank.title}"
            lines.append(f"{title}: {finding.sentence}.")
            lines += [f"    {address} {action}" for address, action in finding.causes[:4]]
            lines += [f"    and {len(finding.causes) - 4} more"] if len(finding.causes) > 4 else []  # noqa: PLR2004
    lines += ["", next(_cost_lines(review.cost)).replace("*", "")]
    return "\n".join(line for line in lines if not line.startswith("```"))


def headline(review: Review) -> str:
    """The verdict in one line."""
    environment = review.environment or "this environment"
    if review.plan.errored:
        return f"Blocked: Terraform could not finish the plan for {environment}"
    if not review.touched and not review.plan.outputs:
        return f"Nothing changes in {environment}" + (
            ", but it was changed outside Terraform" if review.plan.drift else ""
        )
    worst = review.findings[0].rank if review.findings else Rank.CHANGED
    count = sum(1 for finding in review.findings if finding.rank is worst)
    if worst >= Rank.CODE:
        words = "no live impact found" + ("; the functions run new code" if worst is Rank.CODE else "")
    else:
        words = f"{worst.title.lower()}" + (f" ({count} findings)" if count > 1 else "")
    if review.blocked:
        return f"Blocked in {environment}: {words}"
    allowed = any(finding.rank.blocks and review.is_allowed(finding) for finding in review.findings)
    return f"{'Allowed' if allowed and review.protected else 'Plan'} for {environment}: {words}"


def _notes(review: Review) -> Iterator[str]:
    plan = review.plan
    if plan.errored:
        yield "Terraform stopped with an error: this review covers only what it had planned until then."
        yield ""
    if not plan.complete:
        yield "Terraform deferred some changes to a later plan: this is not all that will happen."
        yield ""
    if review.unused:
        listed = ", ".join(f"`{address}:{action}`" for address, action in review.unused)
        yield f"Allowed, but not in this plan: {listed}."
        yield ""
    blocked = [finding for finding in review.findings if review.is_blocked(finding)]
    if blocked:
        causes = sorted({cause for finding in blocked for cause in finding.causes} - review.allowed)
        yield "This environment is protected. To apply this plan, allow each change by address and action:"
        yield ""
        yield "```"
        yield from (f"--allow '{address}:{action}'" for address, action in causes)
        yield "```"
        yield ""


def _table(review: Review) -> Iterator[str]:
    if review.findings:
        yield from LIVE_IMPACT
        for finding in review.findings:
            yield f"| {_rank(review, finding)} | {_cell(finding.sentence)}. | {_causes(finding)} |"
        yield ""
    elif review.touched:
        yield "No finding: this review has no rule for these changes. All of them are listed below."
        yield ""
    if review.drift:
        yield "Changed outside Terraform since its last run:"
        yield ""
        yield from LIVE_IMPACT
        for finding in review.drift:
            yield f"| {finding.rank.title} | {_cell(finding.sentence)}. | {_causes(finding)} |"
        yield ""


def _rank(review: Review, finding: Finding) -> str:
    if review.is_blocked(finding):
        return f"**{finding.rank.title}** (blocked)"
    if finding.rank.blocks and review.is_allowed(finding):
        return f"{finding.rank.title} (allowed)"
    return finding.rank.title


def _causes(finding: Finding) -> str:
    shown = [f"`{_cell(address)}` {action}" for address, action in finding.causes[:4]]
    more = len(finding.causes) - len(shown)
    return "<br>".join(shown) + (f"<br>and {more} more" if more else "")


def _cost_lines(cost: Cost) -> Iterator[str]:
    difference = cost.after - cost.before
    change = "no change" if abs(difference) < 0.005 else f"{difference:+.2f}"  # noqa: PLR2004  half a cent
    figures = f"{cost.before:.2f} USD before, {cost.after:.2f} USD after ({change})"
    yield f"**Monthly cost** of what has a list price: {figures}."
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
        yield from (f"- {_cell(words)}" for words in cost.unpriced)
        yield ""
    yield "List prices of us-east-1 without free tiers and discounts. A flow costs only while it runs."
    yield ""
    yield "</details>"
    yield ""


def _details(review: Review, room: int) -> Iterator[str]:
    """Every changed attribute of every resource, as far as there is room; then what was left out."""
    plan = review.plan
    sections = [_change_lines(change) for change in review.touched]
    if plan.drift:
        sections += [["### Changed outside Terraform", ""], *(_change_lines(change) for change in plan.drift)]
    if plan.outputs:
        sections.append(["### Outputs", "", *(_leaf_line(leaf) for leaf in plan.outputs), ""])
    if not sections:
        return
    yield f"<details><summary>Every changed attribute ({len(review.touched)} resources)</summary>"
    yield ""
    left_out = []
    for lines in sections:
        size = sum(len(line) + 1 for line in lines)
        if size > room:
            left_out.append(lines[0].removeprefix("#### "))
            continue
        room -= size
        yield from lines
    if left_out:
        yield f"**Shortened: {len(left_out)} parts do not fit and are only named. The JSON form is complete.**"
        yield ""
        for name in left_out:
            room -= len(name) + 3
            if room < -1_000:  # noqa: PLR2004  what was kept back for this list
                yield "- and others"
                break
            yield f"- {name}"
        yield ""
    yield "</details>"


def _change_lines(change: Change) -> list[str]:
    forced = (
        f", because of {', '.join(change.replaced_by)}" if change.replaced_by and change.action == "replace" else ""
    )
    lines = [f"#### `{_cell(change.address)}`: {WORDS[change.action]}{forced}", ""]
    if change.moved_from:
        lines.append(f"- moved from `{_cell(change.moved_from)}`")
    if change.import_id is not None:
        lines.append(f"- imported, ID `{_cell(change.import_id)}`")
    if change.deposed:
        lines.append(f"- left behind by an earlier replacement, key `{change.deposed}`")
    return [*lines, *(_leaf_line(leaf) for leaf in change.leaves()), ""]


def _leaf_line(leaf: Leaf) -> str:
    return f"- `{_cell(leaf.path)}`: {_value(leaf.shown_before)} → {_value(leaf.shown_after)}"


def _value(text: str) -> str:
    """A value in one line; a backtick or a tag in it must not end the code it stands in."""
    flat = _cell(" ".join(text.split()))
    return f"`{flat}`" if len(flat) <= VALUE_LIMIT else f"`{flat[:VALUE_LIMIT]}…` ({len(text)} characters)"


def _cell(text: str) -> str:
    """A text that ends neither the code nor the table cell that it stands in, and is no tag."""
    return " ".join(text.translate(str.maketrans("`|<>", "'/()")).split())


def _finding_json(review: Review, finding: Finding, *, drift: bool = False) -> dict[str, Any]:
    return {
        "rank": finding.rank.name.lower(),
        "sentence": finding.sentence,
        "causes": [{"address": address, "action": action} for address, action in finding.causes],
        "blocked": not drift and review.is_blocked(finding),
        "allowed": not drift and finding.rank.blocks and review.is_allowed(finding),
    }


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "address": change.address,
        "type": change.type,
        "action": change.action,
        "replaced_by": list(change.replaced_by),
        "moved_from": change.moved_from,
        "import_id": change.import_id,
        "deposed": change.deposed,
        "attributes": [_leaf_json(leaf) for leaf in change.leaves()],
    }


def _leaf_json(leaf: Leaf) -> dict[str, Any]:
    hidden = leaf.sensitive
    return {
        "path": leaf.path,
        "before": None if hidden else leaf.before,
        "after": None if hidden else leaf.after,
        "unknown": leaf.unknown,
        "sensitive": hidden,
    }


def _cost_json(cost: Cost) -> dict[str, Any]:
    return {
        "before": round(cost.before, 2),
        "after": round(cost.after, 2),
        "lines": [
            {
                "what": line.price.what,
                "each": round(line.price.dollars, 2),
                "before": line.before,
                "after": line.after,
                "source": line.price.source,
            }
            for line in cost.lines
        ],
        "unpriced": list(cost.unpriced),
    }
