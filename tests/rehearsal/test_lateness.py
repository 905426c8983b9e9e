"""The lateness table: which scenario a cell plays, and when it misses its target."""

from pathlib import Path

import pytest

from components.health_rules import health_rules
from settings import Environment, load_environment
from tools.rehearsal.lateness import (
    CHECKS,
    LATENESS,
    PROTOCOLS,
    Cell,
    Conditions,
    conditions,
    missed,
    text,
    trials,
)
from tools.rehearsal.measurement import settings
from tools.rehearsal.metrics import emits
from tools.rehearsal.timeline import Notification

LATE = Conditions(lateness="180", checks=1, protocol="srt")


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return load_environment(settings(tmp_path)[1], root=tmp_path, environ={}, context={})


def message(minute: float, kind: str = "opened", severity: str = "CRITICAL") -> Notification:
    return Notification(minute=minute, kind=kind, severity=severity, subject="s", text="t", recipients=("a",))


def test_environments_differ_in_their_check_interval_only(tmp_path: Path) -> None:
    names = settings(tmp_path)
    loaded = [load_environment(name, root=tmp_path, environ={}, context={}) for name in names.values()]
    assert [one.check_every_minutes for one in loaded] == list(CHECKS)
    assert loaded[0].flows == loaded[1].flows


def test_conditions_combine_lateness_interval_and_protocol() -> None:
    found = conditions(list(LATENESS))
    assert len(set(found)) == len(found) == len(LATENESS) * len(CHECKS) * len(PROTOCOLS) == 60
    assert [Conditions(lateness=one, checks=1, protocol="rtp").latest for one in ("0", "90", "60..180 #2")] == [
        0,
        1.5,
        3,
    ]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_rule_of_a_protocol_has_a_trial(environment: Environment, protocol: str) -> None:
    rules = {
        rule.key
        for flow in environment.flows
        if flow.name.startswith(protocol)
        for rule in health_rules(flow, environment.thresholds_of(flow))
    }
    assert rules <= {trial.name for trial in trials(environment, protocol)}


BREACHES = {
    "IncreasesByMoreThan": lambda value, threshold: value > threshold,  # from zero
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
OF_MANY = {"Minimum": min, "Maximum": max, "Average": lambda many: sum(many) / len(many), "Sum": sum}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_trial_breaches_its_rule_and_no_worse_one(environment: Environment, protocol: str) -> None:
    for trial in trials(environment, protocol):
        scenario = trial.scenario(LATE)
        rules = health_rules(trial.flow, environment.thresholds_of(trial.flow))
        before, after = scenario.values_at(0), scenario.values_at(scenario.minutes - 1)

        def breached(values: dict[str, tuple[float, ...]]) -> dict[str, str]:
            return {
                rule.key: rule.severity
                for rule in rules  # noqa: B023  called at once
                if emits(trial.flow, rule.metric) and rule.metric in values  # noqa: B023
                if BREACHES[rule.comparison](OF_MANY[rule.statistic](values[rule.metric]), rule.threshold)  # type: ignore[operator]
            }

        assert breached(before) == {}, trial.name
        if trial.name in {rule.key for rule in rules}:
            assert breached(after)[trial.name] == trial.severity
            order = ["CRITICAL", "HIGH", "MEDIUM"]
            assert min(breached(after).values(), key=order.index) == trial.severity, trial.name


@pytest.mark.parametrize(
    ("trial", "sent", "shown"),
    [
        ("healthy hour", [], "0"),
        ("healthy hour", [message(30, "metrics-late", "MEDIUM")], "!1"),
        ("zeros, event", [message(6 + 1 / 60)], "0 s"),
        ("zeros, event", [message(6 + 7 / 60)], "!6 s"),
        ("zeros, event", [], "!never"),
        ("silence, event", [message(3), message(6 + 1 / 60)], "!early"),
        ("silence, alert", [message(6 + 1 / 60, severity="HIGH")], "!never"),
        ("zeros", [message(11)], "2 min"),
        ("zeros", [message(11, severity="HIGH"), message(12)], "!3 min"),
        ("silence", [message(13, "escalated")], "4 min"),
        ("silence", [message(14)], "!5 min"),
        ("silence, present", [], "never"),
        ("zeros, unavailable", [message(30)], "21 min"),
        (
            "metrics outage",
            [message(12, "metrics-late"), message(17, "metrics-recovered")],
            "metrics-late+metrics-recovered",
        ),
        ("metrics outage", [], "!nothing"),
        ("metrics outage", [message(12, "metrics-late")] * 2, "!metrics-late+metrics-late"),
        ("metrics outage", [message(12)], "!opened"),
        ("jitter", [message(12, severity="MEDIUM")], "6 min"),
        ("jitter", [message(9), message(12, severity="MEDIUM")], "!false"),
        ("packet-loss", [message(8, severity="MEDIUM"), message(12, "escalated", "HIGH")], "6 min"),
        ("packet-loss", [message(8, severity="MEDIUM")], "!never"),
    ],
)
def test_cell_shows_the_notification_and_a_missed_target(
    environment: Environment, trial: str, sent: list[Notification], shown: str
) -> None:
    (found,) = [one for one in trials(environment, "srt") if one.name == trial]
    assert found.judge(sent, LATE).shown() == shown


def test_tables_mark_and_count_missed_targets() -> None:
    rows = {
        LATE: {"healthy hour": Cell(text="0"), "zeros": Cell(text="3 min", missed=True)},
        Conditions(lateness="0", checks=5, protocol="rtp"): {
            "healthy hour": Cell(text="0"),
            "zeros": Cell(text="1 min"),
        },
    }
    shown = text(rows)
    assert missed(rows) == 1
    assert "SRT, a check every 1 min" in shown
    assert "!3 min" in shown
    assert shown.endswith("1 of 4 cells misses its target, marked with !.")
