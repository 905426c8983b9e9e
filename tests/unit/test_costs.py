"""The costs in README.md and docs/scale.md are those that `tools/prices.toml` gives."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

import measures
from components.health_rules import health_rules
from settings import load_environment
from tools.bench.costs import MINUTES_A_MONTH, SCHEDULES, checks, rows
from tools.bench.flows import environment_text
from tools.prices import PRICES, Price

PROJECT = Path(__file__).resolve().parents[2]
SCALE = " ".join((PROJECT / "docs" / "scale.md").read_text(encoding="utf-8").split())
README_ROWS = {
    "MediaConnect flow, while it runs": ("flow",),
    "MediaConnect in STANDBY": ("standby",),
    "Data out to the internet": ("data-out",),
    "Metrics that the checks read": ("metric-read",),
    "Alarms": ("alarm", "fast-alarm"),
    "Metrics that the functions count": ("custom-metric",),
    "Dashboard": ("dashboard",),
    "Step Functions, STANDARD": ("transition",),
    "Lambda (arm64)": ("function-request", "function-memory"),
    "SNS": ("sns", "sns-email"),
    "KMS key": ("key", "key-rotation"),
    "Logs": ("logs-in", "logs-kept"),
}
"""The prices in each row of the README's table."""
COUNTED = len(measures.METRICS)
COMPUTED_ROWS = {"What", "---", "Self-monitoring"}


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """How many series a check reads, by the protocol of the flow's source."""
    folder = tmp_path_factory.mktemp("settings")
    (folder / "environments").mkdir()
    (folder / "environments" / "two.toml").write_text(environment_text(2))
    environment = load_environment("two", root=folder, environ={}, context={})
    return {
        flow.source.protocol: len(
            {(rule.metric, rule.statistic, rule.period) for rule in health_rules(flow, environment.thresholds_of(flow))}
        )
        # SourceSelected of each source, where the flow fails over.
        + (2 if flow.backup_source and flow.backup_source.failover_mode == "FAILOVER" else 0)
        for flow in environment.flows
    }


def readme_rows() -> dict[str, tuple[str, str]]:
    """Price and source by the first cell of each row of the table of prices."""
    section = (PROJECT / "README.md").read_text(encoding="utf-8").partition("\n## Cost\n")[2].partition("\n## ")[0]
    cells = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return {first.strip(): (price.strip(), source.strip()) for first, price, source in cells}


def metrics_read(series: int) -> float:
    """USD a month for the metrics that a check reads every minute."""
    return series * PRICES["metric-read"].each * MINUTES_A_MONTH


def dated(price: Price) -> str:
    """Source and date of a price, as the README writes them."""
    if "-" not in price.date:
        return f"{price.source}, {price.date}"
    return f"{price.source}, {datetime.strptime(price.date, '%Y-%m').replace(tzinfo=UTC):%B %Y}"


def test_readme_has_a_row_for_each_of_these_prices() -> None:
    assert set(readme_rows()) == set(README_ROWS) | COMPUTED_ROWS


@pytest.mark.parametrize(("row", "name"), [(row, name) for row, names in README_ROWS.items() for name in names])
def test_readme_row_has_price_and_source(row: str, name: str) -> None:
    text, source = readme_rows()[row]
    assert (f"{PRICES[name].usd} " if PRICES[name].usd else "no charge ") in text
    assert dated(PRICES[name]) in source


def test_readme_has_the_cost_of_the_metrics_of_a_flow(series: dict[str, int]) -> None:
    rtp, srt = metrics_read(series["rtp"]), metrics_read(series["srt-listener"])
    assert (
        f"; {rtp:.2f} (RTP) to {srt:.2f} (SRT with backup) a month" in readme_rows()["Metrics that the checks read"][0]
    )


def test_scale_page_has_the_cost_of_checks(series: dict[str, int]) -> None:
    lines = (PROJECT / "docs" / "scale.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("| every ")] == rows(series["rtp"], series["srt-listener"])


@pytest.mark.parametrize(
    "words",
    [
        f"costs {PRICES['flow'].usd} an hour, {PRICES['flow'].month:.0f} a month",
        f"are {PRICES['alarm'].usd} each",
        f"adds {PRICES['key'].usd} for its key, {PRICES['dashboard'].usd} for each page",
        f"the key costs {PRICES['key'].usd + 2 * PRICES['key-rotation'].usd}",
        f"up to {COUNTED * PRICES['custom-metric'].usd} for the {COUNTED} metrics that its functions count",
        f"| 60 | 60 | {PRICES['alarm'].usd} |",
        f"| 30 | 30 | {PRICES['fast-alarm'].usd} |",
        f"| 10 | 10 | {PRICES['fast-alarm'].usd} |",
        f"one series more ({MINUTES_A_MONTH * PRICES['metric-read'].each:.2f} a month if every minute)",
    ],
)
def test_scale_page_has_the_listed_prices(words: str) -> None:
    assert words in SCALE


def test_checking_twice_as_often_costs_twice_as_much() -> None:
    cost = {month.every_minutes: month.standard for month in checks(5)}
    assert list(cost) == list(SCHEDULES)
    assert cost[1] == 2 * cost[2]


def test_every_price_has_a_source_and_a_date() -> None:
    assert [name for name, price in PRICES.items() if not (price.source and price.date)] == []
