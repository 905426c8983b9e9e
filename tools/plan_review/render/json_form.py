"""A review for machines. Keys are an interface: they are added, not renamed."""

import json
from typing import Any

from tools.plan_review.cost import Cost
from tools.plan_review.differences import Difference
from tools.plan_review.findings import Finding
from tools.plan_review.plan import Change
from tools.plan_review.render.headline import headline
from tools.plan_review.review import Review


def as_json(review: Review) -> str:
    """The whole review as JSON with sorted keys and no sensitive value."""
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
            "outputs": [_difference_json(item) for item in plan.outputs],
            "cost": _cost_json(review.cost),
        },
        indent=2,
        sort_keys=True,
        ensure_ascii=False,
    )


def _finding_json(review: Review, finding: Finding, *, drift: bool = False) -> dict[str, Any]:
    return {
        "rank": finding.rank.key,
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
        "attributes": [_difference_json(item) for item in change.differences()],
    }


def _difference_json(item: Difference) -> dict[str, Any]:
    hidden = item.sensitive
    return {
        "path": item.path,
        "before": None if hidden else item.before,
        "after": None if hidden else item.after,
        "unknown": item.unknown,
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
