"""Checks in any order, executions that die or meet: each notification is sent once, and none is lost.

Each sequence is a few to many checks of one flow (good, bad in several ways, events of a source going and coming,
maintenance, stops and starts; late and repeated ones as well), handled by the real decision and the real order of
saving and sending. At each call to table or topic an execution may die, or another run in between. The state machine's
retry of a dead execution comes at once, later, or never.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from alert_handler.incident import decide
from alert_handler.record import Record, nothing_known
from report import Report
from tests.properties.memory import CrashError, World
from tests.properties.tries import many
from tests.unit.stream import SOURCE_ARNS, check, issue

LOSS = issue("SourcePacketLossPercent", "HIGH", value=2.0, threshold=0.1)
JITTER = issue("SourceJitter", "MEDIUM", value=80.0, threshold=50.0)
TWO = [{"name": arn.rpartition(":")[2], "arn": arn, "in_use": None} for arn in SOURCE_ARNS]
ONE_GONE = issue("source", "HIGH", evidence="event", value=None, threshold=None)
ALL_GONE = issue("source", "CRITICAL", evidence="event", value=None, threshold=None)


def evidence(part: str, *, bad: bool) -> list[dict[str, Any]]:
    return [{"about": "source", "part": part, "bad": bad, "holds_seconds": 180}]


SHAPES: dict[str, Callable[[float], Report]] = {
    "good": lambda seconds: check(seconds, sources=TWO),
    "lost": lambda seconds: check(seconds, issue(), sources=TWO),
    "silent": lambda seconds: check(seconds, issue(evidence="no data", value=None), sources=TWO),
    "loss": lambda seconds: check(seconds, LOSS, sources=TWO),
    "jitter": lambda seconds: check(seconds, JITTER, sources=TWO),
    "loss and jitter": lambda seconds: check(seconds, LOSS, JITTER, sources=TWO),
    "a gone": lambda seconds: check(
        seconds, ONE_GONE, sources=TWO, event_evidence=evidence(SOURCE_ARNS[0], bad=True), all_lost=ALL_GONE
    ),
    "b gone": lambda seconds: check(
        seconds, ONE_GONE, sources=TWO, event_evidence=evidence(SOURCE_ARNS[1], bad=True), all_lost=ALL_GONE
    ),
    "a back": lambda seconds: check(seconds, sources=TWO, event_evidence=evidence(SOURCE_ARNS[0], bad=False)),
    "standby": lambda seconds: check(seconds, sources=TWO, flow_status="STANDBY"),
    "starting": lambda seconds: check(seconds, sources=TWO, flow_status="STARTING"),
    "error": lambda seconds: check(
        seconds, issue("FlowStatus", evidence="status", value=None), sources=TWO, flow_status="ERROR"
    ),
    "maintenance begins": lambda seconds: check(seconds, sources=TWO, maintenance="INPROGRESS"),
    "maintenance ends": lambda seconds: check(seconds, sources=TWO, maintenance="FINISHED"),
}  # fmt: skip

names = st.sampled_from(sorted(SHAPES)) | st.sampled_from(["good", "good", "lost", "loss", "a gone"])
gaps = st.sampled_from([0, 20, 40, 60, 60, 60, 300, 2000])
happenings = st.sampled_from(["on"] * 12 + ["die", "meet"])
lateness = st.sampled_from([0, 0, 0, 0, 30, 90, 400])
checks = st.lists(st.tuples(names, gaps, lateness, st.integers(1, 3)), min_size=1, max_size=14)
"""What is seen, how many seconds after the one before, how late it is delivered, and how often."""


def delivered(given: list[tuple[str, int, int, int]]) -> list[tuple[float, Report]]:
    """The reports in the order of their delivery, with the seconds at which they are delivered."""
    found, seconds = [], 0.0
    for name, gap, late, times in given:
        seconds += gap
        found += [(seconds + late, SHAPES[name](seconds))] * times
    return sorted(found, key=lambda item: item[0])


def excused(record: Record, report: Report) -> bool:
    """Whether an unhealthy report opens nothing: covered by what was closed, in maintenance, or of the flow's start."""
    now = datetime.fromisoformat(report["timestamp"])
    window = record["maintenance"]
    if record["closed"] and now <= datetime.fromisoformat(record["closed"]):
        return True
    if window and datetime.fromisoformat(window["since"]) <= now < datetime.fromisoformat(window["until"]):
        return True
    if not record["since"]:
        return False
    since = datetime.fromisoformat(record["since"])
    return all(
        (found["evidence"] == "no data" and since <= now < since + timedelta(minutes=3))
        or (found["evidence"] == "event" and now <= since)
        for found in report["issues"]
    )


