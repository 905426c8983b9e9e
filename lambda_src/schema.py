"""Loads what another release stored or sent: policies and reports here, records in `alert_handler.migration`. Pure.

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
from typing import Any, cast

from report import SCHEMA, Policy, Report


def load_policy(stored: Mapping[str, Any]) -> Policy:
    """The policy in the present schema; the caller refuses one that lacks keys."""
    found = _policy_of_1(stored) if schema_of(stored) == 1 else stored
    return cast("Policy", found)


def load_report(stored: Mapping[str, Any]) -> Report:
    """The report in the present schema; the caller refuses one that lacks keys."""
    found = _report_of_1(stored) if schema_of(stored) == 1 else stored
    return cast("Report", found)


def schema_of(stored: Mapping[str, Any]) -> int:
    """The schema number of what is stored."""
    number = stored.get("schema", 1)
    return number if isinstance(number, int) and number >= 1 else SCHEMA + 1


def _policy_of_1(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Schema 1 to 2."""
    return renamed(stored, {"patience": "incident_policy"}) | {"schema": 2}


def _report_of_1(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Schema 1 to 2."""
    return renamed(stored, {"patience": "incident_policy", "said": "event_evidence"}) | {"schema": 2}


def renamed(stored: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """What is stored, with some keys renamed."""
    return {names.get(key, key): value for key, value in stored.items()}
