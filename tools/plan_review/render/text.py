"""A review for a terminal, below Terraform's own plan: verdict, findings and cost, without attributes."""

from typing import Final

from tools.plan_review.render.cost import summary
from tools.plan_review.render.headline import headline, notes, rank
from tools.plan_review.review import Review

CAUSES_SHOWN: Final = 4


def as_text(review: Review) -> str:
    """The review as plain text."""
    lines = [headline(review), "", *notes(review)]
    lines += ["Live impact:"] if review.findings or review.drift else []
    titled = [(rank(review, finding).replace("*", ""), finding) for finding in review.findings]
    titled += [(f"Changed outside Terraform: {finding.rank.title}", finding) for finding in review.drift]
    for title, finding in titled:
        more = len(finding.causes) - CAUSES_SHOWN
        lines.append(f"{title}: {finding.sentence}.")
        lines += [f"    {address} {action}" for address, action in finding.causes[:CAUSES_SHOWN]]
        lines += [f"    and {more} more"] if more > 0 else []
    lines += ["", f"Monthly cost {summary(review.cost)}"]
    return "\n".join(line for line in lines if not line.startswith("```"))
