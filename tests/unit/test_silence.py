"""Silence becomes an incident with a second piece of evidence or after minutes, and late metrics one notification."""

from typing import Any

import pytest

from alert_handler import lateness, outbox
from alert_handler.handling import handle
from alert_handler.incident import decide
from alert_handler.message import compose
from alert_handler.record import Incident, Notification, Record, nothing_known
from report import Report
from tests.properties.memory import World
from tests.unit.stream import check, issue

LOST = issue(evidence="no data", value=None)


def at(minutes: float) -> str:
    return check(minutes * 60)["timestamp"]


def good(minutes: float, **changes: Any) -> Report:
    return check(minutes * 60, **{"as_of": at(minutes), "source_metadata": "present", **changes})


def silent(minutes: float, metadata: str | None = None, **changes: Any) -> Report:
    """A check that has seen nothing since minute 0."""
    facts = {"issue": LOST, "since": at(0), "source_error": False, "others_arrive": False} | changes
    known = {"source_metadata": metadata} if metadata else {}
    report = check(minutes * 60, as_of=facts.get("since", ""), silence=facts, **known)
    report["healthy"] = False
    return report


def notified(*reports: Report) -> list[tuple[str, str]]:
    record = nothing_known()
    added: list[tuple[str, str]] = []
    for report in reports:
        record, new = decide(record, report)
        added += [(item["kind"], item["severity"]) for item in new]
    return added


OPENED = [("opened", "CRITICAL")]


@pytest.mark.parametrize(
    ("minutes", "metadata", "facts"),
    [
        (2, "present", {"source_error": True}),
        (4, "absent", {}),
        (5, "present", {"others_arrive": True}),
        (15, None, {}),
        (60, "present", {}),
    ],
)
def test_silence_opens_after_the_minutes_of_its_evidence(
    minutes: int, metadata: str | None, facts: dict[str, bool]
) -> None:
    assert notified(good(0), silent(minutes - 0.02, metadata, **facts)) == []
    assert notified(good(0), silent(minutes, metadata, **facts)) == OPENED


@pytest.mark.parametrize("metadata", ["absent", None])
def test_one_answer_without_streams_is_no_evidence(metadata: str | None) -> None:
    """In a CloudWatch outage of an hour, one call may fail, or be answered while the metadata changes."""
    outage = [silent(minute, metadata if minute == 30 else "present") for minute in range(3, 59)]
    assert notified(good(0), *outage) == []


def test_streams_that_stay_unlisted_in_an_outage_are_evidence() -> None:
    outage = [*(silent(minute, "present") for minute in range(3, 21)), silent(21, "absent"), silent(23.9, "absent")]
    assert notified(good(0), *outage) == []
    record = nothing_known()
    for report in (good(0), *outage, silent(24, "absent")):
        record, added = decide(record, report)
    assert added[0]["severity"] == "CRITICAL"
    assert added[0]["began"] == at(20)
    assert added[0]["issues"][0]["note"].startswith("No data since 20:00 UTC. MediaConnect no longer lists")


def test_metadata_that_never_listed_a_stream_is_no_evidence() -> None:
    assert notified(good(0, source_metadata="absent"), silent(14, "absent")) == []
    assert notified(good(0, source_metadata="absent"), silent(15, "absent")) == OPENED


def test_silence_counts_from_the_start_of_the_flow() -> None:
    off = [check(-600, flow_status="STANDBY", as_of=at(-10)), check(0, as_of="", flow_status="ACTIVE")]
    assert notified(*off, silent(14.9, since=at(-30)))[1:] == []
    assert notified(*off, silent(15, since=at(-30)))[1:] == OPENED


def test_silence_of_unknown_start_counts_from_the_first_silent_check() -> None:
    facts = {"since": ""}
    first = silent(0, **facts)
    del first["silence"]["since"]
    later = silent(15, **facts)
    del later["silence"]["since"]
    assert notified(first) == []
    assert notified(first, later) == OPENED


def test_silence_shortly_after_the_start_waits_for_the_settling_time() -> None:
    started = [check(-60, flow_status="STANDBY"), good(-0.5)]
    incident_policy = {
        "settling_minutes": 10,
        "reminder_minutes": 30,
        "recovery_checks": 2,
        "incident_history_days": 90,
    }
    reports = [{**silent(minute, "absent"), "incident_policy": incident_policy} for minute in (5, 9, 10)]
    assert notified(*started, *reports[:2])[1:] == []  # type: ignore[arg-type]
    assert notified(*started, *reports)[1:] == OPENED  # type: ignore[arg-type]


