"""What a report draws: the deployed workflow with the paths taken, and the plots."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from syrupy.assertion import SnapshotAssertion

from components.workflow_definition import workflow_definition
from tests.unit.environments import GOOD, load
from tools.rehearsal import report
from tools.rehearsal.assignment import Assignment
from tools.rehearsal.evidence import Evidence, Graph, Line, Threshold
from tools.rehearsal.reading import find_scenario, load_scenario
from tools.rehearsal.report import plots, workflow
from tools.rehearsal.timeline import Moment, Notification, Result

DEFINITION = workflow_definition(
    partition="aws",
    environment="dev",
    stream_monitor_arn="a",
    alert_handler_arn="b",
    topic_arn="c",
    dead_letters_url="d",
)
SPAN = plots.Span(datetime(2026, 11, 23, 20, 0, tzinfo=UTC), 20)
GRAPH = Graph(
    title="SourceJitter",
    lines=(Line(label="Average", points=((0.0, 5.0), (1.0, 80.0))),),
    thresholds=(Threshold(label="jitter", value=50, severity="MEDIUM"),),
)


@pytest.fixture
def result(tmp_path: Path) -> Result:
    """A rehearsal in which one check was healthy and one was not."""
    flow = load(tmp_path, GOOD).flows[0]
    found = Result(Assignment(load_scenario(find_scenario("packet_loss")), "dev", flow))
    for minute, states in ((5, ["ClearAlert", "StreamHealthy"]), (7, ["RaiseAlert", "AlertSent"])):
        path = ["MonitorStream", "EvaluateHealth", *states]
        facts = {"states": path, "status": "SUCCEEDED"}
        found.timeline.append(Moment(minute=minute, kind="execution", text="", facts=facts))
    return found


def drawn(result: Result) -> ET.Element:
    return ET.fromstring(workflow.draw(DEFINITION, result))  # noqa: S314  our own drawing


def alarm(minute: float, before: str, after: str, name: str = "media-workflow-dev-live/jitter") -> Moment:
    return Moment(minute=minute, kind="alarm", text="", facts={"name": name, "before": before, "after": after})


def test_workflow_drawing_has_every_state_and_marks_paths_taken(result: Result) -> None:
    drawing = drawn(result)
    states = {
        str(group.findtext("text")): (str(group.get("class")), [text.text for text in group.findall("text")][1:])
        for group in drawing.findall("g")
        if str(group.get("class")).startswith("state")
    }
    assert set(states) == set(DEFINITION["States"])
    assert states["MonitorStream"][1] == ["2x"]
    assert "taken" in states["AlertSent"][0]
    assert "taken" not in states["MonitorBlind"][0]
    ways = [group for group in drawing.findall("g") if group.get("class") == "edge taken"]
    assert len(ways) == 5


def test_no_state_covers_another(result: Result) -> None:
    boxes = [(float(str(box.get("x"))), float(str(box.get("y")))) for box in drawn(result).iter("rect")]
    for index, (x, y) in enumerate(boxes):
        for other_x, other_y in boxes[index + 1 :]:
            assert abs(x - other_x) >= workflow.WIDTH or abs(y - other_y) >= workflow.HEIGHT


def marks(spec: dict[str, Any]) -> list[str]:
    return [layer["mark"]["type"] for layer in spec["layer"]]


def test_curve_has_thresholds_and_the_scenarios_time() -> None:
    spec = plots.metric(GRAPH, SPAN)
    assert marks(spec) == ["line", "rule", "text"]
    assert [value["clock"] for value in spec["layer"][0]["data"]["values"]] == ["20:00:00", "20:01:00"]
    assert spec["layer"][1]["data"]["values"][0]["value"] == 50


def test_metric_that_vanishes_is_a_gap() -> None:
    line = Line(label="Average", points=((0.0, 5.0), (1.0, 5.0), (4.0, 5.0)))
    values = plots.metric(replace(GRAPH, lines=(line,)), SPAN)["layer"][0]["data"]["values"]
    assert [(value["clock"][3:5], value["value"]) for value in values] == [
        ("00", 5.0),
        ("01", 5.0),
        ("02", None),
        ("04", 5.0),
    ]


def test_empty_widget_says_no_data() -> None:
    assert "no data" in json.dumps(plots.widget(replace(GRAPH, lines=()), SPAN))
    assert "no data" not in json.dumps(plots.widget(GRAPH, SPAN))


def test_alarm_bands_leave_out_alarms_that_stayed_ok(result: Result) -> None:
    result.timeline += [
        alarm(1, "INSUFFICIENT_DATA", "OK"),
        alarm(1, "INSUFFICIENT_DATA", "OK", "media-workflow-dev-chain-dead-letters"),
        alarm(7, "OK", "ALARM"),
    ]
    spec = plots.alarms(result, SPAN)
    assert spec is not None
    bands = spec["layer"][1]["data"]["values"]
    assert [(band["row"], band["words"]) for band in bands] == [
        ("jitter", "INSUFFICIENT_DATA from 20:00:00 to 20:01:00"),
        ("jitter", "OK from 20:01:00 to 20:07:00"),
        ("jitter", "ALARM from 20:07:00 to 20:20:00"),
    ]


def test_no_alarm_is_no_bands(result: Result) -> None:
    assert plots.alarms(result, SPAN) is None


def test_fault_band_ends_when_the_fault_ends(result: Result) -> None:
    for minute, error in ((6.0, "crash"), (8.0, None)):
        facts = {"target": "sns", "error": error}
        result.timeline.append(Moment(minute=minute, kind="fault", text=f"sns: {error}", facts=facts))
    (band,) = plots.moments(result, SPAN)["layer"][1]["data"]["values"]
    assert band["words"] == "sns: crash until 20:08:00"


def test_page_is_as_in_the_snapshot(
    result: Result, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """Without style and scripts, and with a message that nobody receives."""
    monkeypatch.setattr(report, "_vega", str)
    result.evidence = Evidence(metrics=(GRAPH,), dashboard=(GRAPH, replace(GRAPH, lines=())), definition=DEFINITION)
    for minute, recipients in ((7.0, ("email noc@example.com",)), (9.0, ())):
        result.notifications.append(
            Notification(
                minute=minute, kind="opened", severity="HIGH", subject="Lost", text="a < b", recipients=recipients
            )
        )
    page = re.sub(r"(<(style|script)[^>]*>).*?(</)", r"\1\3", report.page([result]), flags=re.DOTALL)
    assert page == snapshot
