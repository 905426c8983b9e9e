"""A retired name of a setting works with a warning; the table of names is right about itself."""

import logging
from pathlib import Path
from typing import Any

import pytest

from settings import Environment, SettingsError
from settings import load as loading
from settings.renamed import RENAMED, Renamed, rename
from tests.unit.environments import GOOD, load

OLD = f"function_concurrency = 3\n{GOOD}"
ROWS = (
    Renamed(old="speed", new="rate", removed_in="2.0.0"),
    Renamed(place=("flows", "source"), old="range", new="allowed_cidr", removed_in="2.0.0"),
    Renamed(old="gone", new="rate", removed_in=""),
)


def test_retired_name_works_and_warns_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    loading._warn.cache_clear()
    with caplog.at_level(logging.WARNING, logger="settings"):
        assert load(tmp_path, OLD).reserved_concurrency == 3
        load(tmp_path, OLD)
    (warning,) = caplog.messages
    assert warning == (
        "environments/dev.toml: function_concurrency is now called reserved_concurrency. "
        "The old name stops working in release 1.0.0: rename it."
    )


def test_retired_name_beside_the_new_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is the old name of reserved_concurrency, which is given too; remove"):
        load(tmp_path, f"reserved_concurrency = 3\n{OLD}")


def test_retired_name_in_the_wrong_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"flows.live.function_concurrency: is not a setting"):
        load(tmp_path, GOOD.replace('name = "live"', 'name = "live"\nfunction_concurrency = 3'))


def test_names_below_lists_are_replaced_and_named_by_flow() -> None:
    raw: dict[str, Any] = {"speed": 1, "flows": [{"name": "a", "source": {"range": "x"}}, {"name": "b"}, "nonsense"]}
    warnings, problems = rename(raw, "dev.toml", ROWS)
    assert raw == {"rate": 1, "flows": [{"name": "a", "source": {"allowed_cidr": "x"}}, {"name": "b"}, "nonsense"]}
    assert [warning.split(".toml: ")[1].split(" The")[0] for warning in warnings] == [
        "speed is now called rate.",
        "flows.a.source.range is now called flows.a.source.allowed_cidr.",
    ]
    assert problems == []


def test_removed_name_is_refused_with_its_replacement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    removed = (Renamed(old="speed_limit", new="reserved_concurrency", removed_in=""),)
    monkeypatch.setattr("settings.renamed.RENAMED", removed)
    assert rename({"speed_limit": 3}, "dev.toml", removed) == ([], [])
    with pytest.raises(SettingsError, match=r"speed_limit: is not a setting; did you mean reserved_concurrency\?"):
        load(tmp_path, f"speed_limit = 3\n{GOOD}")


@pytest.mark.parametrize("row", [row for row in RENAMED if not row.place])
def test_table_leads_from_retired_to_current_names(row: Renamed) -> None:
    assert row.old not in Environment.model_fields
    assert row.new in Environment.model_fields
