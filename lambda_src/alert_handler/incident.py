"""Decides on incidents: the last record of a flow and a report in, a new record and notifications out. Pure.

Every span is counted on the checks' own times, so that late, repeated and rehearsed checks give the same answers.
Deciding twice on the same report adds nothing: the record holds what it changed the first time. `outbox` decides who
sends when.

A check is *bad* (something is wrong), *good*, or *unknown*: silence that nothing confirms, a status that is still
settling, or maintenance. Only bad checks open, escalate and remind, only good ones end an incident:
- a check not later than the last close is covered by what was closed, and so are datapoints that arrive after it;
- a good check counts if its data ends a minute or more after the last bad evidence and after the data of the last good
  check that counted, so neither late data nor a flapping fault counts; and not while event evidence contradicts it that
  datapoints cannot yet answer.
"""

import copy
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final

from alert_handler.record import Incident, Kind, Notification, Record, check_of
from alert_handler.silence import USUALLY_LATE, late_since, lost_source, silent_since
from alert_handler.situation import UNSETTLED, Situation
from report import Issue, Report, Severity, moment, ran_at, rank, worst

APART: Final = timedelta(minutes=1)
"""CloudWatch measures by the minute: a shorter good spell may not be in any datapoint."""
SOURCE: Final = "source"
"""What issues and events on sources are about."""
SLOWEST_REMINDER: Final = 8
"""Reminders come after 1, 2, 4 and then always 8 times `reminder_minutes`."""
TRIGGERS_KEPT: Final = 50


def decide(record: Record, report: Report) -> tuple[Record, list[Notification]]:
    """The record after a report, and the notifications that it adds; they are pending in the record, too.

    Args:
        record: the last known state of the flow; left as it is.
        report: what the monitor found. Its time is the present: no other clock is read.
    """
    decision = _Decision(record, report)
    decision.take()
    return decision.record, decision.added


