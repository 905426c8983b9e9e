"""An alarm with a period of seconds, on a deployed stack: told within the minute, never by silence, and rehearsed so."""

from datetime import timedelta
from pathlib import Path

import pytest
from moto.cloudwatch.models import cloudwatch_backends

from tests.local.conftest import Begin
from tests.local.evening import GOOD_RTP, PREFIX, Evening
from tools.local_aws import ACCOUNT_ID
from tools.rehearsal.assignment import Assignment
from tools.rehearsal.deployment import Deployment
from tools.rehearsal.reading import load_scenario
from tools.rehearsal.report import plots
from tools.rehearsal.run import play

OPENED, RECOVERED = "opened", "recovered"
EARLY = f"{PREFIX}-channel/packet-loss-early"
LOSS = {"SourcePacketLossPercent": 2.4}
NO_LOSS = {"SourcePacketLossPercent": 0.0}


def ten_seconds(evening: Evening, count: int, metrics: dict[str, float], *, late: int = 0) -> None:
    """So many spans of ten seconds with these metrics, which come late."""
    for _ in range(count):
        evening.put(metrics, at=evening.now - timedelta(seconds=late))
        evening.pass_seconds(10)


def test_packet_loss_within_a_minute_is_told_ten_seconds_after_its_begin_where_an_alarm_has_such_periods(
    begin: Begin,
) -> None:
    evening = begin("channel")
    evening.minutes(2, GOOD_RTP)
    evening.put(GOOD_RTP)
    evening.pass_seconds(20)
    ten_seconds(evening, 1, LOSS)
    assert evening.told() == [(OPENED, "MEDIUM")]
    incident = evening.record()["incident"]
    assert (incident["opened"], incident["triggers"]) == ("2026-11-23T20:02:30+00:00", [EARLY])
    (alarm,) = evening.aws.client("cloudwatch").describe_alarms(AlarmNames=[EARLY])["MetricAlarms"]
    assert alarm["StateReason"].startswith(
        "Threshold Crossed: 1 out of the last 4 datapoints [2.4 (23/11/26 20:02:20)] was greater than the threshold"
    )


def test_a_hiccup_of_ten_seconds_is_a_warning_at_most_and_ends(begin: Begin) -> None:
    evening = begin("channel")
    evening.minutes(2, GOOD_RTP)
    evening.put(GOOD_RTP)
    ten_seconds(evening, 2, NO_LOSS)
    ten_seconds(evening, 1, LOSS)
    ten_seconds(evening, 3, NO_LOSS)
    evening.minutes(6, GOOD_RTP)
    assert evening.told() == [(OPENED, "MEDIUM"), (RECOVERED, "MEDIUM")]


def test_datapoints_that_come_two_minutes_late_still_ring_and_silence_does_not(begin: Begin) -> None:
    evening = begin("channel")
    without_loss = {name: value for name, value in GOOD_RTP.items() if name not in LOSS}
    evening.minutes(5, without_loss)
    assert evening.told() == []
    evening.put(without_loss)
    ten_seconds(evening, 3, NO_LOSS, late=120)
    ten_seconds(evening, 1, LOSS, late=120)
    assert evening.told() == [(OPENED, "MEDIUM")]
    assert evening.record()["incident"]["opened"] == "2026-11-23T20:05:40+00:00"


def test_a_look_within_a_minute_judges_nothing_else_by_the_part_of_it_that_is_over(begin: Begin) -> None:
    evening = begin("channel")
    evening.minutes(2, GOOD_RTP)
    evening.put(LOSS | {"SourceBitRate": 0.0, "SourceJitter": 90.0})
    evening.pass_seconds(10)
    assert evening.told() == [(OPENED, "MEDIUM")]
    states = {
        alarm["AlarmName"]: alarm["StateValue"]
        for alarm in evening.aws.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{PREFIX}-channel/")[
            "MetricAlarms"
        ]
    }
    assert [name for name, state in states.items() if state == "ALARM"] == [EARLY]


WORSENING = """
title = "Loss begins, and more of it"
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
    ("flow", "told_at", "seconds"), [("channel", 2 + 10 / 60, range(0, 240, 10)), ("show", 3, range(0, 240, 60))]
)
def test_a_rehearsal_measures_and_judges_within_the_minute_only_what_an_alarm_of_seconds_watches(
    venue_stage: Deployment, tmp_path: Path, flow: str, told_at: float, seconds: range
) -> None:
    path = tmp_path / "worsening.toml"
    path.write_text(WORSENING)
    (assigned,) = [candidate for candidate in venue_stage.environment.flows if candidate.name == flow]
    scenario = load_scenario(path)
    result = play(Assignment(scenario, "venue", assigned), venue_stage, evidence=True)
    assert result.missed == []
    assert [(told.minute, told.severity) for told in result.notifications] == [(told_at, "MEDIUM")]
    (rung,) = [moment for moment in result.timeline if moment.kind == "alarm" and moment.facts["after"] == "ALARM"]
    assert (rung.minute, rung.facts["name"]) == (told_at, f"{PREFIX}-{flow}/packet-loss-early")
    measured = [
        (datum.name, (datum.timestamp - scenario.start.replace(tzinfo=None)).total_seconds(), datum.value)
        for datum in cloudwatch_backends[ACCOUNT_ID][venue_stage.environment.region].metric_data
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
