"""Scenario files: what they mean, and how wrong ones are refused with what is allowed."""

import re
from pathlib import Path

import pytest

from settings import Environment
from tests.unit.environments import GOOD, load
from tools.rehearsal.assignment import Assignment, at_home, fitting
from tools.rehearsal.reading import LIBRARY, line_of, load_scenario, load_scenarios, shipped
from tools.rehearsal.scenario import Expectation, Scenario, ScenarioError
from tools.rehearsal.timeline import Notification, Result, missed

MINIMAL = """
title = "Encoder dies"
flow = "live"
start = 2026-11-23T20:00:00Z
[[phase]]
minute = 0
[[phase]]
minute = 5
metrics = { SourceJitter = 80 }
[[expect]]
kind = "opened"
by = 7.5
"""
EVENT = """
[[event]]
minute = 1
detail-type = "MediaConnect Alert"
detail = {}
"""
FAULT = """
[[fault]]
from = 1
until = 2
target = "sns"
error = "throttled"
"""


def read(tmp_path: Path, text: str) -> Scenario:
    path = tmp_path / "scenario.toml"
    path.write_text(text)
    return load_scenario(path)


def message(**changes: object) -> Notification:
    fields = {"minute": 3.0, "kind": "opened", "severity": "HIGH", "subject": "s", "text": "t", "recipients": ("a",)}
    return Notification(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return load(tmp_path, GOOD)


KNOWN_ARRIVALS = [3.42, 4.365, 4.759]


@pytest.mark.parametrize("name", shipped())
def test_shipped_scenario_is_valid_and_has_a_header(name: str) -> None:
    path = LIBRARY / f"{name}.toml"
    assert load_scenario(path).minutes > 0
    header = path.read_text().partition("title")[0]
    assert header.startswith("# Guards: ")
    assert "# Seen to fail when " in header


def test_scenario_lasts_until_the_last_expectation(tmp_path: Path) -> None:
    assert read(tmp_path, MINIMAL).minutes == 8
    assert read(tmp_path, MINIMAL + FAULT.replace("until = 2", "until = 12.5")).minutes == 13


@pytest.mark.parametrize(("minute", "jitter"), [(0, None), (4, None), (5, (80.0,)), (7, (80.0,))])
def test_phase_lasts_until_the_next(tmp_path: Path, minute: int, jitter: tuple[float, ...] | None) -> None:
    assert read(tmp_path, MINIMAL).values_at(minute).get("SourceJitter") == jitter


def test_ramp_spans_its_phase(tmp_path: Path) -> None:
    ramp = MINIMAL.replace("SourceJitter = 80", "SourceJitter = { from = 10, to = 30 }")
    scenario = read(tmp_path, ramp)
    assert [scenario.values_at(minute)["SourceJitter"] for minute in (5, 6, 7)] == [(10,), (20,), (30,)]


def test_list_has_a_value_or_ramp_for_each_source(tmp_path: Path) -> None:
    lists = MINIMAL.replace("SourceJitter = 80", "SourceConnected = [1, { from = 1, to = 0 }]")
    scenario = read(tmp_path, lists)
    assert [scenario.values_at(minute)["SourceConnected"] for minute in (5, 7)] == [(1, 1), (1, 0)]
    assert scenario.sources == 2


def test_events_repeat_until_their_end_in_order_of_time(tmp_path: Path) -> None:
    again = EVENT.replace("minute = 1", "minute = 1.5\nevery = 0.25\nuntil = 2.3")
    scenario = read(tmp_path, MINIMAL + again + EVENT.replace("minute = 1", "minute = 1.6"))
    assert [moment for moment, _ in scenario.events_in(1)] == [1.5, 1.6, 1.75]
    assert [moment for moment, _ in scenario.events_in(2)] == [2.0, 2.25]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'kind = "opened"',
            'kind = "alarm"',
            r":11: expect #1.kind is \"alarm\": use 'opened', 'escalated'.*or 'none'",
        ),
        ("minute = 5", "minute = -1", r":8: phase #2.minute is -1: should be greater than or equal to 0"),
        ("minute = 0", "minute = 1", r":5: phase: the first phase must start at minute 0, not 1"),
        ("minute = 5", "minute = 0", r":5: phase: each phase must start later than the one before; .*\[0, 0\]"),
        (
            "by = 7.5",
            "by = 7.5\nbefore = 3",
            r":13: expect #1.before is not a key of a scenario\. .*by, count, from, kind",
        ),
        ("by = 7.5", "by = 7.5\nuntil = 8", r":10: expect #1: by and until mean the same"),
        ("by = 7.5", "from = 9\nby = 8", r":10: expect #1: ends at minute 8, before its start at minute 9"),
        ('kind = "opened"', 'kind = "none"\ncount = 1', r':10: expect #1: kind "none" allows no message at all'),
        (
            "start = 2026-11-23T20:00:00Z",
            "start = 2026-11-23T20:00:00",
            r":4: start is .*: needs an offset, such as 2026",
        ),
        ('title = "Encoder dies"', "", r":\d+: title is required"),
        ('title = "Encoder dies"', 'title = "Encoder', "is not TOML"),
        ("SourceJitter = 80", "SourceBitrate = 1", r":9: phase #2.metrics.SourceBitrate: .*Did you mean SourceBitRate"),
        ("SourceJitter = 80", 'SourceJitter = "80"', r":9: phase #2.metrics.SourceJitter is \"80\": use a number"),
        ("SourceJitter = 80", "SourceJitter = { from = 5 }", r":9: phase #2.metrics.SourceJitter: use a number"),
        ("SourceJitter = 80", "SourceJitter = true", r":9: phase #2.metrics.SourceJitter is true: use a number"),
        ("[[expect]]", "[[expectation]]", r"expectation is not a key of a scenario\. Did you mean expect"),
        ("[[expect]]", EVENT + "every = 2\n[[expect]]", r"event #1: a repeating event needs both every and until"),
        ("[[expect]]", FAULT.replace("sns", "sqs2") + "[[expect]]", r"fault #1.target is .*'stream_monitor'"),
        ("[[expect]]", FAULT.replace("throttled", "lost") + "[[expect]]", r"fault #1: sns .*not lost; eventbridge"),
        ("[[expect]]", FAULT.replace("sns", "schedule") + "[[expect]]", r"fault #1: schedule can only be lost, not"),
        (
            "[[expect]]",
            FAULT.replace("sns", "metrics") + "[[expect]]",
            r"fault #1: metrics can only be late, not throt",
        ),
        ("[[expect]]", FAULT.replace("throttled", "late") + "[[expect]]", r"fault #1: .*; metrics can be late"),
        ("minute = 5", 'minute = 5\nsource_metadata = "dead"', r":9: .*is \"dead\": use 'present', 'absent' or 'unav"),
        (
            "[[phase]]\nminute = 0",
            "lateness = -1\n[[phase]]\nminute = 0",
            r":5: lateness is -1: .*greater than or equal",
        ),
        ("[[phase]]\nminute = 0", "lateness = 3601\n[[phase]]\nminute = 0", r":5: lateness is 3601: .* equal to 3600"),
        ("[[phase]]\nminute = 0", "lateness = nan\n[[phase]]\nminute = 0", r":5: lateness is nan: should be "),
        (
            "[[phase]]\nminute = 0",
            "lateness = true\n[[phase]]\nminute = 0",
            r":5: lateness is true: use seconds from 0 to",
        ),
        (
            "[[phase]]\nminute = 0",
            "lateness = [60]\n[[phase]]\nminute = 0",
            r":5: lateness: use seconds from 0 to 3600",
        ),
        (
            "[[phase]]\nminute = 0",
            "lateness = { min = 60, max = 30, seed = 1 }\n[[phase]]\nminute = 0",
            r":5: lateness: max is 30, which is less than min, 60",
        ),
        (
            "[[phase]]\nminute = 0",
            "lateness = { min = 60, max = 90, sed = 1 }\n[[phase]]\nminute = 0",
            r":5: lateness.sed is not a key of a scenario\. Did you mean seed\? Allowed here: max, min, seed",
        ),
        ("[[expect]]", FAULT.replace("from = 1", "from = 3") + "[[expect]]", r"fault #1: ends at minute 2"),
    ],
)
def test_wrong_file_is_refused_with_line_key_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    with pytest.raises(ScenarioError, match=words):
        read(tmp_path, MINIMAL.replace(old, new))


