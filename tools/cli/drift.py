"""`media-workflow drift`."""

import os
from typing import Annotated, Final

import typer

from tools.cli.shared import EnvironmentName

DRIFT_FOUND: Final = 3


def drift(
    environment: EnvironmentName,
    *,
    issue: Annotated[bool, typer.Option("--issue", help="report it in an issue on GitHub")] = False,
) -> None:
    """Check for drift. Exit 0: none, 3: drift, 1: could not check.

    With --issue, drift opens or updates one issue and exits with 0; no drift closes it.
    """
    from tools.operations.drift import find_drift
    from tools.operations.github import Repository

    repository = Repository.of_workflow(os.environ) if issue else None
    found = find_drift(environment)
    if repository:
        repository.report_drift(environment, found.as_markdown() if found else None)
    typer.echo(found.as_text())
    raise typer.Exit(DRIFT_FOUND if found and not issue else 0)
