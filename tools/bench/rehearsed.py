"""Measures detection times: scenarios played on a local AWS."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tools.bench.detection import EARLY_PERIODS, PATHS, Detection, Early, detection, early
from tools.bench.flows import early_loss_text
from tools.bench.tables import show
from tools.local_aws import LocalAws
from tools.rehearsal.assignment import Assignment, at_home
from tools.rehearsal.deployment import deploy, load
from tools.rehearsal.reading import load_scenarios
from tools.rehearsal.run import play


def detection_times(folder: Path) -> dict[str, Any]:
    """Minutes from failure to message in every shipped scenario, by path; seconds from packet loss, by period."""
    with LocalAws() as aws:
        found = _by_scenario(aws, folder)
        by_period = _by_period(aws, folder)
    show(
        "Minutes from the failure to the message, and to each path's first finding",
        ("scenario", "message", *PATHS),
        [(it.scenario, _figure(it.message), *(_figure(it.by_path[path]) for path in PATHS)) for it in found],
    )
    show(
        "Seconds from packet loss to the message, by the period of its most sensitive alarm",
        ("seconds of a period", "message", "alarm", "USD a flow and month"),
        [
            (str(it.period), _figure(it.message_seconds), _figure(it.alarm_seconds), f"{it.usd_a_month:.2f}")
            for it in by_period
        ],
    )
    times = {it.scenario: {"message": it.message, **it.by_path} for it in found}
    return {**times, "early_packet_loss_seconds": [asdict(it) for it in by_period]}


def _by_scenario(aws: LocalAws, folder: Path) -> Sequence[Detection]:
    scenarios = load_scenarios([])
    assignments = at_home(scenarios, load(scenario.environment for scenario in scenarios))
    deployments = deploy(aws, {assignment.environment for assignment in assignments}, folder, lambda _: None)
    return [
        detection(assignment.scenario.name, play(assignment, deployments[assignment.environment]))
        for assignment in assignments
    ]


def _by_period(aws: LocalAws, folder: Path) -> Sequence[Early]:
    """Packet loss on flows that differ in the period of their most sensitive alarm."""
    environments = folder / "settings" / "environments"
    environments.mkdir(parents=True)
    (environments / "early.toml").write_text(early_loss_text(EARLY_PERIODS), encoding="utf-8")
    deployment = deploy(aws, ["early"], folder, lambda _: None, settings_root=environments.parent)["early"]
    (loss,) = load_scenarios(["packet_loss"])
    return [
        early(period, detection(flow.name, play(Assignment(loss, "early", flow), deployment)))
        for period, flow in zip(EARLY_PERIODS, deployment.environment.flows, strict=True)
    ]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
