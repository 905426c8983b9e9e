"""`media-workflow rehearse`."""

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tools.cli.shared import console, print_line, progress, wait_for_interrupt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tools.rehearsal.timeline import Result

Scenarios = Annotated[list[str] | None, typer.Argument(help="files, or names of shipped scenarios; by default all")]
OtherEnvironment = Annotated[
    str | None,
    typer.Option(
        "--environment",
        help="play on this environment, as in environments/<name>.toml, instead of their own: each scenario on "
        "every flow that has what it needs",
    ),
]
JsonFile = Annotated[Path | None, typer.Option("--json", help="write all that happened to this file")]
ReportFolder = Annotated[Path | None, typer.Option("--report", help="write report.html to this folder")]


def rehearse(
    scenarios: Scenarios = None,
    *,
    environment: OtherEnvironment = None,
    json_file: JsonFile = None,
    report: ReportFolder = None,
    keep: Annotated[bool, typer.Option("--keep", help="leave everything running until Ctrl-C")] = False,
    full: Annotated[bool, typer.Option("--full", help="show every timeline and message, as for one scenario")] = False,
) -> None:
    """Deploy to a local AWS, play scenarios there, and show the notifications.

    Exit 0 if every expectation holds, 1 if one does not, 2 if a file cannot be used.
    """
    from tools.local_aws import LocalAws
    from tools.operations.outputs import exports, writable_file, writable_folder
    from tools.rehearsal.assignment import at_home, fitting
    from tools.rehearsal.deployment import deploy, load
    from tools.rehearsal.reading import load_scenarios
    from tools.rehearsal.run import play
    from tools.rehearsal.show import show

    loaded = load_scenarios(scenarios or [])
    environments = load([environment] if environment else [scenario.environment for scenario in loaded])
    left_out: list[str] = []
    if environment:
        assignments, left_out = fitting(loaded, environments[environment])
    else:
        assignments = at_home(loaded, environments)
    if json_file:
        writable_file(json_file, "--json")
    if report:
        writable_folder(report, "--report")
    started = time.monotonic()
    region = next(iter(environments.values())).region
    with LocalAws(region=region) as aws, tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        with progress() as say:
            deployments = deploy(aws, {assignment.environment for assignment in assignments}, Path(folder), say)
            deployed = time.monotonic() - started
            results = []
            for number, assignment in enumerate(assignments, 1):
                if console.is_terminal:
                    say(f"playing {number} of {len(assignments)}: {assignment.name}")
                results.append(play(assignment, deployments[assignment.environment], evidence=report is not None))
        seconds = {"deploy": deployed, "play": sum(result.seconds for result in results)}
        show(results, console, full=full or len(assignments) == 1, seconds=seconds)
        for line in left_out:
            console.print(f"not played: {line}", style="dim", markup=False, soft_wrap=True)
        if json_file:
            json_file.write_text(_as_json(results, seconds), encoding="utf-8")
        if report:
            from tools.rehearsal.report import write

            print_line(f"report: {write(results, report)}")
        if keep:
            typer.echo(exports(aws.environment()))
            wait_for_interrupt("Everything that was deployed keeps running. Stop it with Ctrl-C.")
    raise typer.Exit(0 if all(result.passed for result in results) else 1)


def _as_json(results: "Sequence[Result]", seconds: "Mapping[str, float]") -> str:
    content = {
        "passed": all(result.passed for result in results),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "scenarios": [result.as_json() for result in results],
    }
    return json.dumps(content, indent=2) + "\n"
