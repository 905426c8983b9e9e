"""A table in memory with the conditions of the real one, in which executions meet and die where a test wants."""

import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from alert_handler.handling import handle
from alert_handler.record import Incident, Notification, Record, nothing_known
from report import Report

T = TypeVar("T")


def _copy(given: T) -> T:
    """A copy that shares nothing; several times faster than `copy.deepcopy`, and there are many."""
    copied: T = pickle.loads(pickle.dumps(given))  # noqa: S301  ours
    return copied


class CrashError(Exception):
    """The execution died here."""


class World:
    """The table, the topic and the clock, shared by all executions.

    Attributes:
        versions: every record that was saved, and the empty one before.
        sent: every message that was published, in order.
        history: closed incidents by when they were opened.
        at_each_step: called before and after each call of an execution; may run another, or raise `CrashError`.
    """

    def __init__(self) -> None:
        self.record, self.version = nothing_known(), 0
        self.versions = [self.record]
        self.sent: list[Notification] = []
        self.history: dict[str, Incident] = {}
        self.clock = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)  # later than any report: none is of the future
        self.at_each_step: Callable[[], None] = lambda: None

    def later(self, seconds: float) -> None:
        self.clock += timedelta(seconds=seconds)

    def load(self, _flow: str) -> tuple[Record, int]:
        self.at_each_step()
        loaded = _copy(self.record), self.version
        self.at_each_step()
        return loaded

    def save(self, _flow: str, record: Record, *, over: int) -> bool:
        self.at_each_step()
        saved = self.version == over
        if saved:
            self.record, self.version = _copy(record), over + 1
            self.versions.append(self.record)
        self.at_each_step()
        return saved

    def keep(self, _flow: str, incident: Incident, *, days: int) -> None:
        assert days > 0
        self.at_each_step()
        self.history[incident["opened"]] = _copy(incident)
        self.at_each_step()

    def publish(self, notification: Notification) -> None:
        self.at_each_step()
        self.sent.append(_copy(notification))
        self.at_each_step()

    def execute(self, report: Report, execution: str) -> list[str]:
        """One invocation of the function for one execution."""
        return handle(report, execution=execution, store=self, send=self.publish, clock=lambda: self.clock)