def test_stale_data_neither_opens_nor_closes() -> None:
    """An incident ends as of data, a minute apart, whatever the checks' own times."""
    lost = check(0, issue(at=at(0)), as_of=at(0))
    stale = [good(minute, as_of=at(0)) for minute in (1, 2, 3)]
    assert notified(lost, *stale) == OPENED
    assert notified(lost, *stale, good(4, as_of=at(1)), good(5, as_of=at(1))) == OPENED
    assert notified(lost, *stale, good(4, as_of=at(1)), good(5, as_of=at(2)))[1:] == [("recovered", "CRITICAL")]


def test_event_holds_until_data_from_after_it_has_arrived() -> None:
    evidence = [{"about": "source", "part": "", "bad": True, "holds_seconds": 120}]
    event = check(0, issue(evidence="event", value=None), event_evidence=evidence, as_of=at(-3))
    early = [good(minute, as_of=at(minute - 4)) for minute in (4, 5)]
    assert notified(event, *early) == OPENED
    after = [good(minute, as_of=at(minute - 4)) for minute in (6, 7)]
    assert notified(event, *early, *after)[1:] == [("recovered", "CRITICAL")]


def test_data_from_before_start_or_close_opens_nothing() -> None:
    stopped = [check(-120, flow_status="STANDBY"), check(0)]
    assert notified(*stopped, check(60, issue(at=at(0)), as_of=at(0)))[1:] == []
    assert notified(*stopped, check(60, issue(at=at(0.5)), as_of=at(1)))[1:] == OPENED
    closed = [check(0, issue(at=at(0)), as_of=at(0)), good(2, as_of=at(1)), good(3, as_of=at(2))]
    assert len(notified(*closed, check(240, issue(at=at(2)), as_of=at(3)))) == 2
    assert len(notified(*closed, check(240, issue(at=at(3)), as_of=at(3)))) == 3


def test_incident_began_when_its_datapoints_did() -> None:
    record, _ = decide(nothing_known(), check(240, issue(since=at(0), at=at(1)), as_of=at(1)))
    record, _ = decide(record, good(6, as_of=at(3)))
    _, (recovered,) = decide(record, good(7, as_of=at(4)))
    assert (recovered["began"], recovered["ended"]) == (at(0), at(3))


