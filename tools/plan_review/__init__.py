"""Reads a Terraform plan as live video: what goes off air, who is no longer told, what is no longer watched.

Pure: the JSON of a plan in, findings and text out; no file, clock, network or environment. May import `settings`
and nothing else of ours. Where plans come from and what a verdict stops is decided in `tools.operations.review`.
"""

from tools.plan_review.plan import Plan, PlanError, read_plan
from tools.plan_review.render import as_json, as_markdown, as_text
from tools.plan_review.review import Review, review

__all__ = ["Plan", "PlanError", "Review", "as_json", "as_markdown", "as_text", "read_plan", "review"]