def test_all_errors_are_reported_in_the_order_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(MINIMAL.replace("by = 7.5", "bye = 7.5").replace("minute = 5", "minute = -5"))
    (tmp_path / "b.toml").write_text(MINIMAL.replace('"opened"', '"closed"'))
    with pytest.raises(ScenarioError) as refused:
        load_scenarios([str(tmp_path / "a.toml"), str(tmp_path / "b.toml")])
    places = [line.partition(" ")[0].rpartition("/")[2] for line in str(refused.value).splitlines()]
    assert places == ["a.toml:8:", "a.toml:12:", "b.toml:11:"]


def test_all_errors_of_a_lateness_are_reported(tmp_path: Path) -> None:
    wrong = 'lateness = { min = "1", max = 4000, seed = 0.5 }\n[[phase]]\nminute = 0'
    with pytest.raises(ScenarioError) as refused:
        read(tmp_path, MINIMAL.replace("[[phase]]\nminute = 0", wrong))
    keys = [line.split(": ")[1].partition(" ")[0] for line in str(refused.value).splitlines()]
    assert keys == ["lateness.min", "lateness.max", "lateness.seed"]


def arrivals(scenario: Scenario, series: str = "SourceBitRate FlowARN live", period: int = 60) -> list[float]:
    """When the datapoints of the first minutes arrive, in minutes."""
    found = [scenario.arrival(series, minute, period) for minute in range(8)]
    return [(moment - scenario.start).total_seconds() / 60 for moment in found]


