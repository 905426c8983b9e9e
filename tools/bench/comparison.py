"""Compares ways to synthesize `prod`, and synthesis of more and more flows."""

import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from components.paths import PROJECT
from slim_bindings import OFF_SWITCH
from tools.bench.flows import environment_text
from tools.bench.synthesis import Measured, measure, measure_command
from tools.bench.tables import console, show
from tools.compat.source import copy_source
from tools.compat.variants import VARIANTS, install

EQUIVALENT: Final = PROJECT / "tools" / "bench" / "equivalent"
ROUNDS: Final = 5
GROWTH: Final = (1, 10, 100, 500)
STOCK: Final = {OFF_SWITCH: "1"}

Ways = dict[str, Callable[[], Measured]]


def synthesis(folder: Path) -> dict[str, Any]:
    """`prod` in every way: the median of some rounds, and a single run where one takes long.

    The ways take turns, so that other work on the machine slows all of them.
    """
    checkout = folder / "checkout"
    copy_source(checkout)

    def ours(environ: Mapping[str, str] | None = None) -> Measured:
        return measure(checkout, folder / "out", "prod", python=sys.executable, environ=environ)

    found = {"ours, first run ever": ours(), "stock bindings": ours(STOCK)}
    ways: Ways = {"ours": ours, **_ways_of_the_fork(folder), **_ways_of_typescript(folder)}
    rounds = [{name: way() for name, way in ways.items()} for _ in range(ROUNDS)]
    found |= {name: _median([it[name] for it in rounds]) for name in ways}
    _show_synthesis(found)
    return {name: asdict(it) for name, it in found.items()}


def _ways_of_the_fork(folder: Path) -> Ways:
    (fork,) = [variant for variant in VARIANTS if variant.name == "fork"]
    install(fork)
    copy_source(fork.folder / "source", fork.rename)

    def forked(environ: Mapping[str, str]) -> Measured:
        return measure(fork.folder / "source", folder / "fork", "prod", python=str(fork.python), environ=environ)

    forked({})  # fills its cache of bindings
    return {
        "CDK Terrain, its own lazy bindings": lambda: forked(STOCK),
        "CDK Terrain, with ours": lambda: forked({}),
    }


def _ways_of_typescript(folder: Path) -> Ways:
    """The equivalent program in TypeScript, over the stacks in `folder`; nothing if npm cannot install its packages."""
    build = PROJECT / ".build" / "equivalent"
    shutil.copytree(EQUIVALENT, build, dirs_exist_ok=True)
    if not (build / "node_modules" / "@cdktf").is_dir():
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--silent"]
        if subprocess.run(command, cwd=build, check=False).returncode:
            console.print("npm cannot install the packages of the TypeScript program: it is left out", markup=False)
            return {}
    stacks = map(str, sorted((folder / "out").glob("stacks/*/cdk.tf.json")))
    command = ["node", "main.js", str(folder / "typescript"), *stacks]
    return {"TypeScript, equivalent program": lambda: measure_command(command, folder=build)}


def _median(rounds: Sequence[Measured]) -> Measured:
    """The median of each figure."""
    return Measured(
        seconds=statistics.median(it.seconds for it in rounds),
        cpu_seconds=statistics.median(it.cpu_seconds for it in rounds),
        python_mb=statistics.median(it.python_mb for it in rounds),
        node_mb=statistics.median(it.node_mb for it in rounds),
    )


def _show_synthesis(found: Mapping[str, Measured]) -> None:
    ours = found["ours"]
    show(
        "Synthesizing prod",
        ("", "seconds", "times ours", "CPU seconds", "times ours", "Python MB", "Node MB", "MB, times ours"),
        [
            (
                name,
                f"{it.seconds:.2f}",
                f"{it.seconds / ours.seconds:.1f}",
                f"{it.cpu_seconds:.2f}",
                f"{it.cpu_seconds / ours.cpu_seconds:.1f}",
                f"{it.python_mb:.0f}",
                f"{it.node_mb:.0f}",
                f"{it.total_mb / ours.total_mb:.1f}",
            )
            for name, it in found.items()
        ],
    )


def growth(folder: Path) -> dict[str, Any]:
    """Synthesis of 1 to 500 flows."""
    checkout = folder / "checkout"
    copy_source(checkout)
    for flows in GROWTH:
        (checkout / "environments" / f"of{flows}.toml").write_text(environment_text(flows), encoding="utf-8")
    measure(checkout, folder / "out", f"of{GROWTH[0]}", python=sys.executable)  # fills the cache of bindings
    found = {flows: measure(checkout, folder / "out", f"of{flows}", python=sys.executable) for flows in GROWTH}
    show(
        "Synthesizing more flows",
        ("flows", "seconds", "ms a flow", "CPU seconds", "Python MB", "Node MB"),
        [
            (
                str(flows),
                f"{it.seconds:.1f}",
                f"{1000 * it.seconds / flows:.0f}",
                f"{it.cpu_seconds:.1f}",
                f"{it.python_mb:.0f}",
                f"{it.node_mb:.0f}",
            )
            for flows, it in found.items()
        ],
    )
    return {str(flows): asdict(it) for flows, it in found.items()}
