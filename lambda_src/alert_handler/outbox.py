"""Pending notifications and who sends them: changes of a record before and after a send. Pure.

An execution claims what is pending in the same write that adds it. Nobody else sends while the claim is fresh; after
that the next check takes it over, so that an execution that died loses nothing.
"""

from datetime import datetime, timedelta
from typing import Final

from alert_handler.record import Incident, Notification, Record, Sent

CLAIM_LASTS: Final = timedelta(seconds=60)
"""Twice as long as a function may run: whoever claimed longer ago is dead."""


def may_send(record: Record, execution: str, now: datetime) -> bool:
    """Whether this execution may send what is pending: it claimed it, or nobody did lately.

    Args:
        record: the flow's record.
        execution: ARN of the execution.
        now: the clock on the wall.
    """
    claim = record["claim"]
    if not record["pending"]:
        return False
    return claim is None or claim["execution"] == execution or now >= datetime.fromisoformat(claim["at"]) + CLAIM_LASTS


def claimed(record: Record, execution: str, now: datetime) -> Record:
    """The record with its pending messages claimed."""
    return {**record, "claim": {"execution": execution, "at": now.isoformat()}}


def without(record: Record, sent: Notification) -> Record:
    """The record after a message was sent: no longer pending, and noted in its incident."""
    pending = [item for item in record["pending"] if item["id"] != sent["id"]]
    incident = record["incident"]
    return {
        **record,
        "pending": pending,
        "claim": record["claim"] if pending else None,
        "incident": _noted(incident, sent) if incident else None,
        "to_keep": [_noted(item, sent) for item in record["to_keep"]],
    }


def finished(record: Record) -> list[Incident]:
    """The closed incidents of which everything was sent: ready for history."""
    waiting = {item.get("incident") for item in record["pending"]}
    return [incident for incident in record["to_keep"] if incident["opened"] not in waiting]


def kept(record: Record) -> Record:
    """The record after its finished incidents went into history."""
    done = finished(record)
    return {**record, "to_keep": [incident for incident in record["to_keep"] if incident not in done]}


def _noted(incident: Incident, sent: Notification) -> Incident:
    if sent.get("incident") != incident["opened"] or any(item["id"] == sent["id"] for item in incident["sent"]):
        return incident
    note: Sent = {
        "id": sent["id"],
        "kind": sent["kind"],
        "severity": sent["severity"],
        "at": sent["check"]["timestamp"],
    }
    return {**incident, "sent": [*incident["sent"], note]}
