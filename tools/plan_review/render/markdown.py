"""A review as a comment on a pull request.

A comment on GitHub holds 65,536 characters, so what is long is shortened, and the comment says so.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from tools.plan_review.differences import Difference
from tools.plan_review.findings import Finding
from tools.plan_review.plan import Change
from tools.plan_review.render.cost import cost_lines
from tools.plan_review.render.escape import cell, value
from tools.plan_review.render.headline import headline, notes, rank
from tools.plan_review.review import Review

LIMIT: Final = 60_000
RESERVED: Final = 2_000
"""Room for the end of the comment; half of it for the names of what is left out."""
CAUSES_SHOWN: Final = 4
MARKER: Final = "<!-- media-workflow plan review: {environment} -->"
WORDS: Final = {
    "create": "created",
    "update": "changed in place",
    "delete": "deleted",
    "replace": "deleted and recreated",
    "forget": "no longer managed",
    "no-op": "unchanged",
    "read": "read",
}


def as_markdown(review: Review) -> str:
    """A comment on a pull request, under 60,000 characters."""
    head = [
        MARKER.format(environment=review.environment or "unknown"),
        f"## {headline(review)}",
        "",
        *notes(review),
        *_table(review),
        *cost_lines(review.cost),
    ]
    text = "\n".join(head)
    room = LIMIT - RESERVED
    if len(text) > room:
        return text[:room].rpartition("\n")[0] + "\n\nThe table is shortened. The JSON form is complete.\n"
    return text + "\n".join(["", *_details(review, room - len(text))]) + "\n"


def _table(review: Review) -> Iterator[str]:
    if review.findings:
        yield from _rows((rank(review, finding), finding) for finding in review.findings)
    elif review.touched:
        yield "No finding: this review has no rule for these changes. All of them are listed below."
        yield ""
    if review.drift:
        yield "Changed outside Terraform since its last run:"
        yield ""
        yield from _rows((finding.rank.title, finding) for finding in review.drift)


def _rows(titled: Iterable[tuple[str, Finding]]) -> Iterator[str]:
    yield "| | Live impact | Where |"
    yield "|---|---|---|"
    for title, finding in titled:
        yield f"| {title} | {cell(finding.sentence)}. | {_causes(finding)} |"
    yield ""


def _causes(finding: Finding) -> str:
    shown = [f"`{cell(address)}` {action}" for address, action in finding.causes[:CAUSES_SHOWN]]
    more = len(finding.causes) - len(shown)
    return "<br>".join(shown) + (f"<br>and {more} more" if more else "")


def _details(review: Review, room: int) -> Iterator[str]:
    """Every changed attribute of every resource, as far as there is room; then the names of the others."""
    sections = _sections(review)
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
        yield from _left_out(left_out, room + RESERVED // 2)
    yield "</details>"


def _sections(review: Review) -> list[list[str]]:
    """The lines of each resource, and of the outputs."""
    plan = review.plan
    sections = [_change_lines(change) for change in review.touched]
    if plan.drift:
        sections += [["### Changed outside Terraform", ""], *(_change_lines(change) for change in plan.drift)]
    if plan.outputs:
        sections.append(["### Outputs", "", *(_difference(item) for item in plan.outputs), ""])
    return sections


def _left_out(names: list[str], room: int) -> Iterator[str]:
    yield f"**Shortened: {len(names)} parts do not fit and are only named. The JSON form is complete.**"
    yield ""
    for name in names:
        room -= len(name) + len("- \n")
        if room < 0:
            yield "- and others"
            break
        yield f"- {name}"
    yield ""


def _change_lines(change: Change) -> list[str]:
    forced = (
        f", because of {', '.join(change.replaced_by)}" if change.replaced_by and change.action == "replace" else ""
    )
    lines = [f"#### `{cell(change.address)}`: {WORDS[change.action]}{forced}", ""]
    if change.moved_from:
        lines.append(f"- moved from `{cell(change.moved_from)}`")
    if change.import_id is not None:
        lines.append(f"- imported, ID `{cell(change.import_id)}`")
    if change.deposed:
        lines.append(f"- left behind by an earlier replacement, key `{change.deposed}`")
    return [*lines, *(_difference(item) for item in change.differences()), ""]


def _difference(item: Difference) -> str:
    return f"- `{cell(item.path)}`: {value(item.shown_before)} → {value(item.shown_after)}"
