"""The attributes that differ between two states of a resource, with what may be shown of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

KNOWN_AFTER_APPLY: Final = "(known after apply)"
SENSITIVE: Final = "(sensitive)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute that differs.

    Attributes:
        path: dotted, with list positions in brackets: `rule[0].status`.
        before: the value now; None if there is none.
        after: the planned value; None if there will be none.
        unknown: the planned value is known only after apply.
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
        """The planned value, for a reader."""
        if self.unknown:
            return KNOWN_AFTER_APPLY
        return SENSITIVE if self.sensitive else shown(self.after)


def shown(value: Any) -> str:
    """A value for a reader: text as it is, everything else as JSON."""
    if value is None:
        return "(none)"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def parsed(value: Any) -> Any:
    """The object or list in a JSON text; any other value as it is."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def is_empty(value: Any) -> bool:
    """Whether Terraform treats the value as not set."""
    return value is None or value in ([], {}, "")


def any_true(shape: Any) -> bool:
    """Whether a shape marks the value or any part of it."""
    if isinstance(shape, Mapping):
        return any(any_true(part) for part in shape.values())
    if isinstance(shape, list):
        return any(any_true(part) for part in shape)
    return shape is True


def differences(path: str, *shapes: Any) -> Iterator[Difference]:
    """The differences between two values, down to their parts.

    Args:
        path: of the values.
        shapes: five values of one shape: before, after, and with True where after is unknown, before is sensitive,
            after is sensitive.
    """
    before, after, unknown, hidden_before, hidden_after = shapes
    hidden = hidden_before is True or hidden_after is True
    if unknown is True:
        yield Difference(path, before, None, unknown=True, sensitive=hidden)
        return
    if before == after and type(before) is type(after) and not any_true(unknown):
        return
    found = [] if hidden else list(_inner_differences(path, *shapes))
    if found:
        yield from found
    else:
        yield Difference(path, before, after, sensitive=hidden or any_true(hidden_before) or any_true(hidden_after))


def _inner_differences(path: str, *shapes: Any) -> Iterator[Difference]:
    """The differences inside two objects or two lists, also inside JSON texts."""
    left, right, unknown, *hidden = parsed(shapes[0]), parsed(shapes[1]), *shapes[2:]
    parts = [part for part in (left, right, unknown) if part is not None and part is not False]
    steps: Sequence[Any] = ()
    if all(isinstance(part, Mapping) for part in parts):
        steps = sorted({key for part in parts for key in part})
    elif all(isinstance(part, list) for part in parts):
        steps = range(max(len(part) for part in parts))
    for step in steps:
        inner = f"{path}[{step}]" if isinstance(step, int) else f"{path}.{step}".lstrip(".")
        yield from differences(inner, *(_part(shape, step) for shape in (left, right, unknown, *hidden)))


def _part(shape: Any, key: Any) -> Any:
    """The part of a shape or value at a key or position; True holds for every part."""
    if shape is True:
        return True
    if isinstance(shape, Mapping):
        return shape.get(key)
    if isinstance(shape, list) and isinstance(key, int):
        return shape[key] if key < len(shape) else None
    return None
