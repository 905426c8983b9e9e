"""Every list of severities agrees with `settings.severities`."""

from typing import get_args

import pytest

import report
from components.dashboard_layout import COLOURS
from settings import WORST_FIRST, Severity
from tools.rehearsal import show
from tools.rehearsal.report import plots


def test_functions_have_the_same_severities_in_the_same_order() -> None:
    """The functions' zip cannot import `settings`, so `report` holds its own list."""
    assert get_args(report.Severity) == report.WORST_FIRST == get_args(Severity) == WORST_FIRST


@pytest.mark.parametrize(
    "colours", [COLOURS, show.SEVERITIES, plots.SEVERITIES], ids=["dashboard", "terminal", "plots"]
)
def test_every_severity_has_a_colour(colours: dict[str, str]) -> None:
    assert tuple(colours) == WORST_FIRST
