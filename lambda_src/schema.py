"""Loads what another release stored or sent: policies, reports and records of every schema. Pure.

Each carries its schema number as `schema`; without one it is of schema 1. An older one is migrated here, on load, so
that all other code knows one shape only. Terraform updates the alert handler, then the monitor, then the policies
(`components.functions`), so whoever reads is at least as new as whoever wrote; only a rollback or a failed deployment
makes it otherwise. What is of a newer schema is not refused for that:

- A record keeps each part that has the shape known here, and loses the others. So an open incident that cannot be read
  is opened again by the next bad check: notified twice, rather than not at all.
- A policy or a report is used if it has all keys that are required here. Otherwise that check fails, which notifies
  and keeps its input for a replay; the next check after the deployment finds both of one release.

A release from before schema numbers cannot read an incident that this one writes: close open incidents before a
rollback to one.

Schema 2 uses plain words for keys: `patience` became `incident_policy`, `said` and `heard` `event_evidence`, `look`
`check`, `told` `notified`, `words` `detail`, `noticed` `detected_by`.
"""

from collections.abc import Mapping
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints, is_typeddict

from alert_handler.record import Record, nothing_known
from report import SCHEMA, Policy, Report


def load_policy(stored: Mapping[str, Any]) -> Policy:
    """The policy in the present schema; the caller refuses one that lacks keys."""
    found = _policy_of_1(stored) if _schema_of(stored) == 1 else stored
    return cast("Policy", found)


def load_report(stored: Mapping[str, Any]) -> Report:
    """The report in the present schema; the caller refuses one that lacks keys."""
    found = _report_of_1(stored) if _schema_of(stored) == 1 else stored
    return cast("Report", found)


def load_record(stored: Mapping[str, Any]) -> Record:
    """The record of a flow in the present schema."""
    number = _schema_of(stored)
    if number > SCHEMA:
        return _understood(stored)
    return cast("Record", _record_of_1(stored) if number == 1 else stored)


def _schema_of(stored: Mapping[str, Any]) -> int:
    number = stored.get("schema", 1)
    return number if isinstance(number, int) else SCHEMA + 1


def _policy_of_1(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Schema 1 to 2."""
    return _renamed(stored, {"patience": "incident_policy"}) | {"schema": 2}


def _report_of_1(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Schema 1 to 2."""
    return _renamed(stored, {"patience": "incident_policy", "said": "event_evidence"}) | {"schema": 2}


def _record_of_1(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Schema 1 to 2."""
    incident, window = stored["incident"], stored["maintenance"]
    return {
        **stored,
        "schema": 2,
        "incident": incident and _incident_of_1(incident),
        "to_keep": [_incident_of_1(closed) for closed in stored["to_keep"]],
        "pending": [_renamed(item, {"look": "check", "words": "detail"}) for item in stored["pending"]],
        "maintenance": window and _renamed(window, {"noticed": "detected_by"}),
    }


def _incident_of_1(stored: Mapping[str, Any]) -> dict[str, Any]:
    return _renamed(stored, {"told": "notified", "heard": "event_evidence"})


def _renamed(stored: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in stored.items()}


def _understood(stored: Mapping[str, Any]) -> Record:
    """The parts of a newer record that have the shape known here, for this release to go on with and to save."""
    found: dict[str, Any] = {**nothing_known()}
    for key, hint in get_type_hints(Record).items():
        value = stored.get(key)
        if get_origin(hint) is list and isinstance(value, list):
            found[key] = [item for item in value if _fits(item, get_args(hint)[0])]
        elif key != "schema" and _fits(value, hint):
            found[key] = value
    return cast("Record", found)


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
