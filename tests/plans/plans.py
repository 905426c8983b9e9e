"""The plans of this folder, and small hand-made plans for what no single deployment shows."""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from tools.plan_review import Plan, read_plan

FOLDER = Path(__file__).resolve().parent


@cache
def plan_text(name: str) -> str:
    """The JSON of a plan of the corpus."""
    return gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()).decode()


def corpus(name: str) -> Plan:
    """A plan of the corpus."""
    return read_plan(plan_text(name))


def change(
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    *,
    kind: str = "aws_cloudwatch_metric_alarm",
    address: str | None = None,
    actions: list[str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One resource change as Terraform writes it; `more` goes into its `change`."""
    usual = ["update"] if before and after else ["create"] if after else ["delete"]
    outer: dict[str, Any] = {key: more.pop(key) for key in ("previous_address", "deposed", "mode") if key in more}
    return {
        "address": address or f"{kind}.it",
        "mode": "managed",
        "type": kind,
        "name": "it",
        **outer,
        "change": {"actions": actions or usual, "before": before, "after": after, "after_unknown": {}, **more},
    }


def plan(*changes: dict[str, Any], **more: Any) -> Plan:
    """A plan of these changes."""
    return read_plan(json.dumps({"format_version": "1.2", "resource_changes": list(changes), **more}))
