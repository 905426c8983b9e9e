"""Reviews the live impact of a Terraform plan: what goes off air, what is unwatched, who is no longer notified.

`reading` makes a plan of JSON, `judge` finds what its changes mean (its docstring lists which file decides what),
`review` combines findings, allowances and cost into a verdict, `render` writes it as text, Markdown or JSON.

Pure: the JSON of a plan in, findings and text out; no clock, network or environment, and no file but the price list.
May import `settings` and `tools.prices`, and nothing else of ours. Where plans come from and what a verdict stops is
decided in `tools.operations.review`.
"""

from tools.plan_review.plan import Plan, PlanError
from tools.plan_review.reading import read_plan
from tools.plan_review.render.json_form import as_json
from tools.plan_review.render.markdown import as_markdown
from tools.plan_review.render.text import as_text
from tools.plan_review.review import Review, review

__all__ = ["Plan", "PlanError", "Review", "as_json", "as_markdown", "as_text", "read_plan", "review"]
