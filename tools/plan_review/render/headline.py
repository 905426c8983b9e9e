"""The verdict of a review in one line, and what precedes its findings."""

from collections.abc import Iterator

from tools.plan_review.findings import Finding, Rank
from tools.plan_review.review import Review


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


def notes(review: Review) -> Iterator[str]:
    """What makes a review incomplete, and the allowances that it needs or does not use."""
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


def rank(review: Review, finding: Finding) -> str:
    """The rank of a finding, with its verdict in a protected environment."""
    if review.is_blocked(finding):
        return f"**{finding.rank.title}** (blocked)"
    if finding.rank.blocks and review.is_allowed(finding):
        return f"{finding.rank.title} (allowed)"
    return finding.rank.title
