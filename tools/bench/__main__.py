"""`python -m tools.bench [section ...]`: measure, print tables, and write `.build/bench.json`.

Sections: synthesis, growth, functions, detection, plan. Without any, all run: some minutes.
"""

import itertools
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from components.lambda_package import lambda_package
from components.paths import PROJECT
from slim_bindings import OFF_SWITCH
from tools.bench.detection import EARLY_PERIODS, PATHS, detection, early
from tools.bench.flows import early_loss_text, environment_text
from tools.bench.synthesis import Measured, measure, measure_command
from tools.compat.source import copy_source
from tools.compat.variants import VARIANTS, install

RESULTS: Final = PROJECT / ".build" / "bench.json"
EQUIVALENT: Final = PROJECT / "tools" / "bench" / "equivalent"
ROUNDS: Final = 5
GROWTH: Final = (1, 10, 100, 500)
FUNCTIONS: Final = ("stream-monitor", "alert-handler")
RULES: Final = (1, 10, 100)
PLANNED_FLOWS: Final = 100

console = Console(width=None if sys.stdout.isatty() else 120)


def synthesis(folder: Path) -> dict[str, Any]:
    """`prod` by every way to synthesize it: the median of some rounds, and once where that is long.

    The ways take turns, so that whatever else this machine does hits all of them.
    """
    checkout = folder / "checkout"
    copy_source(checkout)
    out = folder / "out"
    found = {"ours, first run ever": measure(checkout, out, "prod", python=sys.executable)}
    stock = {OFF_SWITCH: "1"}
    found["stock bindings"] = measure(checkout, out, "prod", python=sys.executable, environ=stock)
    ways: dict[str, Callable[[], Measured]] = {"ours": lambda: measure(checkout, out, "prod", python=sys.executable)}
    (fork,) = [variant for variant in VARIANTS if variant.name == "fork"]
    install(fork)
    copy_source(fork.folder / "source", fork.rename)

    def forked(environ: Mapping[str, str]) -> Measured:
        return measure(fork.folder / "source", folder / "fork", "prod", python=str(fork.python), environ=environ)

    forked({})  # fills its cache of bindings
    ways["CDK Terrain, its own lazy bindings"] = lambda: forked(stock)
    ways["CDK Terrain, with ours"] = lambda: forked({})
    if program := equivalent():
        given = map(str, sorted(out.glob("stacks/*/cdk.tf.json")))
        command = ["node", str(program), str(folder / "typescript"), *given]
        ways["TypeScript, equivalent program"] = lambda: measure_command(command, folder=program.parent)
    rounds = [{name: way() for name, way in ways.items()} for _ in range(ROUNDS)]
    found |= {name: middle([round_[name] for round_ in rounds]) for name in ways}
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
    return {name: asdict(it) for name, it in found.items()}


def middle(rounds: Sequence[Measured]) -> Measured:
    """The median of each figure."""
    return Measured(
        seconds=statistics.median(it.seconds for it in rounds),
        cpu_seconds=statistics.median(it.cpu_seconds for it in rounds),
        python_mb=statistics.median(it.python_mb for it in rounds),
        node_mb=statistics.median(it.node_mb for it in rounds),
    )


def equivalent() -> Path | None:
    """The TypeScript side, with its packages installed; None where they cannot be had."""
    folder = PROJECT / ".build" / "equivalent"
    shutil.copytree(EQUIVALENT, folder, dirs_exist_ok=True)
    if not (folder / "node_modules" / "@cdktf").is_dir():
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--silent"]
        if subprocess.run(command, cwd=folder, check=False).returncode:
            console.print("npm cannot install the packages of the TypeScript side: it is left out", markup=False)
            return None
    return folder / "main.js"


def growth(folder: Path) -> dict[str, Any]:
    """The same for 1 to 500 flows."""
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


def functions(folder: Path) -> dict[str, Any]:
    """Both functions from the packaged zip, over 1, 10 and 100 rules."""
    measure(PROJECT, folder / "out", "dev", python=sys.executable)
    stack = json.loads((folder / "out" / "stacks" / "media-workflow" / "cdk.tf.json").read_text(encoding="utf-8"))
    (parameter,) = stack["resource"]["aws_ssm_parameter"].values()
    (folder / "policy.json").write_text(parameter["value"], encoding="utf-8")
    archive = lambda_package().write_to(folder)
    found: dict[str, dict[str, Any]] = {function: {} for function in FUNCTIONS}
    for function, rules in itertools.product(FUNCTIONS, RULES):
        given = [function, str(archive), str(folder / "policy.json"), str(rules)]
        command = [sys.executable, "-m", "tools.bench.functions", *given]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{function} failed over {rules} rules:\n{done.stderr}")
        found[function][str(rules)] = json.loads(done.stdout)
    show(
        f"Functions from the zip ({archive.stat().st_size / 1024:.0f} KB), without the network",
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
            for function in FUNCTIONS
            for rules, it in found[function].items()
        ],
    )
    return {"zip_bytes": archive.stat().st_size, **found}


