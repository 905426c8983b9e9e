"""A small part of the lateness table, on the deployed environments of the whole."""

from pathlib import Path

import pytest
from moto.cloudwatch.models import cloudwatch_backends

from tools.local_aws import ACCOUNT_ID, LocalAws
from tools.local_aws.forget import forget_what_happened
from tools.local_aws.gaps.mediaconnect_flow_status import set_flow_status
from tools.rehearsal.assignment import Assignment
from tools.rehearsal.deployment import Deployment
from tools.rehearsal.lateness import conditions
from tools.rehearsal.measurement import deployed, measure
from tools.rehearsal.reading import load_scenario
from tools.rehearsal.run import play
from tools.rehearsal.timeline import Result

Deployments = dict[int, Deployment]


@pytest.fixture(scope="module")
def deployments(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Deployments:
    return deployed(aws, tmp_path_factory.mktemp("lateness"), lambda _: None)


def cells(deployments: Deployments, lateness: str, *wanted: str, beyond: int = 2, checks: int = 1) -> dict[str, str]:
    """What the cells of these trials show, by protocol and trial."""
    rows = [row for row in conditions([lateness]) if row.checks == checks]
    found = {
        f"{row.protocol}, {name}": cell.shown()
        for row, played in measure(deployments, rows, beyond=beyond, wanted=wanted)
        for name, cell in played.items()
    }
    forget_what_happened(next(iter(deployments.values())).environment.region)
    return found


def test_metrics_on_time_meet_every_target(deployments: Deployments) -> None:
    found = cells(deployments, "0", "healthy hour", "zeros, event", "silence, alert", "zeros", "silence", "jitter")
    assert {name: shown for name, shown in found.items() if shown.startswith("!")} == {}
    assert {shown for name, shown in found.items() if name.endswith(("event", "alert"))} == {"0 s"}


@pytest.mark.parametrize("beyond", [0, 5])
@pytest.mark.parametrize("lateness", ["180", "60..180 #1"])
def test_late_metrics_meet_every_target_with_any_evaluation_range(
    deployments: Deployments, lateness: str, beyond: int
) -> None:
    wanted = ("healthy hour", "silence, event", "zeros", "silence", "metrics outage", "packet-loss")
    found = cells(deployments, lateness, *wanted, beyond=beyond)
    assert {name: shown for name, shown in found.items() if shown.startswith("!")} == {}


SCENARIO = """
title = "Late metrics"
flow = "srt"
start = 2026-11-23T20:00:00Z
lateness = { min = 30, max = 90, seed = 3 }
[[phase]]
minute = 0
metrics = { SourceBitRate = 8_000_000, SourceConnected = 1, SourceJitter = 5 }
[[phase]]
minute = 4
metrics = {}
[[fault]]
until = 6
target = "flow_events"
error = "lost"
[[event]]
minute = 1
detail-type = "MediaConnect Alert"
detail = { errored = true, error-id = "1", error-code = "SourceStreamError", error-message = "Stream Error: Timeout." }
[[expect]]
kind = "none"
until = 6
"""
CLEARED = """
[[event]]
minute = 2
detail-type = "MediaConnect Alert"
detail = { errored = false, error-id = "1", error-code = "SourceStreamError" }
"""


def played(deployments: Deployments, folder: Path, text: str) -> Result:
    path = folder / "scenario.toml"
    path.write_text(text)
    deployment = deployments[1]
    (flow,) = [one for one in deployment.environment.flows if one.name == "srt"]
    return play(Assignment(load_scenario(path), deployment.environment.name, flow), deployment)


@pytest.mark.parametrize(("more", "shown"), [("", ["Stream Error: Timeout."]), (CLEARED, [])])
def test_alert_is_in_describe_flow_until_cleared(
    deployments: Deployments, tmp_path: Path, more: str, shown: list[str]
) -> None:
    played(deployments, tmp_path, SCENARIO + more)
    client = deployments[1].aws.client("mediaconnect")
    assert client.describe_flow(FlowArn=deployments[1].flow_arn("srt"))["Messages"]["Errors"] == shown


@pytest.mark.parametrize(("more", "programs"), [("", 0), ('source_metadata = "present"', 1)])
def test_source_metadata_follows_the_phase(deployments: Deployments, tmp_path: Path, more: str, programs: int) -> None:
    played(deployments, tmp_path, SCENARIO.replace("metrics = {}", f"metrics = {{}}\n{more}"))
    arn = deployments[1].flow_arn("srt")
    set_flow_status(arn, "ACTIVE")
    answer = deployments[1].aws.client("mediaconnect").describe_flow_source_metadata(FlowArn=arn)
    assert len(answer["TransportMediaInfo"]["Programs"]) == programs
    set_flow_status(arn, "STANDBY")


def test_datapoints_arrive_as_late_as_the_scenario_says(deployments: Deployments, tmp_path: Path) -> None:
    def late_by() -> dict[tuple[str, str, float], float]:
        result = played(deployments, tmp_path, SCENARIO)
        start = result.assignment.scenario.start
        data = cloudwatch_backends[ACCOUNT_ID][deployments[1].environment.region].metric_data
        return {
            (datum.name, ",".join(item.name for item in datum.dimensions), minute): (
                (datum.arrives - start).total_seconds() - 60 * (minute + 1)
            )
            for datum in data
            if datum.namespace == "AWS/MediaConnect"
            for minute in [(datum.timestamp - start.replace(tzinfo=None)).total_seconds() / 60]
        }

    found = late_by()
    assert {(name, of) for name, of, _ in found} == {
        (name, of) for name in ("SourceBitRate", "SourceConnected", "SourceJitter") for of in ("FlowARN", "")
    }
    assert len(set(found.values())) == len(found) == 3 * 2 * 4
    assert all(30 <= seconds <= 90 for seconds in found.values())
    assert late_by() == found
