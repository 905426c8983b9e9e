"""The verdict on a plan: its findings, and whether it may be applied. What a change means is decided in `judge`."""

from dataclasses import dataclass

from tools.plan_review.cost import Cost, cost
from tools.plan_review.findings import Finding
from tools.plan_review.judge import plan as judge
from tools.plan_review.judge.flows import FLOW_STACK
from tools.plan_review.judge.function_code import FilesOf
from tools.plan_review.judge.stack_policy import protects
from tools.plan_review.plan import Cause, Change, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A reviewed plan.

    Attributes:
        environment: its name, or None if the plan does not name one.
        protected: whether findings that block need an allowance.
        findings: worst first.
        drift: findings of what was changed outside Terraform, worst first.
        allowed: the allowed causes.
        unused: what is allowed and not in the plan.
        plan: the plan.
        cost: per month before and after.
    """

    environment: str | None
    protected: bool
    findings: tuple[Finding, ...]
    drift: tuple[Finding, ...]
    allowed: frozenset[Cause]
    unused: tuple[Cause, ...]
    plan: Plan
    cost: Cost

    @property
    def touched(self) -> tuple[Change, ...]:
        """The resources that the review mentions."""
        return tuple(change for change in self.plan.changes if change.touched)

    def is_blocked(self, finding: Finding) -> bool:
        """Whether a finding keeps the plan from being applied."""
        return self.protected and finding.rank.blocks and not self.is_allowed(finding)

    def is_allowed(self, finding: Finding) -> bool:
        """Whether every change that causes a finding is allowed."""
        return all(cause in self.allowed for cause in finding.causes)

    @property
    def blocked(self) -> bool:
        """Whether the plan may not be applied."""
        return self.plan.errored or any(self.is_blocked(finding) for finding in self.findings)


def review(
    plan: Plan,
    *,
    environment: str | None = None,
    protect: bool = False,
    allowed: frozenset[Cause] = frozenset(),
    files_of: FilesOf = lambda _: None,
) -> Review:
    """Judge a plan.

    Args:
        plan: as `read_plan` returns it.
        environment: its name; if None, the one in the plan.
        protect: whether the settings protect the environment. An environment whose stack policies protect it now
            stays protected for the plan that removes the protection.
        allowed: address and action of each allowed change.
        files_of: finds the functions' files.
    """
    stacks = [change for change in plan.changes if change.type == FLOW_STACK]
    causes = {change.cause for change in plan.changes}
    return Review(
        environment=environment or _environment(plan),
        protected=protect or any(protects(change.before) for change in stacks),
        findings=judge.findings(plan, files_of),
        drift=judge.drift(plan),
        allowed=allowed,
        unused=tuple(sorted(allowed - causes)),
        plan=plan,
        cost=cost(plan.changes),
    )


def _environment(plan: Plan) -> str | None:
    """The environment that the workspace guard was synthesized for."""
    for change in plan.changes:
        if change.address == "terraform_data.workspace":
            name = ((change.after or change.before or {}).get("input") or {}).get("environment")
            return str(name) if name else None
    return None