class Run:
    """One sequence, handled."""

    def __init__(self, given: list[tuple[str, int, int, int]], data: st.DataObject) -> None:
        self.world = World()
        self.data = data
        self.depth = 0
        self.handled = 0
        self.reports = delivered(given)
        self.succeeded: list[Report] = []
        self.crashes = 0

    def play(self) -> "Run":
        begin, before = self.world.clock, 0.0
        while self.reports:
            at, report = self.reports.pop(0)
            self.world.later(max(0.0, at - before))
            before = max(before, at)
            self.until_it_succeeds(report)
        assert self.world.clock >= begin
        self.world.at_each_step = lambda: None
        self.world.later(3600)
        return self

    def until_it_succeeds(self, report: Report) -> None:
        """An execution and its retries; after the last one it is given up, and its report is replayed at the end."""
        self.handled += 1
        execution, first = f"execution-{self.handled}", self.world.version
        for _ in range(3):
            self.world.at_each_step = self.step
            try:
                self.world.execute(report, execution)
            except CrashError:
                self.crashes += 1
                continue
            self.succeeded.append(report)
            self.no_unhealthy_flow_is_without_an_incident(report, first)
            return
        self.reports.append((10_000.0, report))  # from the dead-letter queue

    def step(self) -> None:
        """Between two calls: mostly nothing, else death, or the next report handled by another execution."""
        if self.crashes > 12 or self.depth > 2:
            return
        what = self.data.draw(happenings)
        if what == "die":
            raise CrashError
        if what == "meet" and self.reports:
            _, report = self.reports.pop(0)
            self.depth += 1
            held = self.world.at_each_step
            self.until_it_succeeds(report)
            self.world.at_each_step = held
            self.depth -= 1

    def no_unhealthy_flow_is_without_an_incident(self, report: Report, first: int) -> None:
        """Of the records since the execution began, one has the incident open, or a reason that holds it back."""
        versions = self.world.versions[first:]
        assert report["healthy"] or any(record["incident"] or excused(record, report) for record in versions), report

    def settle(self) -> None:
        """Two hours later, good checks come undisturbed, until nothing is pending."""
        last = max(datetime.fromisoformat(report["timestamp"]) for report in self.succeeded)
        eight = datetime.fromisoformat(check(0)["timestamp"])
        for number in range(8):
            self.world.later(120)
            seconds = (last - eight).total_seconds() + 7300 + 120 * number
            self.world.execute(check(seconds, sources=TWO), f"quiet-{number}")


@many
@given(checks, st.data())
def test_each_notification_is_sent_once_and_none_is_lost(
    given: list[tuple[str, int, int, int]], data: st.DataObject
) -> None:
    run = Run(given, data).play()
    run.settle()
    sent = run.world.sent
    event(f"crashes: {min(run.crashes, 3)}")
    event(f"kinds: {len({item['kind'] for item in sent})}")

    times = Counter(item["id"] for item in sent)
    assert sum(times.values()) - len(times) <= run.crashes, "a crash repeats at most one message"

    by_incident: dict[str, list[str]] = {}
    for item in {item["id"]: item for item in sent}.values():
        if "incident" in item:
            by_incident.setdefault(item["incident"], []).append(item["kind"])
    for kinds in by_incident.values():
        assert kinds[0] == "opened"
        assert kinds.count("opened") == 1
        assert kinds.count("recovered") == 1
        assert kinds[-1] == "recovered"
        assert set(kinds[1:-1]) <= {"escalated", "reminded"}

    decided = [[item["id"] for item in version["pending"]] for version in run.world.versions]
    assert {name for names in decided for name in names} == set(times), "whatever was decided was sent"
    assert all(len(set(names)) == len(names) for names in decided), "an id is of one message"

    record = run.world.record
    assert (record["pending"], record["claim"], record["to_keep"], record["incident"]) == ([], None, [], None)
    assert set(run.world.history) == set(by_incident)
    for opened, incident in run.world.history.items():
        ids = [note["id"] for note in incident["sent"]]
        assert ids == [f"live-stream/{opened}/{number}" for number in range(1, incident["number"] + 1)]
        assert set(ids) <= set(times)


@many
@given(checks)
def test_report_decided_again_adds_nothing(given: list[tuple[str, int, int, int]]) -> None:
    record = nothing_known()
    for _, report in delivered(given):
        record, _ = decide(record, report)
        again, added = decide(record, report)
        assert added == []
        assert again == record
