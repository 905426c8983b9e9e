"""The command `rehearse`: deploys to an AWS on this machine, plays scenarios there, and shows what people are told.

Wiring only; what a scenario is, and how it is played and shown, is in `rehearsal`.
"""

import json
import tempfile
import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from tools.cli.answers import answered, console, progress
from tools.operations.outputs import exports, writable_file, writable_folder

Names = Annotated[list[str] | None, typer.Argument(help="files, or names of shipped scenarios; by default all")]
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


def rehearse(  # noqa: PLR0917  options are given by name
    scenarios: Names = None,
    environment: OtherEnvironment = None,
    json_file: JsonFile = None,
    report: ReportFolder = None,
    keep: Annotated[bool, typer.Option("--keep", help="afterwards leave all running until Ctrl-C")] = False,  # noqa: FBT002
    full: Annotated[bool, typer.Option("--full", help="show every timeline and message, as for one scenario")] = False,  # noqa: FBT002
) -> None:
    """Deploy to an AWS on this machine, play scenarios there, and show what people would be told.

    Exits with 0 if every expectation holds, with 1 if one does not, and with 2 if a file cannot be used.
    """
    from tools.local_aws import LocalAws  # noqa: PLC0415  loads moto
    from tools.rehearsal.assignment import at_home, fitting  # noqa: PLC0415
    from tools.rehearsal.deployment import deploy, load  # noqa: PLC0415
    from tools.rehearsal.reading import load_scenarios  # noqa: PLC0415
    from tools.rehearsal.run import play  # noqa: PLC0415
    from tools.rehearsal.show import show  # noqa: PLC0415

    with answered():
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
        begun = time.monotonic()
        region = next(iter(environments.values())).region
        with LocalAws(region=region) as aws, tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
            with progress() as say:
                deployments = deploy(aws, {assignment.environment for assignment in assignments}, Path(folder), say)
                deployed = time.monotonic() - begun
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
                answer = {
                    "passed": all(result.passed for result in results),
                    "seconds": {name: round(value, 3) for name, value in seconds.items()},
                    "scenarios": [result.as_json() for result in results],
                }
                json_file.write_text(json.dumps(answer, indent=2) + "\n", encoding="utf-8")
            if report:
                from tools.rehearsal.report import write  # noqa: PLC0415  loads the plotting library

                console.print(f"report: {write(results, report)}", markup=False, soft_wrap=True)
            if keep:
                _stay(aws.environment())
    raise typer.Exit(0 if all(result.passed for result in results) else 1)


def _stay(variables: dict[str, str]) -> None:
    """Leave the local AWS running, and say how to look into it."""
    typer.echo(exports(variables))
    typer.echo("# All that was deployed stays until Ctrl-C.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        typer.echo("# Stopped; everything in it is gone.")
