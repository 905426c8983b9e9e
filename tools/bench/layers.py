"""Measures what each layer of `slim_bindings` gives: all of them, each one off in turn, and the stock bindings."""

import statistics
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from components.bindings import install
from slim_bindings import OFF_SWITCH
from tools.bench.synthesis import Measured, measure_command
from tools.bench.tables import show
from tools.compat.source import copy_bindings, copy_source

ROUNDS: Final = 5
ALL: Final = "all layers"
STOCK: Final = "stock bindings"
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
    "assembly": "from slim_bindings import load; load._cached = lambda shipped, *_: shipped.archive",
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
    """Seconds to synthesize without one layer: of each round, and of the processor in the median round."""

    seconds: tuple[float, ...]
    cpu_seconds: float

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
    install()  # builds what is cached
    checkout = folder / "checkout"
    copy_source(checkout)
    copy_bindings(checkout)
    rounds = [
        {name: _measure(name, checkout, folder / "out") for name in (*WITHOUT, STOCK)} for _ in range(ROUNDS + 1)
    ][1:]  # the first one compiles what the layers do not
    found = {
        name: Layer(
            seconds=tuple(it[name].seconds for it in rounds),
            cpu_seconds=statistics.median(it[name].cpu_seconds for it in rounds),
        )
        for name in rounds[0]
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
        ("without", "median s", "times all", "fastest s", "times all", "CPU seconds"),
        [
            (
                name,
                f"{it.median:.2f}",
                f"{it.median / everything.median:.2f}",
                f"{it.least:.2f}",
                f"{it.least / everything.least:.2f}",
                f"{it.cpu_seconds:.2f}",
            )
            for name, it in found.items()
        ],
    )