def with_lateness(tmp_path: Path, lateness: str, more: str = "") -> Scenario:
    return read(tmp_path, f"lateness = {lateness}\n{MINIMAL}{more}")


def test_datapoint_arrives_after_its_period_and_lateness(tmp_path: Path) -> None:
    assert arrivals(read(tmp_path, MINIMAL)) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert arrivals(with_lateness(tmp_path, "90")) == [2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5]
    assert arrivals(with_lateness(tmp_path, "0.5"), period=30)[:2] == [
        pytest.approx(30.5 / 60),
        pytest.approx(90.5 / 60),
    ]


def test_random_lateness_differs_by_minute_series_and_seed(tmp_path: Path) -> None:
    def late_by(seed: int, series: str = "a") -> list[float]:
        scenario = with_lateness(tmp_path, f"{{ min = 60, max = 180, seed = {seed} }}")
        return [moment - 1 - minute for minute, moment in enumerate(arrivals(scenario, series))]

    assert all(1 <= late <= 3 for late in late_by(7))
    assert len(set(late_by(7))) == 8
    assert late_by(7) == late_by(7)
    assert late_by(7) != late_by(7, "b") != late_by(8, "b")


def test_random_lateness_is_the_same_in_every_process(tmp_path: Path) -> None:
    scenario = with_lateness(tmp_path, "{ min = 60, max = 180, seed = 7 }")
    assert [round(moment, 3) for moment in arrivals(scenario)[:3]] == KNOWN_ARRIVALS


