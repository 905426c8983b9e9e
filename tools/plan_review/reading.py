"""Reads a plan from the JSON of `terraform show -json`; judges nothing.

Format: developer.hashicorp.com/terraform/internals/json-format
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tools.plan_review.differences import Difference, differences
from tools.plan_review.plan import Change, Plan, PlanError

FORMAT_MAJOR: Final = "1"
PARTS_OF_A_PLAN: Final = ("resource_changes", "planned_values", "applyable", "errored")
"""A state has none of these."""


def read_plan(text: str) -> Plan:
    """The plan in a JSON text.

    Raises:
        PlanError: it is not JSON, not a plan, or its format is not supported.
    """
    raw = _checked(text)
    try:
        return Plan(
            terraform_version=str(raw.get("terraform_version", "unknown")),
            changes=_changes(raw.get("resource_changes")),
            drift=_changes(raw.get("resource_drift")),
            outputs=tuple(
                found for name, item in sorted(raw.get("output_changes", {}).items()) for found in _output(name, item)
            ),
            errored=bool(raw.get("errored", False)),
            complete=bool(raw.get("complete", True)),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise PlanError(f"This plan cannot be read: {type(error).__name__} at {error}.") from error


def _checked(text: str) -> dict[str, Any]:
    """The JSON object, if it is a plan of a supported format."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PlanError(
            f"This is not JSON ({error}). Give the output of `terraform show -json PLANFILE`, not the plan file itself."
        ) from error
    if not isinstance(raw, dict) or "format_version" not in raw:
        raise PlanError(
            "This JSON is not a plan: it has no format_version. Give the output of `terraform show -json PLANFILE`."
        )
    version = str(raw["format_version"])
    if version.partition(".")[0] != FORMAT_MAJOR:
        raise PlanError(
            f"This plan has format {version}. Supported: 1.x, which Terraform 1.10 and later print. "
            "Use a release of this project that supports that format."
        )
    if not any(part in raw for part in PARTS_OF_A_PLAN):
        raise PlanError(
            "This JSON is a state, not a plan: it has no resource_changes. "
            "Give the output of `terraform show -json PLANFILE`."
        )
    return raw


def _changes(raw: Any) -> tuple[Change, ...]:
    return tuple(_change(item) for item in raw or () if item.get("mode", "managed") == "managed")


def _change(item: Mapping[str, Any]) -> Change:
    change = item["change"]
    address = str(item["address"])
    moved_from = item.get("previous_address")
    return Change(
        address=address,
        type=str(item["type"]),
        action=_action(change["actions"]),
        before=change.get("before"),
        after=change.get("after"),
        unknown=change.get("after_unknown", False),
        sensitive=(change.get("before_sensitive", False), change.get("after_sensitive", False)),
        replaced_by=tuple(_joined(path) for path in change.get("replace_paths", ())),
        moved_from=moved_from if moved_from != address else None,
        import_id=str(change["importing"].get("id", "")) if change.get("importing") else None,
        deposed=item.get("deposed"),
    )


def _action(actions: list[str]) -> str:
    """Terraform's list of actions in one word."""
    if len(actions) == 1:
        return actions[0]
    if "create" not in actions:
        raise TypeError(f"actions {actions}")
    return "replace"  # delete and create in either order, or forget and create


def _output(name: str, change: Mapping[str, Any]) -> Iterator[Difference]:
    return differences(
        name,
        change.get("before"),
        change.get("after"),
        change.get("after_unknown", False),
        change.get("before_sensitive", False),
        change.get("after_sensitive", False),
    )


def _joined(path: list[Any]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
