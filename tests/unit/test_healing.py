"""A record in which an older version stored a time in the future is right again with the next check."""

from datetime import UTC, datetime, timedelta

import pytest

from alert_handler.healing import healed
from alert_handler.incident import decide
from alert_handler.record import Record, nothing_known
from report import FUTURE_TOLERANCE, Report
from tests.unit.stream import check, report

NOW = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)


def bad(minute: float, year: int = 2026) -> Report:
    return report(timestamp=(NOW.replace(year=year) + timedelta(minutes=minute)).isoformat())


def good(minute: float) -> Report:
    return check(30 * 60 + minute * 60)


def taken(record: Record, *reports: Report) -> tuple[Record, list[str]]:
    """The record after some reports, each handled on time, and the kinds of the messages."""
    kinds: list[str] = []
    for one in reports:
        at = datetime.fromisoformat(one["timestamp"])
        record, added = decide(healed(record, checked=at, now=at), one)
        kinds += [message["kind"] for message in added]
    return record, kinds


def poisoned(*reports: Report) -> Record:
    """The record that an older version kept, which took every time for true."""
    record = nothing_known()
    for one in reports:
        record, _ = decide(record, one)
    return record


def test_close_in_the_future_silences_nothing() -> None:
    record = nothing_known()
    record["closed"] = "2099-01-01T00:00:00+00:00"
    assert decide(record, bad(0))[1] == [], "that is what it did"
    assert taken(record, bad(0))[1] == ["opened"]


def test_incident_of_the_future_reminds_and_ends() -> None:
    record = poisoned(bad(0, year=2099))
    _, kinds = taken(record, bad(1), bad(60), *(good(minute) for minute in range(70, 80)))
    assert kinds == ["reminded", "recovered"]


def test_healed_record_stays_consistent() -> None:
    record = healed(poisoned(bad(0, year=2099)), checked=NOW, now=NOW)
    assert record["incident"]
    assert record["pending"][0]["incident"] == record["incident"]["opened"] < NOW.isoformat()


def test_maintenance_of_the_future_is_over_and_of_now_stays() -> None:
    begun = good(0)
    begun["maintenance"] = "INPROGRESS"
    ahead = good(16 * 60)
    ahead["maintenance"] = "INPROGRESS"
    record = poisoned(ahead)
    healthy = healed(record, checked=NOW, now=NOW)["maintenance"]
    assert healthy
    assert healthy["until"] < NOW.isoformat()
    now = poisoned(begun)
    assert healed(now, checked=NOW, now=NOW) == now
    assert now["maintenance"]
    assert now["maintenance"]["until"] > (NOW + FUTURE_TOLERANCE).isoformat()


@pytest.mark.parametrize("late", [0, 3600])
def test_record_of_the_past_is_left_as_it_is(late: int) -> None:
    record = poisoned(bad(0), bad(10), good(12))
    checked = NOW - timedelta(seconds=late)
    assert healed(record, checked=checked, now=NOW + timedelta(minutes=13)) == record
