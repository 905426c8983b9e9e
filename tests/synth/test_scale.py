"""Five hundred flows stay within what AWS documents, and cost as much more as there are more of them.

Twenty-five times one account's default quota of flows: a Region's quota must be raised first. See docs/scale.md.
"""

import json
import sys
from pathlib import Path

import pytest

from components.dashboard_layout import page_of
from components.health_rules import health_rules
from components.sizes import SIZES, oversized, resolved
from settings import load_environment
from tests.synth.conftest import Synthesized
from tools.bench.flows import environment_text
from tools.bench.synthesis import Measured, measure
from tools.compat.source import copy_bindings, copy_source

LONGEST_NAME = "a" * 60 + "{number:04}"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkout")
    copy_source(folder)
    copy_bindings(folder)
    for flows in (1, 100, 500):
        (folder / "environments" / f"of{flows}.toml").write_text(environment_text(flows, name=LONGEST_NAME))
    return folder


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def runs(checkout: Path, output: Path) -> dict[int, Measured]:
    """What synthesizing takes, by number of flows; a first one fills what is kept, of bindings and byte code."""
    measure(checkout, output / "first", "of1", python=sys.executable)
    return {
        flows: measure(checkout, output / f"of{flows}", f"of{flows}", python=sys.executable) for flows in (1, 100, 500)
    }


@pytest.fixture(scope="module")
def large(runs: dict[int, Measured], output: Path) -> Synthesized:
    """500 flows with the longest names that there can be."""
    return Synthesized((output / "of500" / "stacks" / "media-workflow" / "cdk.tf.json").read_text())


def test_time_and_memory_grow_linearly_with_flows(runs: dict[int, Measured]) -> None:
    for what in ("cpu_seconds", "python_mb", "node_mb"):
        one, hundred, five_hundred = (getattr(runs[flows], what) for flows in (1, 100, 500))
        # Beyond what one flow costs anyway, five times the flows may take five times as much, and some slack.
        assert five_hundred - one < 1.6 * 5 * (hundred - one) + 0.05 * one, (what, one, hundred, five_hundred)


def test_machines_and_functions_do_not_grow_with_flows(large: Synthesized) -> None:
    assert len(large.all_of("aws_sfn_state_machine")) == 2
    assert len(large.all_of("aws_lambda_function")) == 2
    assert len(large.all_of("aws_sns_topic")) == 2
    assert len(large.content["module"]) == 500


def test_rules_and_patterns_fit_their_quotas(large: Synthesized) -> None:
    rules = large.all_of("aws_cloudwatch_event_rule")
    assert len(rules) <= 100  # the smallest default of any Region; most have 300
    sizes = {rule["name"]: len(resolved(rule["event_pattern"].replace("us-east-1", "us-gov-west-1"))) for rule in rules}
    (limit,) = (row.limit for row in SIZES if row.what == "the event pattern")
    assert max(sizes.values()) <= limit, sizes
    assert max(sizes.values()) > limit * 0.8, "the patterns are not at their longest: a token was not resolved"
    with_wildcards = [rule for rule in rules if '"wildcard"' in rule["event_pattern"]]
    assert len(with_wildcards) == 2  # of 30 on a bus, which cannot be raised


def test_every_flow_is_in_exactly_one_rule(large: Synthesized) -> None:
    named = [
        arn
        for rule in large.all_of("aws_cloudwatch_event_rule")
        for arn in json.loads(rule["event_pattern"])["resources"]
        if isinstance(arn, str)
    ]
    assert len(named) == len(set(named)) == 500


def test_documents_fit_their_limits(large: Synthesized, checkout: Path) -> None:
    environment = load_environment("of500", root=checkout, environ={}, context={})
    assert oversized(environment, json.loads(large.text.replace("us-east-1", "us-gov-west-1"))) == []
    roles = {policy["role"] for policy in large.all_of("aws_iam_role_policy")}
    assert len(roles) == 7  # however many flows there are


def test_dashboard_pages_fit_cloudwatch_limits(large: Synthesized) -> None:
    pages = {
        page["dashboard_name"]: json.loads(page["dashboard_body"]) for page in large.all_of("aws_cloudwatch_dashboard")
    }
    assert list(pages)[:2] == ["media-workflow-of500", "media-workflow-of500-2"]
    assert len(pages) > 2
    drawn: list[str] = []
    for name, body in pages.items():
        widgets = body["widgets"]
        metrics = [
            len(widget["properties"].get("metrics", widget["properties"].get("alarms", ()))) for widget in widgets
        ]
        assert len(widgets) <= 500, name
        assert max(metrics) <= 500, name
        assert sum(metrics) <= 2500, name
        assert len(json.dumps(body)) < 1_000_000, name
        titles = [widget["properties"].get("markdown", "") for widget in widgets]
        assert ("## Self-monitoring" in titles) == (name == "media-workflow-of500")
        drawn += [title.removeprefix("## ") for title in titles if title.startswith("## a")]
    assert len(drawn) == len(set(drawn)) == 500


def test_message_links_the_page_of_its_flow(large: Synthesized) -> None:
    pages = {page["dashboard_name"]: page["dashboard_body"] for page in large.all_of("aws_cloudwatch_dashboard")}
    for parameter in large.all_of("aws_ssm_parameter"):
        policy = json.loads(parameter["value"])
        assert f"## {policy['flow_name']}" in pages[policy["dashboard"]]


def test_added_flow_moves_no_other_to_another_page(tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "more.toml").write_text(environment_text(120))
    settings = load_environment("more", root=tmp_path, environ={}, context={})
    rules = {flow.name: health_rules(flow, settings.thresholds_of(flow)) for flow in settings.flows}
    fewer = dict(list(rules.items())[:-1])
    assert {name: page for name, page in page_of(rules).items() if name in fewer} == page_of(fewer)


def test_self_monitoring_graphs_fit_each_page(large: Synthesized) -> None:
    first = json.loads(large.one("aws_cloudwatch_dashboard", dashboard_name="media-workflow-of500")["dashboard_body"])
    assert [widget for widget in first["widgets"] if widget["properties"].get("title", "").startswith("Workflow")]
