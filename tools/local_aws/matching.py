"""Whether an event matches an event pattern, as "Event patterns" in the EventBridge User Guide says. Pure.

moto's own matching does not look into arrays of objects, so a pattern on an alarm's metrics would never match. Only
the operators that deployed rules use; others are refused.
"""

import re
from collections.abc import Mapping
from typing import Any


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether every field that the pattern names is in the event with one of the wanted values.

    An array in the event matches if one of its elements does; an array of objects, if one object fits the whole
    pattern of it.

    Raises:
        NotImplementedError: the pattern has an operator that is not known here.
    """
    return all(_field(name, wanted, _leaves(event, name)) for name, wanted in pattern.items())


def _leaves(node: Mapping[str, Any], name: str) -> list[Any]:
    """The values of a field, with arrays taken apart; none where it is absent."""
    return _flat(node[name]) if name in node else []


def _flat(value: Any) -> list[Any]:
    return [leaf for item in value for leaf in _flat(item)] if isinstance(value, list) else [value]


def _field(name: str, wanted: Any, found: list[Any]) -> bool:
    if name.startswith("$"):
        raise NotImplementedError(f"the local EventBridge does not know the pattern operator {name!r}")
    if isinstance(wanted, Mapping):
        objects = [item for item in found if isinstance(item, Mapping)]
        return any(matches(wanted, item) for item in objects)
    leaves = [item for item in found if not isinstance(item, Mapping)]
    return any(_condition(condition, leaves) for condition in wanted)


def _condition(condition: Any, leaves: list[Any]) -> bool:
    if not isinstance(condition, Mapping):
        return any(_same(leaf, condition) for leaf in leaves)
    ((operator, argument),) = condition.items()
    arguments = argument if isinstance(argument, list) else [argument]
    if operator not in {"anything-but", "prefix", "wildcard"} or any(isinstance(item, Mapping) for item in arguments):
        raise NotImplementedError(f"the local EventBridge does not know the pattern operator {condition!r}")
    return any(_passes(operator, arguments, leaf) for leaf in leaves)


def _same(value: Any, wanted: Any) -> bool:
    """Equal as JSON text is: 300 and 300.0 are not, nor 1 and true."""
    return type(value) is type(wanted) and bool(value == wanted)


def _passes(operator: str, arguments: list[Any], value: Any) -> bool:
    if operator == "anything-but":
        return not any(_same(value, unwanted) for unwanted in arguments)
    pattern = _wildcard(arguments[0]) if operator == "wildcard" else re.escape(arguments[0]) + ".*"
    return isinstance(value, str) and re.fullmatch(pattern, value, re.DOTALL) is not None


def _wildcard(wanted: str) -> str:
    r"""A regular expression for a wildcard: only `*` is special, and a backslash escapes it."""
    parts = re.findall(r"\\[\\*]|\*|[^\\*]+|\\", wanted)
    return "".join(".*" if part == "*" else re.escape(part[1:] if part[0] == "\\" else part) for part in parts)