class _Decision:
    """One report and the record that it changes."""

    def __init__(self, record: Record, report: Report) -> None:
        self.record = copy.deepcopy(record)
        self.report = report
        self.now = moment(report["timestamp"])
        self.as_of = moment(report.get("as_of") or report["timestamp"])
        self.added: list[Notification] = []
        self._situation = Situation(self.record, report, self._notify, as_of=self.as_of)

    def take(self) -> None:
        self._situation.maintenance()
        self._situation.status()
        self._note_metrics()
        if self.record["closed"] and self.now <= moment(self.record["closed"]):
            return
        bad = self._issues()
        active = self.report["flow_status"] == "ACTIVE"
        if self._situation.holds_back(bad, healthy=active and not bad and not self._unknown()):
            if self.record["incident"]:
                self._note_evidence(self.record["incident"])
                self._not_good(self.record["incident"], self._evidence_until(bad))
        elif self._situation.in_maintenance() and not bad and not active:
            pass  # the restart: neither wrong nor a sign of health
        elif self.record["incident"] and not bad:
            self._good_again(self.record["incident"])
        elif bad and self.record["incident"]:
            self._still_bad(self.record["incident"], bad)
        elif bad:
            self._open(bad)

    # Metrics
    def _note_metrics(self) -> None:
        """Record what a later silence is compared with: whether streams are listed, and since when it lasts."""
        if self.report.get("source_metadata") == "present":
            self.record["described"] = True
            # Only while metrics are later than usual: before, the last sign of life is newer than it need be.
            if "silence" in self.report and self.now - silent_since(self.record, self.report) > USUALLY_LATE:
                self.record["listed"] = max(self.record.get("listed") or self._time, self._time, key=moment)
        if len(self.report["sources"]) == 1 and any(
            evidence["about"] == SOURCE and not evidence["bad"] for evidence in self.report.get("event_evidence", [])
        ):
            self.record["source_back"] = max(self.record.get("source_back") or self._time, self._time, key=moment)
        if self.now != ran_at(self.report):
            return  # what happened long ago shows nothing of how metrics come now
        for key, value in (
            ("silent_from", (self.record.get("silent_from") or self._time) if "silence" in self.report else ""),
            ("late", late_since(self.record, self.report)),
        ):
            if value != self.record.get(key, ""):
                self.record[key] = value  # type: ignore[literal-required]  # one of the two

    # Issues
    def _issues(self) -> list[Issue]:
        """What is wrong now, worst first: without what is too early, with what only the record shows."""
        found = {issue["about"]: issue for issue in self.report["issues"] if not self._too_early(issue)}
        if self._stuck():
            found["FlowStatus"] = self._stuck_issue()
        silent = lost_source(self.record, self.report)
        if silent and not self._too_early(silent):
            held = found.get(silent["about"])
            if held is None or rank(silent["severity"]) < rank(held["severity"]):
                found[silent["about"]] = silent
        if self._situation.did_not_come_back():
            found["FlowStatus"] = self._not_back_issue()
        lost = self.report.get("all_lost")
        if lost and found.get(SOURCE) and self._lost_parts() >= {item["arn"] for item in self.report["sources"]}:
            found[SOURCE] = lost
        return sorted(found.values(), key=lambda issue: (rank(issue["severity"]), issue["about"]))

    def _unknown(self) -> bool:
        """Whether a check without issues is no sign of health, such as one whose data is older than the start."""
        since = self.record["since"] if self.report["flow_status"] == "ACTIVE" else ""
        return (
            self.report["flow_status"] in UNSETTLED
            or self.report.get("as_of") == ""
            or bool(since and self.as_of < moment(since))
            or any(map(self._too_early, self.report["issues"]))
        )

    def _too_early(self, issue: Issue) -> bool:
        """Whether it may come of the flow's start or of a time before it, or of what was closed."""
        if issue["evidence"] == "metric" and self.record["incident"] is None:
            known = [self.record["since"], self.record.get("healthy_as_of")]
            if issue["about"] == SOURCE:
                known.append(self.record.get("source_back"))
            if "at" in issue and any(time and moment(issue["at"]) <= moment(time) for time in known):
                return True
        if issue["evidence"] == "no data" and self.report["flow_status"] == "UPDATING":
            return not self._stuck()
        if not self.record["since"] or self.report["flow_status"] != "ACTIVE":
            return False
        since = moment(self.record["since"])
        if issue["evidence"] == "event":
            return self.now <= since
        return issue["evidence"] == "no data" and since <= self.now < since + self._settling

    @property
    def _settling(self) -> timedelta:
        return timedelta(minutes=self.report["incident_policy"]["settling_minutes"])

    def _stuck(self) -> bool:
        unsettled = self.record["unsettled"]
        return (
            unsettled is not None
            and unsettled["status"] == self.report["flow_status"]
            and self.now >= moment(unsettled["since"]) + self._settling
        )

    def _stuck_issue(self) -> Issue:
        status = self.report["flow_status"]
        minutes = self.report["incident_policy"]["settling_minutes"]
        off = status == "STARTING" or (status == "STOPPING" and self.report["on_air_expected"])
        return {
            "about": "FlowStatus",
            "metric": "FlowStatus",
            "value": None,
            "threshold": None,
            "unit": "",
            "severity": "CRITICAL" if off else "HIGH",
            "meaning": f"The flow has been {status} for {minutes} minutes or more.",
            "actions": ["Check the flow in the console. If its status does not change, contact AWS Support."],
            "evidence": "status",
        }

    def _not_back_issue(self) -> Issue:
        start = f"aws mediaconnect start-flow --flow-arn {self.report['flow_arn']}"
        return {
            "about": "FlowStatus",
            "metric": "FlowStatus",
            "value": None,
            "threshold": None,
            "unit": "",
            "severity": "CRITICAL",
            "meaning": f"The flow did not start again after AWS maintenance: it is {self.report['flow_status']}.",
            "actions": [f"Start it, unless it was stopped on purpose: {start}"],
            "evidence": "status",
        }

    def _lost_parts(self) -> set[str]:
        incident = self.record["incident"]
        known = incident["event_evidence"].values() if incident else ()
        new = self.report.get("event_evidence", [])
        latest = {item["part"]: item["bad"] for item in (*known, *new) if item["about"] == SOURCE}
        return {part for part, bad in latest.items() if bad}

    # The incident

    def _open(self, bad: Sequence[Issue]) -> None:
        incident: Incident = {
            "opened": self._time,
            "severity": worst(issue["severity"] for issue in bad),
            "issues": {},
            "worst": {},
            "last_bad": self._evidence_until(bad),
            "good": 0,
            "healthy_since": "",
            "last_good": "",
            "notified": self._time,
            "reminders": 0,
            "number": 0,
            "event_evidence": {},
            "triggers": [],
            "sent": [],
        }
        began = min(self._began(bad), key=moment)
        if began != self._time:
            incident["began"] = began
        self.record["incident"] = incident
        self._note(incident, bad)
        self._notify("opened", incident["severity"], bad, incident)

    def _began(self, bad: Sequence[Issue]) -> Iterator[str]:
        """The times since when something of what is wrong is known to be."""
        if held := self._situation.down_since():
            yield held
        for issue in bad:
            # The flow is asked when the check runs, which after a late event is later.
            yield ran_at(self.report).isoformat() if issue["evidence"] == "status" else issue.get("since", self._time)

    def _still_bad(self, incident: Incident, bad: Sequence[Issue]) -> None:
        present = rank(incident["severity"])
        new = [
            issue
            for issue in bad
            if rank(issue["severity"]) < present
            or (issue["about"] not in incident["issues"] and rank(issue["severity"]) <= present)
        ]
        until = self._evidence_until(bad)
        latest = moment(until) >= moment(incident["last_bad"])
        self._note(incident, bad)
        self._not_good(incident, until)
        if new:
            incident["severity"] = worst([incident["severity"], *(issue["severity"] for issue in new)])
            incident["notified"], incident["reminders"] = max(incident["notified"], self._time, key=moment), 0
            rest = [issue for issue in bad if issue not in new]
            self._notify("escalated", incident["severity"], [*new, *rest], incident)
        elif (
            latest
            and self.now == ran_at(self.report)
            and self.now >= moment(incident["notified"]) + self._until_reminder(incident)
        ):
            incident["notified"], incident["reminders"] = self._time, incident["reminders"] + 1
            self._notify("reminded", incident["severity"], bad, incident)

    def _evidence_until(self, bad: Iterable[Issue]) -> str:
        """Up to when something was wrong: the end of the newest datapoint that shows it, or now for all else."""
        return max((issue.get("at", self._time) for issue in bad), key=moment)

    def _not_good(self, incident: Incident, until: str) -> None:
        """Count from then on whatever is healthy: something is wrong."""
        incident["last_bad"] = max(incident["last_bad"], until, key=moment)
        if incident["good"] and moment(incident["healthy_since"]) < moment(incident["last_bad"]) + APART:
            incident["good"], incident["healthy_since"], incident["last_good"] = 0, "", ""

    def _until_reminder(self, incident: Incident) -> timedelta:
        factor = min(1 << incident["reminders"], SLOWEST_REMINDER)
        return timedelta(minutes=factor * self.report["incident_policy"]["reminder_minutes"])

    def _good_again(self, incident: Incident) -> None:
        self._note_evidence(incident)
        if self._unknown():
            return
        for item in incident["event_evidence"].values():
            item["bad"] = item["bad"] and self.as_of < moment(item["until"])
        if any(item["bad"] for item in incident["event_evidence"].values()):
            return
        if (
            self.as_of
            < max(moment(incident["last_bad"]), moment(incident["last_good"] or incident["last_bad"])) + APART
        ):
            return
        as_of = self.as_of.isoformat()
        incident["good"] += 1
        incident["healthy_since"] = incident["healthy_since"] or as_of
        incident["last_good"] = as_of
        if incident["good"] >= self.report["incident_policy"]["recovery_checks"]:
            self._close(incident)

    def _close(self, incident: Incident) -> None:
        issues = sorted(incident["issues"].values(), key=lambda issue: (rank(issue["severity"]), issue["about"]))
        self._notify("recovered", incident["severity"], issues, incident)
        incident["closed"] = self.record["closed"] = self._time
        self.record["healthy_as_of"] = self.as_of.isoformat()
        incident["event_evidence"] = {}
        self.record["incident"] = None
        self.record["to_keep"].append(incident)

    def _note(self, incident: Incident, bad: Iterable[Issue]) -> None:
        """Record what a bad check found: each issue at its worst, the worst values, and what caused the check."""
        for issue in bad:
            held = incident["issues"].get(issue["about"])
            if held is None or rank(issue["severity"]) <= rank(held["severity"]):
                incident["issues"][issue["about"]] = issue
            value, limit = issue["value"], issue["threshold"]
            before = "at" in issue and moment(issue["at"]) <= moment(incident.get("began", incident["opened"]))
            if value is not None and limit is not None and not before:
                worse = max if value > limit else min
                seen = incident["worst"].get(issue["metric"])
                value = worse(value, seen["value"]) if seen else value
                incident["worst"][issue["metric"]] = {"metric": issue["metric"], "value": value, "unit": issue["unit"]}
        name = self.report["trigger"]["name"]
        if name not in incident["triggers"] and len(incident["triggers"]) < TRIGGERS_KEPT:
            incident["triggers"].append(name)
        self._note_evidence(incident)

    def _note_evidence(self, incident: Incident) -> None:
        """Record the evidence of an event, unless there is later evidence about the same thing."""
        for evidence in self.report.get("event_evidence", []):
            key = f"{evidence['about']} {evidence['part']}".strip()
            before = incident["event_evidence"].get(key)
            if (before is None and not evidence["bad"]) or (before and self.now < moment(before["at"])):
                continue
            until = self.now + timedelta(seconds=evidence["holds_seconds"])
            incident["event_evidence"][key] = {
                "about": evidence["about"],
                "part": evidence["part"],
                "at": self._time,
                "until": until.isoformat(),
                "bad": evidence["bad"],
            }

    # Notifications
    @property
    def _time(self) -> str:
        return self.report["timestamp"]

    def _notify(
        self,
        kind: Kind,
        severity: Severity,
        issues: Iterable[Issue] = (),
        incident: Incident | None = None,
        *,
        began: str = "",
        ended: str = "",
        detail: str = "",
    ) -> None:
        # One check may notify of the end of a window and of the start of the next.
        ended_window = "-ended" if detail and detail != "INPROGRESS" else ""
        notification: Notification = {
            "id": f"{self.report['flow_name']}/{self._time}/{kind}{ended_window}",
            "kind": kind,
            "severity": severity,
            "check": check_of(self.report),
            "issues": list(issues),
        }
        lost = self._lost_parts()
        # What an event called lost is not in use, whatever an older datapoint shows.
        notification["check"]["sources"] = [
            {**source, "in_use": False if source["arn"] in lost else source["in_use"]}
            for source in self.report["sources"]
        ]
        if incident:
            incident["number"] += 1
            notification["id"] = f"{self.report['flow_name']}/{incident['opened']}/{incident['number']}"
            notification["incident"] = incident["opened"]
            notification["began"] = incident.get("began", incident["opened"])
        if incident and kind == "recovered":
            notification["ended"] = incident["healthy_since"]
            notification["worst"] = sorted(incident["worst"].values(), key=lambda item: item["metric"])
        if incident is None and began:
            notification["began"], notification["ended"] = began, ended
        if detail:
            notification["detail"] = detail
        self.added.append(notification)
        self.record["pending"].append(notification)