def test_late_metrics_arrive_together_when_the_fault_ends(tmp_path: Path) -> None:
    outage = (
        FAULT.replace("sns", "metrics")
        .replace("throttled", "late")
        .replace("from = 1\nuntil = 2", "from = 3\nuntil = 7")
    )
    assert arrivals(with_lateness(tmp_path, "30", outage)) == [1.5, 2.5, 7, 7, 7, 7, 7.5, 8.5]
    again = outage.replace("from = 3\nuntil = 7", "from = 6\nuntil = 7.25")
    assert arrivals(with_lateness(tmp_path, "30", again + outage)) == [1.5, 2.5, *[7.25] * 4, 7.5, 8.5]


@pytest.mark.parametrize(
    ("phase", "answer"),
    [
        ("metrics = {}", "absent"),
        ("metrics = { SourceBitRate = 0, SourceConnected = 0 }", "absent"),
        ("metrics = { SourceTotalPackets = 0 }", "absent"),
        ("metrics = { SourceBitRate = 0, SourceConnected = 1 }", "present"),
        ("metrics = { SourceConnected = [0, 1] }", "present"),
        ("metrics = { SourceJitter = 80 }", "present"),
        ("metrics = { SourceBitRate = { from = 8, to = 0 } }", "present"),
        ('metrics = {}\nsource_metadata = "present"', "present"),
        ('metrics = { SourceJitter = 80 }\nsource_metadata = "unavailable"', "unavailable"),
    ],
)
def test_source_metadata_follows_the_phase_or_its_metrics(tmp_path: Path, phase: str, answer: str) -> None:
    scenario = read(tmp_path, MINIMAL.replace("metrics = { SourceJitter = 80 }", phase))
    assert scenario.source_metadata_at(5) == answer
    assert scenario.source_metadata_at(0) == "absent"


def test_all_missing_keys_are_reported(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as refused:
        read(tmp_path, "[[phase]]\nminute = 0\n[[event]]\nminute = 1\n")
    for words in (
        ":1: title is required",
        "flow is",
        "start is",
        "expect is",
        ":3: event #1.detail is",
        "detail-type is",
    ):
        assert words in str(refused.value)


def test_line_of_finds_a_value_past_comments_strings_and_lists() -> None:
    text = 'a = """\n[[b]]\nc = 1\n"""\n# c = 2\n[[b]]\nd = [\n  1,\n]\n\nc = 3\n'
    assert line_of(text, ("b", 0, "c")) == 11
    assert line_of(text, ("b", 0, "d")) == 7


def test_missing_file_lists_the_shipped_scenarios(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="packet_loss"):
        load_scenario(tmp_path / "none.toml")


def test_scenario_is_assigned_to_its_own_flow(tmp_path: Path, environment: Environment) -> None:
    (assignment,) = at_home([read(tmp_path, MINIMAL)], {"dev": environment})
    assert (assignment.environment, assignment.flow.name) == ("dev", "live")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('flow = "other"', r'scenario.toml:3: no flow "other" in dev. Flows: live\.'),
        ('flow = "live"\nneeds = { on_air = "always" }', 'is on_air = "manual", not "always"'),
        ('flow = "live"\nneeds = { sources = 2 }', r"has 1 source\(s\), not 2"),
        ('flow = "live"\nneeds = { metrics = ["SourceConnected"] }', "emits no SourceConnected"),
    ],
)
def test_flow_that_lacks_what_is_needed_is_refused(
    tmp_path: Path, environment: Environment, change: str, words: str
) -> None:
    scenario = read(tmp_path, MINIMAL.replace('flow = "live"', change))
    with pytest.raises(ScenarioError, match=words):
        at_home([scenario], {"dev": environment})


def test_event_of_an_unknown_source_is_refused(tmp_path: Path, environment: Environment) -> None:
    scenario = read(tmp_path, MINIMAL + EVENT + 'source = "venue-a"\n')
    with pytest.raises(ScenarioError, match="has no source venue-a, only encoder"):
        at_home([scenario], {"dev": environment})


