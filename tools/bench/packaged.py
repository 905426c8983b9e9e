"""Measures both functions from the packaged zip, each in a process of its own."""

import itertools
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from components.lambda_package import lambda_package
from components.paths import PROJECT
from tools.bench.synthesis import measure
from tools.bench.tables import show

FUNCTIONS: Final = ("stream-monitor", "alert-handler")
RULES: Final = (1, 10, 100)


def functions(folder: Path) -> dict[str, Any]:
    """Both functions, over 1, 10 and 100 rules."""
    measure(PROJECT, folder / "out", "dev", python=sys.executable)
    stack = json.loads((folder / "out" / "stacks" / "media-workflow" / "cdk.tf.json").read_text(encoding="utf-8"))
    (parameter,) = stack["resource"]["aws_ssm_parameter"].values()
    policy = folder / "policy.json"
    policy.write_text(parameter["value"], encoding="utf-8")
    archive = lambda_package().write_to(folder)
    found: dict[str, dict[str, Any]] = {function: {} for function in FUNCTIONS}
    for function, rules in itertools.product(FUNCTIONS, RULES):
        found[function][str(rules)] = _figures(function, archive, policy, rules)
    size = archive.stat().st_size
    _show(found, size)
    return {"zip_bytes": size, **found}


def _figures(function: str, archive: Path, policy: Path, rules: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tools.bench.functions", function, str(archive), str(policy), str(rules)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{function} failed over {rules} rules:\n{done.stderr}")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _show(found: Mapping[str, Mapping[str, Any]], size: int) -> None:
    show(
        f"Functions from the zip ({size / 1024:.0f} KB), without the network",
        ("function", "rules", "cold import ms", "warm ms", "MB of a call", "MB of the process"),
        [
            (
                function,
                rules,
                f"{it['cold_import_ms']:.0f}",
                f"{it['warm_ms']:.2f}",
                f"{it['peak_mb']:.2f}",
                f"{it['process_mb']:.0f}",
            )
            for function, by_rules in found.items()
            for rules, it in by_rules.items()
        ],
    )
