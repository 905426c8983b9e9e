"""What the documentation says of settings is what can be set."""

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from rehearsal.scenario import Event, Expectation, Fault, Needs, Phase, Scenario
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

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCENARIOS = (DOCS / "scenarios.md").read_text(encoding="utf-8")
SETTINGS = (DOCS / "settings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "model", [BackupSource, CiAccess, Encryption, Environment, Flow, Maintenance, Notification, Output, Thresholds]
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
            shown = "needed"
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
