"""What the documentation says of settings is what can be set."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from settings import (
    BackupSource,
    CiAccess,
    Encryption,
    Environment,
    Flow,
    Maintenance,
    Notification,
    Output,
    Thresholds,
)
from settings.load import OVERRIDES
from tools.rehearsal.reading import shipped
from tools.rehearsal.scenario import BREAKS, Event, Expectation, Fault, Needs, Phase, Scenario, Target

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCENARIOS = (DOCS / "scenarios.md").read_text(encoding="utf-8")
SETTINGS = (DOCS / "settings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "model",
    [
        *(part for union in (BackupSource, Output) for part in get_args(get_args(union)[0])),
        *(CiAccess, Encryption, Environment, Flow, Maintenance, Notification, Thresholds),
    ],
)
def test_every_setting_is_documented(model: type[BaseModel]) -> None:
    documented = set(re.findall(r"`([a-z_]+)`", SETTINGS))
    assert set(model.model_fields) - {"name"} - documented == set()


@pytest.mark.parametrize("model", [CiAccess, Environment, Flow, Notification, Thresholds])
def test_every_default_is_the_documented_one(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        if isinstance(field.default, bool | int | float | str):
            shown = json.dumps(field.default)
        elif field.default is PydanticUndefined and name != "name":
            shown = "required"
        else:
            continue
        row = rf"^\| `{name}` \| `?{re.escape(shown)}`? \|"
        assert re.search(row, SETTINGS, re.MULTILINE), f"{name}: default {shown}"


def test_every_setting_from_outside_the_file_is_documented() -> None:
    for override in OVERRIDES:
        assert f"| `{override.variable}` | `{override.context}` |" in SETTINGS


@pytest.mark.parametrize("part", [Scenario, Phase, Event, Fault, Expectation, Needs])
def test_every_key_of_a_scenario_is_documented(part: type[BaseModel]) -> None:
    documented = set(re.findall(r"`([a-z_-]+)`", SCENARIOS)) | set(re.findall(r"`\[\[([a-z]+)\]\]`", SCENARIOS))
    assert {field.alias or name for name, field in part.model_fields.items()} - documented == set()


def test_every_target_of_a_fault_is_documented() -> None:
    named = set(re.findall(r"`([a-z_-]+)`", SCENARIOS))
    assert {*get_args(Target), *BREAKS, *(error for errors in BREAKS.values() for error in errors)} - named == set()


def test_the_page_on_self_monitoring_names_scenarios_that_exist() -> None:
    page = (DOCS / "self-monitoring.md").read_text(encoding="utf-8")
    last = [line.rsplit("|", 2)[1] for line in page.splitlines() if line.startswith("| ")]
    named = {name for cell in last for name in re.findall(r"`([a-z_]+)`", cell)}
    assert len(named) > 8
    assert named - set(shipped()) == set()
