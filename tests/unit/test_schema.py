"""What older and newer releases stored or sent: it loads, reminds and closes, and nothing of it stops a flow.

The files in `golden/` hold what releases of each schema wrote: records with an incident that is open, whose message
is not sent yet, or that is about to close, one in maintenance, a report and a policy.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from alert_handler import outbox
from alert_handler.handler import read_report
from alert_handler.incident import decide
from alert_handler.message import compose
from alert_handler.migration import load_record
from alert_handler.record import nothing_known
from report import SCHEMA, Policy
from schema import load_policy
from tests.properties.memory import World
from tests.unit.stream import EXECUTION, SOURCE_ARNS, check, issue, policy
from tools.operations.close import closed

GOLDEN = Path(__file__).parent / "golden"
RETIRED = {"patience", "look", "told", "heard", "said", "words", "noticed"}
EVIDENCE = [{"about": "source", "part": SOURCE_ARNS[0], "bad": True, "holds_seconds": 180}]
GONE = issue(evidence="event", value=None, threshold=None)
NEWER: dict[str, Any] = {"schema": SCHEMA + 1}

files = pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)


def stored(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def world_of(record: Any) -> World:
    """A table that holds a record as another release stored it."""
    world = World()
    world.record, world.version = load_record(record), 1
    return world


def keys_of(value: Any) -> Iterator[str]:
    """The path of each key in nested objects."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from (f"{key}.{below}" for below in keys_of(item))
    elif isinstance(value, list):
        for item in value:
            yield from keys_of(item)


def written_now() -> dict[str, Any]:
    """What the golden files hold, as this release writes it."""

    def record(*reports: Any) -> Any:
        found = nothing_known()
        for report in reports:
            found, _ = decide(found, report)
        return found

    event = check(60, GONE, event_evidence=EVIDENCE, trigger={"kind": "event", "name": "MediaConnect Source Health"})
    unsent = outbox.claimed(record(check(0), event), EXECUTION, datetime(2026, 11, 23, 20, 1, tzinfo=UTC))
    held = issue(at="2026-11-23T20:01:30+00:00")
    return {
        "open": outbox.without(unsent, unsent["pending"][0]),
        "unsent": unsent,
        "maintenance": record(check(0), check(60, maintenance="INPROGRESS"), check(120, held)),
        "closing": record(check(0), event, check(600), check(720)),
        "report": event,
        "policy": policy(),
    }


def test_schema_number_changes_with_the_stored_keys() -> None:
    """If this fails: raise `SCHEMA`, migrate the schema before, and add a golden file of what is written now."""
    golden = stored(GOLDEN / f"v{SCHEMA}.json")
    now = json.loads(json.dumps(written_now()))
    assert {name: sorted(set(keys_of(item))) for name, item in now.items()} == {
        name: sorted(set(keys_of(item))) for name, item in golden.items()
    }


@files
def test_stored_data_loads_in_the_present_schema(path: Path) -> None:
    golden = stored(path)
    loaded = [load_record(golden[name]) for name in ("open", "unsent", "maintenance", "closing")]
    everything: list[Any] = [*loaded, load_policy(golden["policy"]), read_report({"report": golden["report"]})]
    for found in everything:
        assert found["schema"] == SCHEMA
        assert not {key.rpartition(".")[2] for key in keys_of(found)} & RETIRED
    assert load_policy(golden["policy"]).keys() >= Policy.__required_keys__


@files
def test_open_incident_reminds_and_recovers_once(path: Path) -> None:
    world = world_of(stored(path)["open"])
    for minute in (32, 40, 42, 44, 46):
        world.execute(check(minute * 60, *([GONE] if minute == 32 else [])), f"check-{minute}")
    assert [item["kind"] for item in world.sent] == ["reminded", "recovered"]
    assert all(compose(item).subject for item in world.sent)
    assert [incident["closed"][11:16] for incident in world.history.values()] == ["20:42"]
    assert [item["kind"] for item in next(iter(world.history.values()))["sent"]] == ["opened", "reminded", "recovered"]


@files
def test_event_evidence_of_an_older_record_still_holds(path: Path) -> None:
    record = load_record(stored(path)["open"])
    late_good, _ = decide(record, check(120, as_of="2026-11-23T20:02:00+00:00"))
    assert late_good["incident"]
    assert late_good["incident"]["good"] == 0, "the event's three minutes are not over"


