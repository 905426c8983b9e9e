"""What a flow is doing, apart from being healthy: its status and its maintenance windows, and who is told of changes.

Pure; part of `incident`, which decides what a look means in the situation that is found here.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from alert_handler.record import Maintenance, Record
from report import Report, moment

UNSETTLED: Final = frozenset({"STARTING", "STOPPING", "UPDATING"})
RUNS: Final = frozenset({"ACTIVE", "ERROR"})
STANDS: Final = frozenset({"STANDBY", "DELETING"})
CAME_FROM: Final[Mapping[str, str]] = {"STARTING": "STANDBY", "STOPPING": "ACTIVE"}
"""The settled status before a passing one, where a look was the first to be told of."""
WINDOW: Final = timedelta(hours=2)
"""How long a maintenance window of MediaConnect is."""


class Situation:
    """The status and the maintenance of a flow in one look.

    Args:
        record: what is remembered of the flow; changed in place.
        report: the look.
        tell: makes a message of a kind and a severity.
    """

    def __init__(self, record: Record, report: Report, tell: Callable[..., Any]) -> None:
        self.record = record
        self.report = report
        self.now = moment(report["timestamp"])
        self._time = report["timestamp"]
        self._tell = tell

    def maintenance(self) -> None:
        """Begin or end a window, and tell of it."""
        state, window = self.report.get("maintenance"), self.record["maintenance"]
        if window and window["open"] and self.now >= moment(window["until"]):
            self._end_maintenance(window, window["until"], "no end of it was reported within two hours")
        elif window and window["open"] and moment(window["since"]) < self.now:
            if state == "INPROGRESS":
                self.record["maintenance"] = {**window, "noticed": "event"}
            elif state in {"FINISHED", "FAILED", "CANCELED"}:
                self._end_maintenance(window, self._time, str(state))
            elif window["noticed"] == "status" and self.report["flow_status"] == "ACTIVE":
                self._end_maintenance(window, self._time, "FINISHED")
        window = self.record["maintenance"]
        if window is None or (not window["open"] and moment(window["until"]) < self.now):
            self._begin_maintenance(window)

    def _begin_maintenance(self, before: Maintenance | None) -> None:
        scheduled = self.report.get("maintenance_scheduled", "")
        begin = datetime.fromisoformat(scheduled) if scheduled else None
        if self.report.get("maintenance") == "INPROGRESS":
            until, noticed = self.now + WINDOW, "event"
        elif (
            begin is not None
            and begin <= self.now < begin + WINDOW
            and (before is None or moment(before["until"]) < begin)
            and self.record["status"] == "ACTIVE"
            and self.report["flow_status"] in {"STOPPING", "STANDBY", "STARTING"}
        ):
            # Events are best effort: a flow that stops inside its window is taken to be under maintenance.
            until, noticed = begin + WINDOW, "status"
        elif self.report.get("maintenance") in {"FINISHED", "FAILED", "CANCELED"}:
            # Its begin was missed, or comes late and is over by now.
            self.record["maintenance"] = {"since": self._time, "until": self._time, "open": False, "noticed": "event"}
            return
        else:
            return
        self.record["maintenance"] = {
            "since": self._time,
            "until": until.isoformat(),
            "open": True,
            "noticed": "event" if noticed == "event" else "status",
        }
        self._tell("maintenance", "INFO", began=self._time, ended=until.isoformat(), words="INPROGRESS")

    def _end_maintenance(self, window: Maintenance, until: str, words: str) -> None:
        self.record["maintenance"] = {**window, "until": until, "open": False}
        self._tell("maintenance", "INFO", began=window["since"], ended=until, words=words)

    def in_maintenance(self) -> bool:
        """Whether the look is of a time inside the latest window."""
        window = self.record["maintenance"]
        return window is not None and moment(window["since"]) <= self.now < moment(window["until"])

    def status(self) -> None:
        """Remember the status, and tell of a stop or start of a flow that is started by hand."""
        status, unsettled = self.report["flow_status"], self.record["unsettled"]
        known = self.record["since"]
        if (known and self.now <= moment(known)) or (unsettled and self.now < moment(unsettled["since"])):
            return  # a later look has said more
        if status in UNSETTLED:
            if unsettled is None or unsettled["status"] != status:
                self.record["unsettled"] = {"status": status, "since": self._time}
            return
        self.record["unsettled"] = None
        told = self.report.get("previous_status", "")
        before = self.record["status"] or CAME_FROM.get(told, told)
        if status == self.record["status"]:
            return
        self.record["status"], self.record["since"] = status, self._time if before else ""
        if self.report["on_air_expected"] or self.in_maintenance():
            return  # told as an incident, or as maintenance
        if before in RUNS and status in STANDS:
            self._tell("flow-stopped", "INFO")
        elif before in STANDS and status == "ACTIVE":
            self._tell("flow-started", "INFO")
