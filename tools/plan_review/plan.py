"""A Terraform plan as values: its changes, drift and outputs. `read_plan` makes one from JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from settings.errors import OperatorError
from tools.plan_review.differences import Difference, any_true, differences, is_empty

Cause = tuple[str, str]
"""Address and action of a change."""


class PlanError(OperatorError):
    """The input cannot be reviewed; the text says why and what to do."""

    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one resource.

    Attributes:
        address: Terraform's address, including the module.
        type: such as `aws_sns_topic`.
        action: `no-op`, `create`, `update`, `delete`, `replace`, `read`, `forget`.
        before: attributes now; None if the resource does not exist.
        after: planned attributes without the unknown ones; None if the resource will not exist.
        unknown: the shape of `after`, with True where a value is known only after apply.
        sensitive: the shapes of `before` and `after`, with True where a value may not be shown.
        replaced_by: attribute paths that force the replacement.
        moved_from: the previous address, if it differs.
        import_id: the ID of an import.
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
    def cause(self) -> Cause:
        """What a finding and an allowance name."""
        return self.address, self.action

    @property
    def changes_something(self) -> bool:
        """Whether the resource itself is changed, other than by a move or an import."""
        return self.action not in {"no-op", "read"}

    @property
    def gone(self) -> bool:
        """Whether the resource is removed and nothing replaces it."""
        return self.action in {"delete", "forget"}

    @property
    def touched(self) -> bool:
        """Whether the review mentions it."""
        return self.changes_something or bool(self.moved_from or self.import_id)

    def differences(self) -> tuple[Difference, ...]:
        """Every attribute that differs, by path; of a created or deleted resource, every one that is not empty."""
        if self.after is None and self.action != "replace":
            found = differences("", self.before, None, False, *self.sensitive)
        else:
            found = differences("", self.before, self.after, self.unknown, *self.sensitive)
        whole = self.before is None or self.after is None
        kept = (
            item for item in found if item.unknown or not (whole and is_empty(item.before) and is_empty(item.after))
        )
        return tuple(sorted(kept, key=lambda item: item.path))

    def is_unknown(self, name: str) -> bool:
        """Whether the planned value of an attribute, or a part of it, is known only after apply."""
        return bool(self.unknown) and bool(self.unknown is True or any_true(self.unknown.get(name)))

    def is_sensitive(self, name: str) -> bool:
        """Whether an attribute may not be shown, before or after."""
        return any(shape is True or (bool(shape) and any_true(shape.get(name))) for shape in self.sensitive)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole plan.

    Attributes:
        terraform_version: of the Terraform that made it.
        changes: all resources of the configuration or state, also unchanged ones.
        drift: what was changed outside Terraform since its last run.
        outputs: changed outputs of the root module.
        errored: planning failed; the plan holds what was planned until then.
        complete: no change was deferred to a later plan.
    """

    terraform_version: str
    changes: tuple[Change, ...]
    drift: tuple[Change, ...]
    outputs: tuple[Difference, ...]
    errored: bool
    complete: bool