class Store(World):
    """A table with a record for each name."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, tuple[Record, int]] = {}

    def load(self, name: str) -> tuple[Record, int]:
        return self.records.get(name, (nothing_known(), 0))

    def save(self, name: str, record: Record, *, over: int) -> bool:
        self.records[name] = record, over + 1
        return True

    def keep(self, _flow: str, incident: Incident, *, days: int) -> None:
        """History is not asked for."""

    def check(self, name: str, report: Report) -> list[str]:
        """The kinds that a check of a flow sends."""
        before = len(self.sent)
        handle({**report, "flow_name": name}, execution=f"{name}{report['timestamp']}", store=self, send=self.publish,
               clock=lambda: self.clock)  # fmt: skip
        return [item["kind"] for item in self.sent[before:]]


def test_late_metrics_are_one_notification_of_the_environment() -> None:
    store = Store()
    flows = [f"flow-{number}" for number in range(30)]
    assert [store.check(name, silent(4.9, "present")) for name in flows] == [[]] * 30
    assert [store.check(name, silent(5, "present")) for name in flows] == [["metrics-late"], *[[]] * 29]
    assert [store.check(name, silent(9, "present")) for name in flows] == [[]] * 30
    assert [store.check(name, good(11)) for name in flows].count(["metrics-recovered"]) == 1
    assert [item["kind"] for item in store.sent] == ["metrics-late", "metrics-recovered"]
    assert store.sent[0]["check"]["flow_name"] == "*"


def test_flow_without_data_since_its_start_or_lost_is_not_late() -> None:
    store = Store()
    store.check("a", check(-600, flow_status="STANDBY"))
    store.check("a", check(60))
    assert store.check("a", silent(8)) == []
    store.check("b", good(0))
    assert store.check("b", silent(5, "absent")) == ["opened"]


def test_flow_started_in_lateness_is_late_once_a_stream_is_listed() -> None:
    store = Store()
    assert store.check("a", silent(5, "present")) == ["metrics-late"]
    assert store.check("a", check(10 * 60, flow_status="STANDBY")) == ["metrics-recovered", "flow-stopped"]
    assert store.check("a", check(12 * 60, as_of=at(0))) == ["flow-started"]
    assert [store.check("a", silent(minute, "absent")) for minute in (14, 14.9)] == [[], []]
    assert store.check("a", silent(16.9, "present")) == []
    assert store.check("a", silent(17, "present")) == ["metrics-late"]
    assert store.sent[-1]["began"] == at(12)
    words = [compose(message).body.splitlines()[0] for message in store.sent if message["kind"].startswith("metrics")]
    assert words[1] == "The last flow with late metrics is off air, after 10 min."


def test_flow_concluded_lost_stays_late_until_data_arrives() -> None:
    store = Store()
    assert store.check("a", silent(5)) == ["metrics-late"]
    assert store.check("a", silent(15)) == ["opened"]
    assert store.check("a", silent(20)) == []
    assert store.check("a", good(21)) == ["metrics-recovered"]


def test_late_event_is_no_evidence_on_present_metrics() -> None:
    """Its report has no silence, because it is evaluated as of a time before the metrics were late."""
    store = Store()
    assert store.check("a", silent(6)) == ["metrics-late"]
    assert store.check("a", check(-60, started=at(7), as_of=at(-2))) == []
    assert store.check("a", silent(8)) == []
    assert store.check("a", good(9)) == ["metrics-recovered"]


def test_flow_notifies_though_the_self_monitoring_topic_refuses() -> None:
    store = Store()
    publish = store.publish

    def refuse(notification: Notification) -> None:
        if notification["check"]["flow_name"] == "*":
            raise ConnectionRefusedError
        publish(notification)

    store.publish = refuse  # type: ignore[method-assign]
    event = {**silent(6), "issues": [issue(evidence="event", value=None)]}
    for _ in range(2):  # as the state machine does
        with pytest.raises(ConnectionRefusedError):
            store.check("a", event)  # type: ignore[arg-type]
    assert [item["kind"] for item in store.sent] == ["opened"]
    store.publish = publish  # type: ignore[method-assign]
    store.clock += outbox.CLAIM_LASTS
    assert store.check("a", silent(7)) == ["metrics-late"]


@pytest.mark.parametrize(
    "earlier",
    [
        check(240, as_of=at(-1), started=at(7)),
        check(-1800, as_of=at(-31), started=at(7)),
        check(240, as_of="", started=at(7)),
        check(60, as_of=at(0)),
    ],
    ids=["late event", "check as of earlier", "nothing known", "out of order"],
)
def test_check_as_of_an_earlier_time_does_not_end_lateness(earlier: Report) -> None:
    store = Store()
    kinds = [store.check("a", report) for report in (good(0), silent(6), earlier, silent(8), good(12))]
    assert kinds == [[], ["metrics-late"], [], [], ["metrics-recovered"]]
    assert (store.sent[-1]["began"], store.sent[-1]["ended"]) == (at(0), at(12))


def test_each_notification_of_late_metrics_has_an_id_of_its_own() -> None:
    """A silent check that is overtaken by a good one makes metrics late again, since the same datapoint."""
    store = Store()
    for report in (silent(6), good(8), silent(7), good(9)):
        store.check("a", report)
    ids = [message["id"] for message in store.sent]
    assert len(set(ids)) == len(ids) == 4


def test_environment_record_handles_the_same_report_twice_the_same() -> None:
    record = lateness.decide(nothing_known(), silent(6), at(0))
    again = lateness.decide(record, silent(6), at(0))
    assert again == record
    (notification,) = record["pending"]
    kinds: list[Notification] = lateness.decide(again, good(9), "")["pending"]
    assert [item["kind"] for item in kinds] == ["metrics-late", "metrics-recovered"]
    assert notification["detail"] == "live-stream"


def test_flow_that_was_removed_while_late_is_forgotten_after_a_day() -> None:
    record = lateness.decide(nothing_known(), {**silent(6), "flow_name": "gone"}, at(0))
    record = lateness.decide(record, {**silent(7), "flow_name": "a"}, at(0))
    assert lateness.decide(record, {**good(60), "flow_name": "a"}, "")["late_flows"] == {"gone": at(0)}
    assert lateness.decide(record, {**good(24 * 60), "flow_name": "a"}, "")["late_flows"] == {}
