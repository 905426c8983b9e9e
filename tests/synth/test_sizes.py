"""Every limit holds for the largest flow that there can be, or the setting is refused before anything can be planned."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.health_rules import NAMES_LISTED, health_rules, listed
from components.paths import PROJECT
from components.sizes import SIZES, oversized, resolved
from settings import Environment
from tests.synth.conftest import Synthesized
from tests.unit.environments import NAME, load, text


def synthesized(folder: Path, content: str) -> tuple[subprocess.CompletedProcess[str], Path]:
    """What `main.py` answered for an environment, and where it wrote."""
    (folder / "environments").mkdir()
    (folder / "environments" / "dev.toml").write_text(content, encoding="utf-8")
    output = folder / "out"
    done = subprocess.run(
        [sys.executable, "-c", "import main, pathlib, sys; main.run(pathlib.Path(sys.argv[1]))", str(folder)],
        cwd=PROJECT,
        env={**os.environ, "TF_WORKSPACE": "dev", "CDKTF_OUTDIR": str(output)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, output / "stacks" / "media-workflow" / "cdk.tf.json"


def measured(environment: Environment, content: dict[str, Any]) -> dict[tuple[str, str], int]:
    """The largest document of each row."""
    return {
        (row.what, row.unit): max((size for *_, size in row.measured(environment, content)), default=0) for row in SIZES
    }


@pytest.mark.parametrize("count", [10, 50])
def test_outputs_with_longest_names_fit_every_limit(tmp_path: Path, count: int) -> None:
    done, written = synthesized(tmp_path, text(count, flows=12))
    assert done.returncode == 0, done.stderr
    environment = load(tmp_path, text(count, flows=12))
    sizes = measured(environment, json.loads(written.read_text()))
    limits = {(row.what, row.unit): row.limit for row in SIZES}
    assert {row: size for row, size in sizes.items() if size > limits[row]} == {}
    assert [row for row, size in sizes.items() if not size and row[0] != "the managed policy"] == []


def test_oversized_environment_is_refused_at_synth(tmp_path: Path) -> None:
    done, written = synthesized(tmp_path, text(50, stream=512, flows=2))
    assert done.returncode == 2
    assert done.stderr.startswith("2 settings cannot be used:\n")
    for number in range(2):
        assert f"environments/dev.toml: flows.{NAME[:60]}{number:04}.outputs is too large" in done.stderr
    assert "the CloudFormation template" in done.stderr
    assert "AWS takes 51,200; shorten stream ids and lists of ranges, or split it into two flows." in done.stderr
    assert "Traceback" not in done.stderr
    assert not written.exists()


def test_shipped_environments_are_far_from_every_limit(stacks: dict[str, Synthesized], tmp_path: Path) -> None:
    for name in main_environments():
        environment = load(tmp_path, (PROJECT / "environments" / f"{name}.toml").read_text())
        environment = environment.model_copy(update={"name": name})
        assert oversized(environment, stacks[name].content) == []


def main_environments() -> list[str]:
    return sorted(path.stem for path in (PROJECT / "environments").glob("*.toml"))


def test_tokens_are_measured_at_their_longest(dev: Synthesized) -> None:
    assert "${" not in resolved(dev.text)


def test_listed_names_are_cut_and_counted() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(["o" * 128]) == "o" * 128
    names = [f"{'o' * 125}{number:03}" for number in range(50)]
    assert listed(names) == f"{names[0]}, {names[1]} and 48 more"
    assert len(listed([f"out-{number}" for number in range(50)])) <= NAMES_LISTED + len(" and 50 more")


def test_alarm_of_fifty_outputs_still_has_its_actions(tmp_path: Path) -> None:
    environment = load(tmp_path, text(50))
    (flow,) = environment.flows
    (rule,) = [rule for rule in health_rules(flow, environment.thresholds) if rule.key == "output-disconnected"]
    words = f"{rule.severity}: {rule.meaning} {' '.join(rule.actions)}"
    assert len(words) <= 1024
    assert "and 48 more" in words
    assert words.endswith("check address, port and password.")
