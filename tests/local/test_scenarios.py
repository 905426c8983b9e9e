"""Every shipped scenario passes, the same each time; what is wrong is said; and the report of all can be looked at."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from moto.cloudwatch.models import cloudwatch_backends
from typer.testing import CliRunner

from components.paths import PROJECT
from tests.local.conftest import Deployed
from tools.cli.__main__ import app
from tools.local_aws import ACCOUNT_ID, LocalAws, faults
from tools.local_aws.forget import forget_what_happened
from tools.rehearsal import report, scenario
from tools.rehearsal.assignment import Assignment, at_home, fitting
from tools.rehearsal.deployment import Deployment
from tools.rehearsal.reading import load_scenario, load_scenarios, shipped
from tools.rehearsal.run import play
from tools.rehearsal.scenario import Lateness
from tools.rehearsal.timeline import Result

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
Played = dict[str, Result]


@pytest.fixture(scope="module")
def deployments(deployed: Deployed, aws: LocalAws) -> Iterator[dict[str, Deployment]]:
    """The shipped environments by name; afterwards, what happened on them is forgotten."""
    yield {"dev": deployed.dev, "staging": deployed.staging, "prod": deployed.prod}
    forget_what_happened(aws.region)


@pytest.fixture(scope="module")
def played() -> Played:
    """What each shipped scenario came to; filled as they are played."""
    return {}


def home(name: str, deployments: dict[str, Deployment]) -> Assignment:
    (assignment,) = at_home(
        load_scenarios([name]), {key: deployment.environment for key, deployment in deployments.items()}
    )
    return assignment


def reliable(result: Result) -> dict[str, Any]:
    """The JSON of a rehearsal without what takes real time."""

    def timeless(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: timeless(item) for key, item in value.items() if key != "seconds"}
        return [timeless(item) for item in value] if isinstance(value, list) else value

    told: dict[str, Any] = timeless(json.loads(json.dumps(result.as_json())))
    return told


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_scenario_passes_on_its_own_flow(
    name: str, deployments: dict[str, Deployment], played: Played
) -> None:
    assignment = home(name, deployments)
    played[name] = play(assignment, deployments[assignment.environment], evidence=True)
    assert played[name].missed == []


@pytest.mark.parametrize("name", [item.name for item in load_scenarios([]) if not item.lateness.most])
def test_shipped_scenario_passes_with_90_seconds_of_lateness(name: str, deployments: dict[str, Deployment]) -> None:
    assignment = home(name, deployments)
    late = assignment.scenario.model_copy(update={"lateness": Lateness(min=90, max=90, seed=0)})
    assert play(replace(assignment, scenario=late), deployments[assignment.environment]).missed == []


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_every_flow_shipped_passes_every_scenario_that_fits_it(
    environment: str, deployments: dict[str, Deployment]
) -> None:
    assignments, _ = fitting(load_scenarios([]), deployments[environment].environment)
    assert {assignment.flow.name for assignment in assignments} == {
        flow.name for flow in deployments[environment].environment.flows
    }
    elsewhere = [
        assignment
        for assignment in assignments
        if (assignment.environment, assignment.flow.name) != (assignment.scenario.environment, assignment.scenario.flow)
    ]
    found = {assignment.name: play(assignment, deployments[environment]).missed for assignment in elsewhere}
    assert {name: missed for name, missed in found.items() if missed} == {}


@pytest.mark.parametrize("name", ["failover_and_return", "monitor_crashing"])
def test_the_same_scenario_gives_the_same_json_whatever_was_played_before(
    name: str, deployments: dict[str, Deployment]
) -> None:
    assignment = home(name, deployments)
    deployment = deployments[assignment.environment]
    first = reliable(play(assignment, deployment))
    play(home("packet_loss", deployments), deployments["dev"])
    assert reliable(play(assignment, deployment)) == first


def test_the_json_has_all_that_happened(deployments: dict[str, Deployment]) -> None:
    told = play(home("packet_loss", deployments), deployments["dev"]).as_json()
    assert (told["title"], told["passed"], told["missed"]) == ("The network loses packets for a while", True, [])
    opened = told["notifications"][0]
    assert (opened["minute"], opened["kind"], opened["severity"]) == (7, "opened", "MEDIUM")
    assert opened["recipients"] == ["email live-dev@example.com"]
    assert opened["subject"].startswith("[MEDIUM] live-stream (dev): ")
    at_seven = {moment["kind"]: moment for moment in told["timeline"] if moment["minute"] == 7}
    assert (at_seven["alarm"]["before"], at_seven["alarm"]["after"]) == ("OK", "ALARM")
    assert at_seven["execution"]["states"] == ["MonitorStream", "EvaluateHealth", "RaiseAlert", "AlertSent"]
    assert at_seven["function"]["seconds"] > 0
    assert at_seven["function"]["calls"] == ["dynamodb:GetItem", "dynamodb:PutItem", "sns:Publish", "dynamodb:PutItem"]


def test_a_wrong_expectation_is_missed_with_what_was_seen_instead(
    deployments: dict[str, Deployment], tmp_path: Path
) -> None:
    text = (PROJECT / "tools" / "rehearsal" / "scenarios" / "packet_loss.toml").read_text()
    path = tmp_path / "wrong.toml"
    path.write_text(text.replace('severity = "MEDIUM"\nfrom = 6\nby = 10', 'severity = "CRITICAL"\nfrom = 6\nby = 6.5'))
    assignment = Assignment(load_scenario(path), "dev", deployments["dev"].environment.flows[0])
    assert play(assignment, deployments["dev"]).missed == [
        (
            "expected a message of kind opened, CRITICAL or worse, between minute 6 and 6.5; "
            "seen minute 7: opened MEDIUM; minute 9: escalated HIGH; minute 20: recovered HIGH"
        )
    ]


def test_what_a_scenario_may_break_is_what_the_local_aws_can_break() -> None:
    assert get_args(scenario.Target) == get_args(faults.Target)
    assert get_args(scenario.Error) == get_args(faults.Error)


def test_a_file_that_cannot_be_used_ends_with_2_and_all_mistakes_and_without_a_deployment(tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text('title = "x"\nflow = 5\n[[phase]]\nminute = 0\n')
    ended = CliRunner().invoke(app, ["rehearse", str(tmp_path / "wrong.toml"), "no_such_scenario"])
    assert ended.exit_code == 2
    assert "wrong.toml:2: flow is 5: should be" in ended.output
    assert "expect is missing and needed" in ended.output
    assert "no_such_scenario cannot be read" in ended.output


def test_an_environment_that_does_not_exist_ends_with_2() -> None:
    assert CliRunner().invoke(app, ["rehearse", "--environment", "nowhere"]).exit_code == 2


def test_a_dashboard_with_a_wrong_dimension_is_seen_as_an_empty_graph(deployments: dict[str, Deployment]) -> None:
    dashboard = cloudwatch_backends[ACCOUNT_ID]["us-east-1"].dashboards["media-workflow-dev"]
    right = dashboard.body
    dashboard.body = right.replace('"SourceJitter", "FlowARN"', '"SourceJitter", "FlowArn"')
    assert dashboard.body != right
    try:
        evidence = play(home("packet_loss", deployments), deployments["dev"], evidence=True).evidence
    finally:
        dashboard.body = right
    assert evidence is not None
    (graph,) = [graph for graph in evidence.dashboard if "SourceJitter" in graph.title]
    assert graph.empty
    assert graph.note == "SourceJitter was emitted, but not with these dimensions"
    assert not any(graph.empty for graph in evidence.dashboard if "SourceBitRate" in graph.title)


@pytest.fixture(scope="module")
def page(deployments: dict[str, Deployment], played: Played, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of some scenarios, one of which missed what it expected."""
    for name in ("handler_crashing", "packet_loss"):
        if name not in played:
            assignment = home(name, deployments)
            played[name] = play(assignment, deployments[assignment.environment], evidence=True)
    return report.write([*played.values(), failing(played["packet_loss"])], tmp_path_factory.mktemp("report"))


