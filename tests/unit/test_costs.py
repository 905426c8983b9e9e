"""The costs that the documentation names are those that its prices give."""

from pathlib import Path

from components.health_rules import health_rules
from settings import load_environment
from tools.bench.costs import SCHEDULES, looking, rows
from tools.bench.flows import environment_text

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"


def series(tmp_path: Path) -> dict[str, int]:
    """How many series the monitor reads, by the protocol of the flow's source."""
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "two.toml").write_text(environment_text(2))
    environment = load_environment("two", root=tmp_path, environ={}, context={})
    return {
        flow.source.protocol: len(
            {(rule.metric, rule.statistic, rule.period) for rule in health_rules(flow, environment.thresholds_of(flow))}
        )
        # Which source is in use: SourceSelected of each, where the flow fails over.
        + (2 if flow.backup_source and flow.backup_source.failover_mode == "FAILOVER" else 0)
        for flow in environment.flows
    }


def test_scale_page_has_the_costs_of_checks(tmp_path: Path) -> None:
    found = series(tmp_path)
    table = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| every ")]
    assert table == rows(found["rtp"], found["srt-listener"])


def test_checks_twice_as_often_cost_twice_as_much() -> None:
    price = {month.every_minutes: month.standard for month in looking(5)}
    assert list(price) == list(SCHEDULES)
    assert price[1] == 2 * price[2]