@files
def test_unsent_notification_is_sent_once(path: Path) -> None:
    world = world_of(stored(path)["unsent"])
    world.execute(check(120, GONE), "next")
    world.execute(check(180, GONE), "after")
    assert [item["kind"] for item in world.sent] == ["opened"]
    assert "The source is gone" in compose(world.sent[0]).body


@files
def test_closed_incident_goes_into_history_after_its_notification(path: Path) -> None:
    world = world_of(stored(path)["closing"])
    world.execute(check(900), "next")
    assert [item["kind"] for item in world.sent] == ["opened", "recovered"]
    assert len(world.history) == 1


@files
def test_maintenance_window_ends_with_what_it_held_back(path: Path) -> None:
    world = world_of(stored(path)["maintenance"])
    world.execute(check(180, maintenance="FINISHED"), "next")
    assert [item.get("detail") for item in world.sent] == ["INPROGRESS", "FINISHED"]
    assert all(compose(item).subject for item in world.sent)


@files
def test_open_incident_is_closed_by_hand(path: Path) -> None:
    record = load_record(stored(path)["open"])
    by_hand: Any = {**check(600), "trigger": {"kind": "person", "name": "jo"}}
    after = closed(record, by_hand, "encoder moved")
    assert after["incident"] is None
    assert compose(after["pending"][0]).subject.endswith("Closed by hand: encoder moved")


@files
def test_report_of_another_release_opens_an_incident(path: Path) -> None:
    """A deployment between the two states of one execution."""
    record, added = decide(nothing_known(), read_report({"report": stored(path)["report"]}))
    assert [item["kind"] for item in added] == ["opened"]
    assert record["incident"]
    assert record["incident"]["event_evidence"]


def test_newer_record_keeps_what_is_understood() -> None:
    golden = stored(GOLDEN / f"v{SCHEMA}.json")["unsent"]
    found = load_record({**golden, **NEWER, "new_key": {"a": 1}})
    assert found == golden


@pytest.mark.parametrize(
    "changes",
    [
        {"incident": {"opened": "2026-11-23T20:01:00+00:00", "state": "open"}},
        {"incident": "incident-1"},
        {"pending": [{"id": "x", "kind": "something-new"}], "claim": 5},
        {"pending": "none", "to_keep": [{"opened": 1}], "maintenance": {}, "closed": None, "since": 5},
        {"late_flows": ["a"], "unsettled": [], "described": "yes"},
    ],
)
def test_newer_record_stops_no_flow(changes: dict[str, Any]) -> None:
    """An incident that cannot be read is opened again: notified twice rather than not at all."""
    golden = stored(GOLDEN / f"v{SCHEMA}.json")["open"]
    world = world_of({**golden, **NEWER, **changes})
    known = world.record["incident"] is not None
    world.execute(check(120, GONE), "check")
    assert [item["kind"] for item in world.sent] == ([] if known else ["opened"])
    assert world.record["incident"]
    assert world.record["schema"] == SCHEMA


@pytest.mark.parametrize("part", ["issues", "check"])
def test_newer_notification_that_cannot_be_worded_is_dropped(part: str) -> None:
    golden = stored(GOLDEN / f"v{SCHEMA}.json")["unsent"]
    pending = [{**golden["pending"][0], part: [{"of": "a newer shape"}]}]
    world = world_of({**golden, **NEWER, "pending": pending})
    world.execute(check(120, GONE), "check")
    assert world.sent == []


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("unsent", {"began": None}),
        ("unsent", {"issues": []}),
        ("maintenance", {"detail": None}),
        ("maintenance", {"ended": "in the evening"}),
    ],
)
def test_newer_notification_that_lacks_what_its_kind_needs_is_dropped(name: str, changes: dict[str, Any]) -> None:
    golden = stored(GOLDEN / f"v{SCHEMA}.json")[name]
    changed = {key: value for key, value in {**golden["pending"][0], **changes}.items() if value is not None}
    assert load_record({**golden, **NEWER, "pending": [changed]})["pending"] == []
    assert load_record({**golden, **NEWER})["pending"] == golden["pending"]


@pytest.mark.parametrize("number", [0, -1, False, None, "2"])
def test_unknown_schema_number_counts_as_newer(number: Any) -> None:
    golden = stored(GOLDEN / "v1_last.json")["unsent"]
    found = load_record({**golden, "schema": number})
    assert (found["schema"], found["incident"]) == (SCHEMA, None)
