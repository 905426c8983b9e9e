"""Handles one report without losing a notification: decide, save, send, save.

1. The record is saved with its new messages pending and claimed, on the condition that nobody saved in between;
   otherwise the decision is made again on what they saved.
2. Each pending message is sent, and taken out of the record as soon as it was.

A crash before the first save loses nothing: the state machine tries again with the same report. After it, the messages
are in the record; the same execution owns their claim and sends them when tried again, or else the next check does once
the claim has run out. A crash between a send and the save after it repeats that one message, under the same id. Another
execution that comes in between leaves its messages in the same record, where the owner finds them, because its next
save fails on the condition.
An incident goes into history before it is taken out of the record, so that there, too, a crash repeats and never loses.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Protocol

from alert_handler import lateness, outbox
from alert_handler.healing import healed
from alert_handler.incident import decide
from alert_handler.record import Incident, Kind, Notification, Record
from event_log import Event, log
from report import Report, moment

TRIES: Final = 10
"""Each lost try is another execution's success, so more than a few at once mean that something is wrong."""

INCIDENT_EVENTS: Final[Mapping[Kind, Event]] = {
    "opened": "incident opened",
    "escalated": "incident escalated",
    "recovered": "incident resolved",
    "closed": "incident resolved",
}


class BusyError(RuntimeError):
    """Others saved each time; the state machine tries again later."""


class Store(Protocol):
    """Where the record of each flow is kept."""

    def load(self, flow: str) -> tuple[Record, int]:
        """The record, and the version to save over; version 0 if there is none."""

    def save(self, flow: str, record: Record, *, over: int) -> bool:
        """Save as version `over + 1` if the version is still `over`; False if it is not."""

    def keep(self, flow: str, incident: Incident, *, days: int) -> None:
        """Put a closed incident into history, where it may be already."""


def handle(
    report: Report,
    *,
    execution: str,
    store: Store,
    send: Callable[[Notification], None],
    clock: Callable[[], datetime],
) -> list[str]:
    """Handle a report; the ids of the messages that were sent.

    Raises:
        BusyError: others saved each time.
        Exception: what `store` and `send` raise; handling the report again is safe.
    """
    handling = _Handling(report, execution, store, send, clock)
    handling.change(report["flow_name"], handling.of_flow)
    if handling.failed:
        raise handling.failed
    return handling.sent


class _Handling:
    """One report being handled."""

    def __init__(
        self,
        report: Report,
        execution: str,
        store: Store,
        send: Callable[[Notification], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._report, self._execution, self._store, self._send, self._clock = report, execution, store, send, clock
        self.sent: list[str] = []
        self.failed: Exception | None = None

    def of_flow(self, before: Record) -> Record:
        """The flow's record after the report.

        Where its metrics have become late or arrive again, the environment's record is changed before this one
        records it; a second time changes nothing. If that fails, the flow's own messages do not wait for it:
        the topics differ, and the one of self-monitoring may be what is broken.
        """
        self.failed = None
        usable = healed(before, checked=moment(self._report["timestamp"]), now=self._clock())
        after, _added = decide(usable, self._report)
        late = after.get("late", "")
        if late != before.get("late", ""):
            try:
                self.change(lateness.ENVIRONMENT, lambda record: lateness.decide(record, self._report, late))
            except Exception as error:  # noqa: BLE001  raised once the flow is handled
                self.failed = error
                after["late"] = before.get("late", "")
        return after

    def change(self, name: str, changed: Callable[[Record], Record]) -> None:
        """Change a record, and send what is pending in it if that is this execution's."""
        for _ in range(TRIES):
            before, version = self._store.load(name)
            after = changed(before)
            mine = outbox.may_send(after, self._execution, self._clock())
            if mine:
                after = outbox.claimed(after, self._execution, self._clock())
            if after != before:
                if not self._store.save(name, after, over=version):
                    log("retry", flow=name, execution=self._execution, reason="another execution saved the record")
                    continue
                version += 1
                self._log_incident(name, before, after)
            if mine:
                days = self._report["incident_policy"]["incident_history_days"]
                self.sent += send_all(
                    name, after, version, days=days, execution=self._execution, store=self._store, send=self._send
                )
            return
        raise BusyError(f"the record of {name} was changed by others {TRIES} times in a row")

    def _log_incident(self, name: str, before: Record, after: Record) -> None:
        known = {notification["id"] for notification in before["pending"]}
        for notification in after["pending"]:
            event = INCIDENT_EVENTS.get(notification["kind"])
            if event and notification["id"] not in known:
                log(
                    event,
                    flow=name,
                    incident=notification.get("incident"),
                    execution=self._execution,
                    severity=notification["severity"],
                )


def send_all(
    flow: str,
    record: Record,
    version: int,
    *,
    days: int,
    execution: str,
    store: Store,
    send: Callable[[Notification], None],
) -> list[str]:
    """Send what is pending in a record that `execution` claimed; the ids of what was sent.

    Args:
        flow: whose record it is.
        record: as it was saved, with the claim.
        version: that it was saved as.
        days: how long a closed incident stays in history.
        execution: who claimed it.
        store: where the record is.
        send: sends one message.

    Raises:
        BusyError: others saved each time.
        Exception: what `store` and `send` raise; what was not sent stays pending.
    """
    sent: list[str] = []
    while record["pending"] and record["claim"] and record["claim"]["execution"] == execution:
        message = record["pending"][0]
        send(message)
        sent.append(message["id"])
        for _ in range(TRIES):
            after = outbox.without(record, message)
            for incident in outbox.finished(after):
                store.keep(flow, incident, days=days)
            after = outbox.kept(after)
            if after == record:  # another took over, and has sent it, too
                break
            if store.save(flow, after, over=version):
                record, version = after, version + 1
                break
            record, version = store.load(flow)
        else:
            raise BusyError(f"the record of {flow} was changed by others {TRIES} times in a row")
    return sent
