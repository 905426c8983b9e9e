"""An alarm with a period of seconds: notified within the minute, never by missing data."""

from datetime import timedelta
from pathlib import Path

import pytest
from moto.cloudwatch.models import cloudwatch_backends

from tests.local.conftest import OnAir
from tests.local.live_flow import GOOD_RTP, PREFIX, LiveFlow
from tools.local_aws import ACCOUNT_ID
from tools.rehearsal.assignment import Assignment
from tools.rehearsal.deployment import Deployment
from tools.rehearsal.reading import load_scenario
from tools.rehearsal.report import plots
from tools.rehearsal.run import play

pytestmark = pytest.mark.xdist_group("venue")

OPENED, RECOVERED = "opened", "recovered"
EARLY = f"{PREFIX}-channel/packet-loss-early"
LOSS = {"SourcePacketLossPercent": 2.4}
NO_LOSS = {"SourcePacketLossPercent": 0.0}


def ten_seconds(live: LiveFlow, count: int, metrics: dict[str, float], *, late: int = 0) -> None:
    """Let spans of ten seconds with these metrics pass; the metrics come `late` seconds late."""
    for _ in range(count):
        live.put(metrics, at=live.now - timedelta(seconds=late))
        live.pass_seconds(10)


def test_packet_loss_is_notified_after_one_period_of_ten_seconds(
    on_air: OnAir,
) -> None:
    live = on_air("channel")
    live.minutes(2, GOOD_RTP)
    live.put(GOOD_RTP)
    live.pass_seconds(20)
    ten_seconds(live, 1, LOSS)
    assert live.notified() == [(OPENED, "MEDIUM")]
    incident = live.record()["incident"]
    assert (incident["opened"], incident["triggers"]) == ("2026-11-23T20:02:30+00:00", [EARLY])
    (alarm,) = live.aws.client("cloudwatch").describe_alarms(AlarmNames=[EARLY])["MetricAlarms"]
    assert alarm["StateReason"].startswith(
        "Threshold Crossed: 1 out of the last 4 datapoints [2.4 (23/11/26 20:02:20)] was greater than the threshold"
    )


def test_ten_seconds_of_loss_are_medium_and_resolved(on_air: OnAir) -> None:
    live = on_air("channel")
    live.minutes(2, GOOD_RTP)
    live.put(GOOD_RTP)
    ten_seconds(live, 2, NO_LOSS)
    ten_seconds(live, 1, LOSS)
    ten_seconds(live, 3, NO_LOSS)
    live.minutes(6, GOOD_RTP)
    assert live.notified() == [(OPENED, "MEDIUM"), (RECOVERED, "MEDIUM")]


def test_late_datapoints_raise_the_alarm_and_missing_ones_do_not(on_air: OnAir) -> None:
    live = on_air("channel")
    without_loss = {name: value for name, value in GOOD_RTP.items() if name not in LOSS}
    live.minutes(5, without_loss)
    assert live.notified() == []
    live.put(without_loss)
    ten_seconds(live, 3, NO_LOSS, late=120)
    ten_seconds(live, 1, LOSS, late=120)
    assert live.notified() == [(OPENED, "MEDIUM")]
    assert live.record()["incident"]["opened"] == "2026-11-23T20:05:40+00:00"


def test_evaluation_within_a_minute_leaves_other_alarms_alone(on_air: OnAir) -> None:
    live = on_air("channel")
    live.minutes(2, GOOD_RTP)
    live.put(LOSS | {"SourceBitRate": 0.0, "SourceJitter": 90.0})
    live.pass_seconds(10)
    assert live.notified() == [(OPENED, "MEDIUM")]
    states = {
        alarm["AlarmName"]: alarm["StateValue"]
        for alarm in live.aws.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{PREFIX}-channel/")["MetricAlarms"]
    }
    assert [name for name, state in states.items() if state == "ALARM"] == [EARLY]


WORSENING = """
title = "Growing packet loss"
flow = "any"
start = 2026-11-23T20:00:00Z
[[phase]]
minute = 0
metrics = { SourceBitRate = 8_000_000, SourceJitter = 5, SourcePacketLossPercent = 0 }
[[phase]]
minute = 2
metrics = { SourceBitRate = 8_000_000, SourceJitter = 5, SourcePacketLossPercent = { from = 1, to = 4 } }
[[expect]]
kind = "opened"
severity = "MEDIUM"
from = 2
by = 4
"""


@pytest.mark.parametrize(
    ("flow", "minute", "seconds"), [("channel", 2 + 10 / 60, range(0, 240, 10)), ("show", 3, range(0, 240, 60))]
)
def test_rehearsal_has_fast_datapoints_only_for_fast_alarms(
    venue_deployment: Deployment, tmp_path: Path, flow: str, minute: float, seconds: range
) -> None:
    path = tmp_path / "worsening.toml"
    path.write_text(WORSENING)
    (assigned,) = [candidate for candidate in venue_deployment.environment.flows if candidate.name == flow]
    scenario = load_scenario(path)
    result = play(Assignment(scenario, "venue", assigned), venue_deployment, evidence=True)
    assert result.missed == []
    assert [(sent.minute, sent.severity) for sent in result.notifications] == [(minute, "MEDIUM")]
    (raised,) = [moment for moment in result.timeline if moment.kind == "alarm" and moment.facts["after"] == "ALARM"]
    assert (raised.minute, raised.facts["name"]) == (minute, f"{PREFIX}-{flow}/packet-loss-early")
    measured = [
        (datum.name, (datum.timestamp - scenario.start.replace(tzinfo=None)).total_seconds(), datum.value)
        for datum in cloudwatch_backends[ACCOUNT_ID][venue_deployment.environment.region].metric_data
        if datum.namespace == "AWS/MediaConnect" and datum.dimensions
    ]
    assert [second for name, second, _ in measured if name == "SourceJitter"] == list(range(0, 240, 60))
    loss = {second: value for name, second, value in measured if name == "SourcePacketLossPercent"}
    assert list(loss) == list(seconds)
    assert [loss[second] for second in (60, 120, 180)] == [0, 1, 4], "the ramp ends with the phase's last whole minute"
    assert result.evidence is not None
    (drawn,) = [graph for graph in result.evidence.metrics if graph.title == "SourcePacketLossPercent"]
    assert [round(60 * at) for at, _ in plots._with_gaps(drawn.lines[0].points)] == list(seconds), "without a gap"
    if flow == "channel":
        assert [loss[second] for second in (110, 140, 160, 230)] == [0, 2, 3, 4]