def detection_times(folder: Path) -> dict[str, Any]:
    """Every shipped scenario, played on a local AWS: minutes from the failure to the message, by path.

    And packet loss on flows that differ in the period of the first alarm on it.
    """
    from tools.local_aws import LocalAws  # noqa: PLC0415  loads moto
    from tools.rehearsal.assignment import Assignment, at_home  # noqa: PLC0415
    from tools.rehearsal.deployment import deploy, load  # noqa: PLC0415
    from tools.rehearsal.reading import load_scenarios  # noqa: PLC0415
    from tools.rehearsal.run import play  # noqa: PLC0415

    scenarios = load_scenarios([])
    assignments = at_home(scenarios, load(scenario.environment for scenario in scenarios))
    with LocalAws() as aws:
        deployments = deploy(aws, {assignment.environment for assignment in assignments}, folder, lambda _: None)
        found = [
            detection(assignment.scenario.name, play(assignment, deployments[assignment.environment]))
            for assignment in assignments
        ]
        environments = folder / "settings" / "environments"
        environments.mkdir(parents=True)
        (environments / "early.toml").write_text(early_loss_text(EARLY_PERIODS), encoding="utf-8")
        deployment = deploy(aws, ["early"], folder, lambda _: None, settings_root=environments.parent)["early"]
        (loss,) = load_scenarios(["packet_loss"])
        by_period = [
            early(period, detection(flow.name, play(Assignment(loss, "early", flow), deployment)))
            for period, flow in zip(EARLY_PERIODS, deployment.environment.flows, strict=True)
        ]
    show(
        "Minutes from the failure to the message, and to each path's first finding",
        ("scenario", "message", *PATHS),
        [(it.scenario, amount(it.message), *(amount(it.by_path[path]) for path in PATHS)) for it in found],
    )
    show(
        "Seconds from packet loss to the message, by the period of the first alarm on it",
        ("seconds of a period", "message", "alarm", "USD a flow and month"),
        [
            (str(it.period), amount(it.message_seconds), amount(it.alarm_seconds), f"{it.usd_a_month:.2f}")
            for it in by_period
        ],
    )
    times = {it.scenario: {"message": it.message, **it.by_path} for it in found}
    return {**times, "early_packet_loss_seconds": [asdict(it) for it in by_period]}


def amount(value: float | None) -> str:
    """Minutes or seconds for a table."""
    return "-" if value is None else f"{value:g}"


def plan(folder: Path) -> dict[str, Any]:
    """Terraform's own time for many flows on a local AWS."""
    from tools.bench.planning import validate_and_plan  # noqa: PLC0415  loads moto

    begun = time.monotonic()
    planned = validate_and_plan(folder, PLANNED_FLOWS)
    seconds = time.monotonic() - begun
    show(
        f"terraform init, validate and plan of {PLANNED_FLOWS} flows",
        ("resources to add", "seconds"),
        [(str(planned), f"{seconds:.0f}")],
    )
    return {"flows": PLANNED_FLOWS, "resources": planned, "seconds": seconds}


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; all but its first column are figures."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


SECTIONS: Final[dict[str, Callable[[Path], dict[str, Any]]]] = {
    "synthesis": synthesis,
    "growth": growth,
    "functions": functions,
    "detection": detection_times,
    "plan": plan,
}


def main(names: Sequence[str]) -> int:
    """Run the named sections, or all of them; the figures of others stay in the file."""
    unknown = sorted(set(names) - set(SECTIONS))
    if unknown:
        sys.stderr.write(f"no section is called {', '.join(unknown)}; there are {', '.join(SECTIONS)}\n")
        return 2
    figures = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    for name in names or SECTIONS:
        with tempfile.TemporaryDirectory() as folder:
            figures[name] = SECTIONS[name](Path(folder))
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    console.print(f"The figures are in {RESULTS.relative_to(PROJECT)}.", markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