def test_fitting_assigns_what_fits_and_lists_the_rest(tmp_path: Path, environment: Environment) -> None:
    fits = read(tmp_path, MINIMAL.replace('flow = "live"', 'flow = "elsewhere"'))
    needs_two = read(tmp_path, MINIMAL.replace("SourceJitter = 80", "SourceConnected = [1, 1]"))
    assignments, left_out = fitting([fits, needs_two], environment)
    assert [assignment.flow.name for assignment in assignments] == ["live"]
    assert left_out == ["scenario: live has 1 source(s), not 2"]
    with pytest.raises(ScenarioError, match="No scenario fits a flow of dev"):
        fitting([needs_two], environment)


@pytest.mark.parametrize(
    ("wanted", "sent", "held"),
    [
        (Expectation(kind="opened", severity="MEDIUM", by=5), [message()], True),
        (Expectation(kind="opened", severity="CRITICAL", by=5), [message()], False),
        (Expectation(kind="opened", by=2), [message()], False),
        (Expectation(kind="blind", by=5), [message()], False),
        (Expectation(kind="opened", by=5), [message(recipients=())], False),
        (Expectation(kind="opened", by=5, count=1), [message(), message(minute=9.0)], False),
        (Expectation(kind="opened", by=5, count=2), [message(), message(minute=9.0)], True),
        (Expectation(kind="opened", by=5, count=1), [message(), message(kind="blind")], True),
        (Expectation(kind="opened", until=5, count=0), [message()], False),
        (Expectation(kind="opened", until=2, count=0), [message()], True),
        (Expectation(kind="opened", until=5, count=0), [message(kind="metrics-late")], True),
        (Expectation(kind="opened", severity="CRITICAL", count=0), [message()], True),
        (Expectation(kind="none", severity="MEDIUM", until=5), [message()], False),
        (Expectation(kind="none", severity="CRITICAL", until=5), [message()], True),
        (Expectation(kind="none", until=2), [message()], True),
        (Expectation(kind="none"), [message(minute=99.0)], False),
    ],
)
def test_expectation_needs_a_message_received_in_time(
    wanted: Expectation,
    sent: list[Notification],
    held: bool,  # noqa: FBT001
) -> None:
    assert (missed(wanted, sent) is None) is held


def test_missed_expectation_is_shown_with_what_was_seen(tmp_path: Path, environment: Environment) -> None:
    scenario = read(tmp_path, MINIMAL)
    result = Result(
        Assignment(scenario, "dev", environment.flows[0]),
        notifications=[message(minute=9.0), message(minute=5.0, recipients=())],
    )
    assert result.missed == [
        (
            "expected a message of kind opened, INFO or worse, between minute 0 and 7.5; "
            "seen minute 9: opened HIGH; minute 5: opened HIGH to nobody: no subscription lets it through"
        )
    ]


@pytest.mark.parametrize(
    ("target", "error", "words"),
    [
        ("key", "crash", "key can only be disabled, pending-deletion or statement-deleted, not crash"),
        ("topic_policy", "disabled", "topic_policy can only be statement-deleted or denied, not disabled"),
        ("sns", "disabled", "key can be disabled"),
    ],
)
def test_resource_takes_only_its_own_errors(tmp_path: Path, target: str, error: str, words: str) -> None:
    fault = FAULT.replace('"sns"', f'"{target}"').replace('"throttled"', f'"{error}"')
    with pytest.raises(ScenarioError, match=re.escape(words)):
        read(tmp_path, MINIMAL + fault)


def test_existing_key_cannot_be_broken(tmp_path: Path, environment: Environment) -> None:
    fault = FAULT.replace('"sns"', '"key"').replace('"throttled"', '"disabled"')
    scenario = read(tmp_path, MINIMAL + fault)
    assert at_home([scenario], {"dev": environment})
    given = environment.model_copy(update={"existing_key_arn": "arn:aws:kms:us-east-1:123456789012:key/1234"})
    with pytest.raises(ScenarioError, match="existing_key_arn"):
        at_home([scenario], {"dev": given})
