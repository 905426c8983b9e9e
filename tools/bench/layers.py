"""Measures what each layer of `slim_bindings` gives: all of them, each one off in turn, and the stock bindings."""

import itertools
import statistics
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from slim_bindings import OFF_SWITCH
from tools.bench.synthesis import Measured, measure_command
from tools.bench.tables import show
from tools.compat.source import copy_source

ROUNDS: Final = 12
LONG_EVERY: Final = 4
"""Rounds; what takes long is measured in one of so many."""
ALL: Final = "all layers"
STOCK: Final = "stock bindings"
LONG: Final = {"load", STOCK}
PROGRAM: Final = """\
from slim_bindings import node
start = node.start
def started_and_changed():
    started = start()
    {change}
    return started
node.start = started_and_changed
import main
main.run()
"""
"""Changes `slim_bindings` once Node is started: what is changed imports jsii, and Node is started before that."""
WITHOUT: Final[Mapping[str, str]] = {
    ALL: "pass",
    "load": "from slim_bindings import load; load.install = lambda *_, **__: False",
    "assembly": (
        "import shutil; from slim_bindings import load; load._cached = lambda shipped, _, cache: "
        "path if (path := cache / 'whole.jsii.tgz').exists() else shutil.copy(shipped.archive, path)"
    ),
    "lean": (
        "from slim_bindings import lean; from importlib.machinery import SourceFileLoader as Stock; "
        "lean.install = lambda *_, **__: None; lean.LeanLoader.get_code = Stock.get_code"
    ),
    "node": "",  # not started: see `program`
    "ahead": "from slim_bindings import ahead; ahead._Ahead.load = ahead.ProcessProvider.load",
    "gc": "import gc; gc.disable = gc.freeze = lambda: None",
}
"""What turns each layer off. Without `load` its assembly is stock, too, and without `node` nothing loads ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Synthesis without one layer: seconds of each round; median CPU seconds and peak memory."""

    seconds: tuple[float, ...]
    cpu_seconds: float
    megabytes: float

    @property
    def median(self) -> float:
        """Seconds of the median round."""
        return statistics.median(self.seconds)

    @property
    def least(self) -> float:
        """Seconds of the fastest round, which other work on the machine has disturbed least."""
        return min(self.seconds)


def layers(folder: Path) -> dict[str, Any]:
    """`prod` with all layers, without each of them, and stock; they take turns, so that all share what disturbs."""
    checkout = folder / "checkout"
    copy_source(checkout)
    for name in WITHOUT:
        _measure(name, checkout, folder / "out")  # fills the caches, those of Python, too
    runs: dict[str, list[Measured]] = {name: [] for name in (*WITHOUT, STOCK)}
    for number, name in itertools.product(range(ROUNDS), runs):
        if name not in LONG or number % LONG_EVERY == 0:
            runs[name].append(_measure(name, checkout, folder / "out"))
    found = {
        name: Layer(
            seconds=tuple(it.seconds for it in measured),
            cpu_seconds=statistics.median(it.cpu_seconds for it in measured),
            megabytes=statistics.median(it.total_mb for it in measured),
        )
        for name, measured in runs.items()
    }
    _show(found)
    return {name: asdict(it) for name, it in found.items()}


def program(name: str) -> str:
    """The Python program that synthesizes without a layer."""
    if name == "node":
        return "from slim_bindings import node; node.start = lambda: False; import main; main.run()"
    return PROGRAM.format(change=WITHOUT[name])


def _measure(name: str, checkout: Path, output: Path) -> Measured:
    environ = {"TF_WORKSPACE": "prod", "CDKTF_OUTDIR": str(output)}
    if name == STOCK:
        return measure_command([sys.executable, "main.py"], folder=checkout, environ={**environ, OFF_SWITCH: "1"})
    return measure_command([sys.executable, "-c", program(name)], folder=checkout, environ=environ)


def _show(found: Mapping[str, Layer]) -> None:
    everything = found[ALL]
    show(
        f"Synthesizing prod without one layer, {ROUNDS} rounds",
        ("without", "median s", "times all", "fastest s", "times all", "CPU seconds", "MB"),
        [
            (
                name,
                f"{it.median:.2f}",
                f"{it.median / everything.median:.2f}",
                f"{it.least:.2f}",
                f"{it.least / everything.least:.2f}",
                f"{it.cpu_seconds:.2f}",
                f"{it.megabytes:.0f}",
            )
            for name, it in found.items()
        ],
    )
