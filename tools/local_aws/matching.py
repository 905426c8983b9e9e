"""Whether an event matches an event pattern, as "Event patterns" in the EventBridge User Guide says. Pure.

moto's own matching does not look into arrays of objects, so a pattern on an alarm's metrics would never match.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt
from typing import Any, Final

NUMERIC: Final[Mapping[str, Callable[[float, float], bool]]] = {"<": lt, "<=": le, "=": eq, ">=": ge, ">": gt}
TEXT: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "prefix": str.startswith,
    "suffix": str.endswith,
    "equals-ignore-case": lambda value, wanted: value.lower() == wanted.lower(),
    "wildcard": lambda value, wanted: re.fullmatch(_wildcard(wanted), value, re.DOTALL) is not None,
}


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether every field that the pattern names is in the event with one of the wanted values.

    An array in the event matches if one of its elements does; an array of objects, if one object fits the whole
    pattern of it.

    Raises:
        NotImplementedError: the pattern has an operator that is not known here.
    """
    return all(
        any(matches(option, event) for option in wanted) if name == "$or" else _field(wanted, _leaves(event, name))
        for name, wanted in pattern.items()
    )


def _leaves(node: Mapping[str, Any], name: str) -> list[Any]:
    """The values of a field, with arrays taken apart; none where it is absent."""
    return _flat(node[name]) if name in node else []


def _flat(value: Any) -> list[Any]:
    return [leaf for item in value for leaf in _flat(item)] if isinstance(value, list) else [value]


def _field(wanted: Any, found: list[Any]) -> bool:
    objects = [item for item in found if isinstance(item, Mapping)]
    if isinstance(wanted, Mapping):
        # Nothing there still matches a pattern that asks for absence further down.
        return any(matches(wanted, item) for item in objects or [{}])
    leaves = [item for item in found if not isinstance(item, Mapping)]
    return any(_condition(condition, leaves) for condition in wanted)


def _condition(condition: Any, leaves: list[Any]) -> bool:
    if not isinstance(condition, Mapping):
        return any(_same(leaf, condition) for leaf in leaves)
    if "exists" in condition:
        return bool(leaves) is condition["exists"]
    return any(_passes(condition, leaf) for leaf in leaves)


def _same(value: Any, wanted: Any) -> bool:
    """Equal as JSON text is: 300 and 300.0 are not, nor 1 and true."""
    return type(value) is type(wanted) and bool(value == wanted)


def _passes(condition: Mapping[str, Any], value: Any) -> bool:
    ((operator, argument),) = condition.items()
    if operator == "anything-but":
        if isinstance(argument, Mapping):
            return not _passes(argument, value)
        return not any(_same(value, unwanted) for unwanted in _flat(argument))
    if operator == "numeric":
        pairs = zip(argument[::2], argument[1::2], strict=True)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and all(NUMERIC[sign](value, limit) for sign, limit in pairs)
    if operator == "cidr":
        return _in_network(value, argument)
    if operator not in TEXT:
        raise NotImplementedError(f"the local EventBridge does not know the pattern operator {operator!r}")
    return isinstance(value, str) and any(_text(operator, value, wanted) for wanted in _flat(argument))


def _text(operator: str, value: str, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):  # {"prefix": {"equals-ignore-case": "..."}}
        return TEXT[operator](value.lower(), wanted["equals-ignore-case"].lower())
    return TEXT[operator](value, wanted)


def _in_network(value: Any, network: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(network)
    except ValueError:
        return False


def _wildcard(wanted: str) -> str:
    """As a regular expression: only `*` is special, and a backslash takes that from it."""
    parts = re.findall(r"\\[\\*]|\*|[^\\*]+|\\", wanted)
    return "".join(".*" if part == "*" else re.escape(part[1:] if part[0] == "\\" else part) for part in parts)
