"""Decides on a flow's status and its maintenance windows, and notifies of changes.

Pure; part of `incident`, which decides what a check means in the situation found here.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from alert_handler.record import NOT_REPORTED, Maintenance, Record
from report import Issue, Report, Severity, moment, ran_at, rank

UNSETTLED: Final = frozenset({"STARTING", "STOPPING", "UPDATING"})
RUNS: Final = frozenset({"ACTIVE", "ERROR"})
STANDS: Final = frozenset({"STANDBY", "DELETING"})
CAME_FROM: Final[Mapping[str, str]] = {"STARTING": "STANDBY", "STOPPING": "ACTIVE"}
"""The settled status before a passing one, for a flow whose first known status it is."""
WINDOW: Final = timedelta(hours=2)
"""How long a maintenance window of MediaConnect is."""
RESTART: Final = timedelta(minutes=5)
"""How long a flow may be off air for a restart, beside the settling time. What lasts longer is an outage."""
HEALTHY_ENDS: Final = timedelta(minutes=5)
"""A window ends when data shows an ACTIVE flow to be healthy for so long: the event of its end may be lost."""
OVER: Final = frozenset({"FINISHED", "FAILED", "CANCELED", "SCHEDULED", "RESCHEDULED"})
"""The states of a maintenance that is not in progress."""


class Situation:
    """The status and the maintenance of a flow in one check.

    Args:
        record: the last known state of the flow; changed in place.
        report: the check.
        notify: adds a notification of a kind and a severity.
        as_of: up to when data shows how the flow is.
    """

    def __init__(self, record: Record, report: Report, notify: Callable[..., Any], *, as_of: datetime) -> None:
        self.record = record
        self.report = report
        self.now = moment(report["timestamp"])
        self.as_of = as_of
        self._time = report["timestamp"]
        self._notify = notify

    def maintenance(self) -> None:
        """Start or end a window, and notify."""
        state, window = self.report.get("maintenance"), self.record["maintenance"]
        if window and window["open"] and self.now >= moment(window["until"]):
            self._end_maintenance(window, window["until"], NOT_REPORTED)
        elif window and window["open"] and moment(window["since"]) < self.now:
            if state == "INPROGRESS":
                self.record["maintenance"] = {**window, "detected_by": "event"}
            elif state in OVER:
                self._end_maintenance(window, self._time, "RESCHEDULED" if state == "SCHEDULED" else str(state))
        window = self.record["maintenance"]
        if window is None or (not window["open"] and moment(window["until"]) < self.now):
            self._start_maintenance(window)

    def _start_maintenance(self, before: Maintenance | None) -> None:
        state = self.report.get("maintenance")
        if state == "INPROGRESS":
            until, by_event = self.now + WINDOW, True
            if ran_at(self.report) >= until:
                return  # it comes so late that it is over
        elif (expected := self._interrupted_inside(before)) is not None:
            # Events are best effort: a flow that stops inside its window is taken to be under maintenance.
            until, by_event = expected, False
        elif state in {"FINISHED", "FAILED", "CANCELED"}:
            # Its start was missed, or arrives late and is over by now.
            self.record["maintenance"] = {
                "since": self._time,
                "until": self._time,
                "open": False,
                "detected_by": "event",
            }
            return
        else:
            return
        self.record["maintenance"] = {
            "since": self._time,
            "until": until.isoformat(),
            "open": True,
            "detected_by": "event" if by_event else "status",
            "limit": until.isoformat(),
            "was_active": "ACTIVE" in {self.record["status"], self.report["flow_status"]},
        }
        self._notify(
            "maintenance", self._notice_severity, began=self._time, ended=until.isoformat(), detail="INPROGRESS"
        )

    def _interrupted_inside(self, before: Maintenance | None) -> datetime | None:
        """The end of the window in which a flow stops that was ACTIVE, if there is one."""
        if self.record["status"] != "ACTIVE" or self.report["flow_status"] not in {"STOPPING", "STANDBY", "STARTING"}:
            return None
        if before and before.get("guessed") and self.now < moment(before.get("limit", before["until"])):
            return moment(before.get("limit", before["until"]))
        planned = (self.report.get("maintenance_scheduled"), self.report.get("maintenance_deadline"))
        for start in (datetime.fromisoformat(time) for time in planned if time):
            if start <= self.now < start + WINDOW and (before is None or moment(before["until"]) < start):
                return start + WINDOW
        return None

    def _end_maintenance(self, window: Maintenance, until: str, detail: str, *, ended: str = "") -> None:
        self.record["maintenance"] = {**window, "until": until, "open": False, "guessed": detail == "HEALTHY"}
        held = sorted(window.get("held", {}).values(), key=lambda issue: (rank(issue["severity"]), issue["about"]))
        self._notify(
            "maintenance", self._notice_severity, held, began=window["since"], ended=ended or until, detail=detail
        )

    @property
    def _notice_severity(self) -> Severity:
        """The severity of a message on maintenance: somebody should get it where viewers expect a stream."""
        return self.report.get("notice_severity", "MEDIUM" if self.report["on_air_expected"] else "INFO")

    def holds_back(self, bad: Sequence[Issue], *, healthy: bool) -> bool:
        """Whether what a check found waits for the end of the window, where it is then recorded.

        Not what has lasted longer than a restart: then it is an outage, whatever AWS does.

        Args:
            bad: what is wrong.
            healthy: whether the flow is ACTIVE and known to be well.
        """
        window = self.record["maintenance"]
        if window is None:
            return False
        if not self.in_maintenance():
            over = healthy or (not bad and self.now >= moment(window.get("limit", window["until"])))
            if over and window.get("down_since"):
                window["down_since"] = ""
            return False
        healthy = healthy and self.report.get("maintenance") != "INPROGRESS"  # the restart is about to come
        self._record_health(window, bad=bool(bad), healthy=healthy)
        known = window.get("healthy_since", "")
        if healthy and window["open"] and known and self.as_of >= moment(known) + HEALTHY_ENDS:
            self._end_maintenance(window, self._time, "HEALTHY", ended=known)
        if self.lasts_longer_than_a_restart() or not bad:
            return False
        _hold(window, bad)
        return True

    def _record_health(self, window: Maintenance, *, bad: bool, healthy: bool) -> None:
        """Record since when the flow is healthy or not in its window, unless a later check already has."""
        if self.now < moment(window.get("checked", window["since"])):
            return
        window["checked"] = self._time
        stands = bool(window.get("was_active")) and self.report["flow_status"] in {*STANDS, *CAME_FROM}
        if healthy:
            since = max(self.as_of, moment(window["since"])).isoformat()
            window["healthy_since"], window["down_since"] = window.get("healthy_since") or since, ""
        elif bad or stands:
            window["healthy_since"], window["down_since"] = "", window.get("down_since") or self._time

    def lasts_longer_than_a_restart(self) -> bool:
        """Whether the flow has been off air or unhealthy for so long in a maintenance."""
        since = self.down_since()
        settling = timedelta(minutes=self.report["incident_policy"]["settling_minutes"])
        return bool(since) and self.now >= moment(since) + settling + RESTART

    def down_since(self) -> str:
        """When what is wrong began in a maintenance; empty if it did not, or is part of what was closed."""
        window, closed = self.record["maintenance"], self.record["closed"]
        since = window.get("down_since", "") if window else ""
        return since if since and not (closed and moment(since) <= moment(closed)) else ""

    def did_not_come_back(self) -> bool:
        """Whether a flow that is started by hand was ACTIVE before a maintenance and stays in STANDBY."""
        window = self.record["maintenance"]
        return (
            window is not None
            and self.report["flow_status"] in STANDS
            and not self.report["on_air_expected"]
            and bool(window.get("was_active"))
            and self.now < moment(window.get("limit", window["until"]))
            and self.lasts_longer_than_a_restart()
        )

    def in_maintenance(self) -> bool:
        """Whether the check is of a time inside the latest window."""
        window = self.record["maintenance"]
        return window is not None and moment(window["since"]) <= self.now < moment(window["until"])

    def status(self) -> None:
        """Record the status, and notify of a stop or start of a flow that is started by hand."""
        status, unsettled = self.report["flow_status"], self.record["unsettled"]
        known, now = self.record["since"], ran_at(self.report)  # the flow is asked when the check runs
        time = now.isoformat()
        if (known and now <= moment(known)) or (unsettled and now < moment(unsettled["since"])):
            return  # a later check has found more
        if status in UNSETTLED:
            if unsettled is None or unsettled["status"] != status:
                self.record["unsettled"] = {"status": status, "since": time}
            return
        self.record["unsettled"] = None
        previous = self.report.get("previous_status", "")
        before = self.record["status"] or CAME_FROM.get(previous, previous)
        if status == self.record["status"]:
            return
        self.record["status"], self.record["since"] = status, time if before else ""
        if self.report["on_air_expected"] or self.in_maintenance():
            return  # notified as an incident, or as maintenance
        if before in RUNS and status in STANDS:
            self._notify("flow-stopped", "INFO")
        elif before in STANDS and status == "ACTIVE":
            self._notify("flow-started", "INFO")


def _hold(window: Maintenance, bad: Sequence[Issue]) -> None:
    """Keep the worst issue about each thing for the end of the window."""
    held = window.setdefault("held", {})
    for issue in bad:
        if issue["about"] not in held or rank(issue["severity"]) < rank(held[issue["about"]]["severity"]):
            held[issue["about"]] = issue
