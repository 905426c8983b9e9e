"""The JSON of a plan, as `terraform show -json` prints it, into values that the rest of the reviewer can trust.

Says what is in the plan and judges none of it. Format: developer.hashicorp.com/terraform/internals/json-format
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from settings.errors import OperatorError

FORMAT_MAJOR: Final = "1"
KNOWN_AFTER_APPLY: Final = "(known after apply)"
SENSITIVE: Final = "(sensitive)"


class PlanError(OperatorError):
    """The input is no plan that can be read; the text says why and what to do."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Leaf:
    """One attribute that differs.

    Attributes:
        path: dotted, with list positions in brackets: `rule[0].status`.
        before: the value now; None if there is none.
        after: the value that will be; None if there will be none.
        unknown: the value that will be is not known before apply.
        sensitive: no value may be shown.
    """

    path: str
    before: Any
    after: Any
    unknown: bool = False
    sensitive: bool = False

    @property
    def shown_before(self) -> str:
        """The value now, for a reader."""
        return SENSITIVE if self.sensitive else shown(self.before)

    @property
    def shown_after(self) -> str:
        """The value that will be, for a reader."""
        if self.unknown:
            return KNOWN_AFTER_APPLY
        return SENSITIVE if self.sensitive else shown(self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one resource.

    Attributes:
        address: Terraform's address, with the module's.
        type: such as `aws_sns_topic`.
        action: `no-op`, `create`, `update`, `delete`, `replace`, `read`, `forget`.
        before: attributes now, None if there is no such resource.
        after: attributes that will be, None if there will be no such resource; unknown ones are missing.
        unknown: the shape of `after`, with True where a value is not known before apply.
        sensitive: pairs of the shapes of `before` and `after`, with True where a value may not be shown.
        replaced_by: attribute paths that force the replacement.
        moved_from: the address before, if it changes.
        import_id: what is imported, if anything is.
        deposed: the key of an object that an earlier replacement left behind.
    """

    address: str
    type: str
    action: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    unknown: Any = False
    sensitive: tuple[Any, Any] = (False, False)
    replaced_by: tuple[str, ...] = ()
    moved_from: str | None = None
    import_id: str | None = None
    deposed: str | None = None

    @property
    def removed(self) -> bool:
        """Whether what is there now will be gone, whatever comes in its place."""
        return self.action in {"delete", "replace", "forget"}

    @property
    def gone(self) -> bool:
        """Whether nothing comes in its place."""
        return self.action in {"delete", "forget"}

    @property
    def touched(self) -> bool:
        """Whether anything at all is to be said of it."""
        return self.action not in {"no-op", "read"} or bool(self.moved_from or self.import_id)

    def leaves(self) -> tuple[Leaf, ...]:
        """Every attribute that differs, in the order of its path; of what comes or goes, all that are not empty."""
        if self.after is None and self.action != "replace":
            found = _leaves("", self.before, None, False, *self.sensitive)
        else:
            found = _leaves("", self.before, self.after, self.unknown, *self.sensitive)
        whole = self.before is None or self.after is None
        return tuple(
            sorted(
                (
                    leaf
                    for leaf in found
                    if not (whole and not leaf.unknown and _empty(leaf.before) and _empty(leaf.after))
                ),
                key=lambda leaf: leaf.path,
            )
        )

    def is_unknown(self, name: str) -> bool:
        """Whether the value that an attribute will have, or a part of it, is not known before apply."""
        return bool(self.unknown) and bool(self.unknown is True or _any_true(self.unknown.get(name)))

    def is_sensitive(self, name: str) -> bool:
        """Whether an attribute, now or later, may not be shown."""
        return any(shape is True or (bool(shape) and _any_true(shape.get(name))) for shape in self.sensitive)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole plan.

    Attributes:
        terraform_version: of the terraform that made it.
        changes: all resources of the configuration or state, also those that stay as they are.
        drift: what was changed outside Terraform since its last run.
        outputs: changed outputs of the root.
        errored: planning failed; what is here is what was found until then.
        complete: nothing was put off to a later plan.
    """

    terraform_version: str
    changes: tuple[Change, ...]
    drift: tuple[Change, ...]
    outputs: tuple[Leaf, ...]
    errored: bool
    complete: bool


def read_plan(text: str) -> Plan:
    """The plan in a JSON text.

    Raises:
        PlanError: it is no JSON, no plan, or of a format that this reviewer does not know.
    """
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise PlanError(
            f"This is not JSON ({error}). Give the output of `terraform show -json PLANFILE`, not the plan file itself."
        ) from error
    if not isinstance(raw, dict) or "format_version" not in raw:
        raise PlanError("This JSON is no plan: it has no format_version. Give `terraform show -json PLANFILE`.")
    version = str(raw["format_version"])
    if version.partition(".")[0] != FORMAT_MAJOR:
        raise PlanError(
            f"This plan is of format {version}; known are 1.x, as Terraform 1.10 and later print them. "
            "Review it with a release of this project that knows that format."
        )
    if not any(part in raw for part in ("resource_changes", "planned_values", "applyable", "errored")):
        raise PlanError(
            "This JSON is a state, not a plan: it has no resource_changes. Give `terraform show -json` of a plan file."
        )
    try:
        return Plan(
            terraform_version=str(raw.get("terraform_version", "unknown")),
            changes=_changes(raw.get("resource_changes")),
            drift=_changes(raw.get("resource_drift")),
            outputs=tuple(
                leaf for name, item in sorted(raw.get("output_changes", {}).items()) for leaf in _output(name, item)
            ),
            errored=bool(raw.get("errored", False)),
            complete=bool(raw.get("complete", True)),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise PlanError(f"This plan cannot be read: {type(error).__name__} at {error}.") from error


def shown(value: Any) -> str:
    """A value as a reader wants it: text as it is, everything else as JSON."""
    if value is None:
        return "(nothing)"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def parsed(value: Any) -> Any:
    """The object or list that a JSON text holds; any other value as it is."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


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


def _output(name: str, change: Mapping[str, Any]) -> Iterator[Leaf]:
    return _leaves(
        name,
        change.get("before"),
        change.get("after"),
        change.get("after_unknown", False),
        change.get("before_sensitive", False),
        change.get("after_sensitive", False),
    )


def _leaves(path: str, *shapes: Any) -> Iterator[Leaf]:
    """What differs between five shapes: before, after, unknown, and what of before and of after may not be shown."""
    before, after, unknown, hidden_before, hidden_after = shapes
    hidden = hidden_before is True or hidden_after is True
    if unknown is True:
        yield Leaf(path, before, None, unknown=True, sensitive=hidden)
        return
    if before == after and type(before) is type(after) and not _any_true(unknown):
        return
    found = [] if hidden else list(_inner_leaves(path, *shapes))
    if found:
        yield from found
    else:
        yield Leaf(path, before, after, sensitive=hidden or _any_true(hidden_before) or _any_true(hidden_after))


def _inner_leaves(path: str, *shapes: Any) -> Iterator[Leaf]:
    """The differences inside two objects or two lists, also where they are held by a JSON text."""
    left, right, unknown, *hidden = parsed(shapes[0]), parsed(shapes[1]), *shapes[2:]
    parts = [part for part in (left, right, unknown) if part is not None and part is not False]
    steps: Sequence[Any] = ()
    if all(isinstance(part, Mapping) for part in parts):
        steps = sorted({key for part in parts for key in part})
    elif all(isinstance(part, list) for part in parts):
        steps = range(max(len(part) for part in parts))
    for step in steps:
        inner = f"{path}[{step}]" if isinstance(step, int) else f"{path}.{step}".lstrip(".")
        yield from _leaves(inner, *(_part(shape, step) for shape in (left, right, unknown, *hidden)))


def _empty(value: Any) -> bool:
    return value is None or value in ([], {}, "")


def _part(shape: Any, key: Any) -> Any:
    """The part of a shape or value at a key or position; True stays True all the way down."""
    if shape is True:
        return True
    if isinstance(shape, Mapping):
        return shape.get(key)
    if isinstance(shape, list) and isinstance(key, int):
        return shape[key] if key < len(shape) else None
    return None


def _any_true(shape: Any) -> bool:
    if isinstance(shape, Mapping):
        return any(_any_true(part) for part in shape.values())
    if isinstance(shape, list):
        return any(_any_true(part) for part in shape)
    return shape is True


def _joined(path: list[Any]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