def failing(result: Result) -> Result:
    wanted = result.assignment.scenario.expectations[1].model_copy(update={"severity": "CRITICAL"})
    other = result.assignment.scenario.model_copy(update={"expectations": (wanted,), "title": "Not as expected"})
    return replace(result, assignment=replace(result.assignment, scenario=other.named("not_as_expected", {})))


def test_the_report_needs_nothing_from_elsewhere(page: Path) -> None:
    html = re.sub(r"<script>.*?</script>", "", page.read_text(), flags=re.DOTALL)
    assert re.findall(r"(?:src|href)=\"(?!#|data:)[^\"]*\"|url\(|@import", html) == []


@pytest.fixture(scope="module")
def browser() -> str:
    """A browser on this machine."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser to look at the report with: none of {', '.join(BROWSERS)} is installed")
    return found


@pytest.mark.parametrize(("scheme", "width"), [("light", 1920), ("dark", 500)])
def test_the_report_is_drawn_in_a_browser_without_a_word_on_the_console(
    browser: str, page: Path, tmp_path: Path, scheme: str, width: int
) -> None:
    picture = PROJECT / ".build" / f"rehearsal-{scheme}-{width}.png"
    picture.parent.mkdir(exist_ok=True)
    dom, words = look(browser, page, tmp_path, scheme, width, picture)
    assert [line for line in words.splitlines() if "CONSOLE" in line] == []
    first = dom.partition('<details class="scenario"')[2].partition('<details class="scenario"')[0]
    assert first.count("vega-embed") > 3, "the plots of the first scenario are drawn"
    assert 'aria-roledescription="line mark"' in first or "mark-line" in first
    assert "[CRITICAL]" in first
    assert "First:" in first
    assert "Not as expected" in dom
    assert "a message of kind opened, CRITICAL or worse" in dom
    assert picture.stat().st_size > 20_000


def look(browser: str, page: Path, tmp_path: Path, scheme: str, width: int, picture: Path) -> tuple[str, str]:
    """What a browser made of a page, and what it said meanwhile; the picture of it is kept."""
    flags = [
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
        *("--enable-logging=stderr", "--v=0", "--virtual-time-budget=20000", f"--window-size={width},1600"),
        f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}",
        f"--user-data-dir={tmp_path / 'profile'}",
    ]
    ends = [
        subprocess.run(
            [browser, *flags, action, page.as_uri()], capture_output=True, text=True, check=True, timeout=120
        )
        for action in ("--dump-dom", f"--screenshot={picture}")
    ]
    return ends[0].stdout, "".join(end.stderr for end in ends)
