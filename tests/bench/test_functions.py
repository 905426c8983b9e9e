"""Both functions, from the zip that is deployed and in a process of their own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.health_rules import health_rules
from components.lambda_package import lambda_package
from components.paths import PROJECT
from settings import load_environment
from tests.unit.stream import policy

NEW_MODULES = """\
import sys
import boto3, botocore.config
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
__import__(sys.argv[2])
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""
IMPORT_SECONDS = """\
import sys, time
import boto3, botocore.config
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
begun = time.process_time()
__import__(sys.argv[2])
print(time.process_time() - begun)
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lambda_package().write_to(tmp_path_factory.mktemp("zip"))


@pytest.mark.parametrize("function", ["stream-monitor", "alert-handler"])
def test_warm_function_makes_no_client_and_is_fast(archive: Path, tmp_path: Path, function: str) -> None:
    environment = load_environment("dev", root=PROJECT, environ={}, context={})
    (flow,) = environment.flows
    rows = [row.as_json() for row in health_rules(flow, environment.thresholds_of(flow))]
    (tmp_path / "policy.json").write_text(json.dumps(policy(rules=rows)))
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.functions", function, str(archive), str(tmp_path / "policy.json"), "100"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout)
    assert figures["clients_made_when_warm"] == 0
    assert figures["warm_ms"] < 100
    assert figures["peak_mb"] < 5
    assert figures["process_mb"] < 200, "the functions are given 256 MB"


@pytest.mark.parametrize("function", ["stream_monitor", "alert_handler"])
def test_function_imports_nothing_beyond_boto3_and_itself(archive: Path, function: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NEW_MODULES, str(archive), f"{function}.handler"],
        capture_output=True,
        text=True,
        check=True,
    )
    # Texts for phones need `unicodedata`, a part of Python that is loaded in a millisecond.
    ours = {"event_log", "measures", "report", "schema"}
    assert set(done.stdout.split()) <= {function, *ours, "unicodedata", "zipimport"}


@pytest.mark.parametrize("function", ["stream_monitor", "alert_handler"])
def test_cold_import_of_our_modules_takes_less_than_250_ms(archive: Path, function: str) -> None:
    """Compiling them is what a cold start adds to boto3's import. CPU time: the machine may be busy."""
    taken = [
        float(
            subprocess.run(
                [sys.executable, "-c", IMPORT_SECONDS, str(archive), f"{function}.handler"],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for _ in range(3)
    ]
    assert 0 < min(taken) < 0.25, taken
