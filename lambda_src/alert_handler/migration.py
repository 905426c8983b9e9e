"""Loads records of every schema; `schema` says how schema numbers work. Pure."""

from collections.abc import Mapping
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints, is_typeddict

from alert_handler.message import compose
from alert_handler.record import Notification, Record, nothing_known
from report import SCHEMA
from schema import renamed, schema_of


def load_record(stored: Mapping[str, Any]) -> Record:
    """The record of a flow in the present schema."""
    number = schema_of(stored)
    if number > SCHEMA:
        return _understood(stored)
    return cast("Record", _record_of_1(stored) if number == 1 else stored)


def _record_of_1(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Schema 1 to 2."""
    incident, window = stored["incident"], stored["maintenance"]
    return {
        **stored,
        "schema": 2,
        "incident": incident and _incident_of_1(incident),
        "to_keep": [_incident_of_1(closed) for closed in stored["to_keep"]],
        "pending": [renamed(item, {"look": "check", "words": "detail"}) for item in stored["pending"]],
        "maintenance": window and renamed(window, {"noticed": "detected_by"}),
    }


def _incident_of_1(stored: Mapping[str, Any]) -> dict[str, Any]:
    return renamed(stored, {"told": "notified", "heard": "event_evidence"})


def _understood(stored: Mapping[str, Any]) -> Record:
    """The parts of a newer record that have the shape known here, for this release to go on with and to save."""
    found: dict[str, Any] = {**nothing_known()}
    for key, hint in get_type_hints(Record).items():
        value = stored.get(key)
        if get_origin(hint) is list and isinstance(value, list):
            found[key] = [item for item in value if _fits(item, get_args(hint)[0])]
        elif key != "schema" and _fits(value, hint):
            found[key] = value
    found["pending"] = [item for item in found["pending"] if _can_be_worded(item)]
    return cast("Record", found)


def _can_be_worded(notification: Notification) -> bool:
    """Whether it has what its kind needs, some of which is optional for others: one that cannot be sent blocks all."""
    try:
        compose(notification)
    except (LookupError, TypeError, ValueError):
        return False
    return True


def _fits(value: Any, hint: Any) -> bool:
    """Whether a JSON value has the shape of a type hint, as far as `record` and `report` use hints."""
    kind, inner = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        known = get_type_hints(hint)
        return (
            isinstance(value, Mapping)
            and hint.__required_keys__ <= value.keys()
            and all(_fits(item, known[key]) for key, item in value.items() if key in known)
        )
    if kind is list:
        return isinstance(value, list) and all(_fits(item, inner[0]) for item in value)
    if kind is dict:
        return isinstance(value, Mapping) and all(_fits(item, inner[1]) for item in value.values())
    if kind is Literal:
        return value in inner
    if inner:  # a union
        return any(_fits(value, one) for one in inner)
    return isinstance(value, int | float if hint is float else hint)
