"""`media-workflow plan`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from tools.cli.shared import Allowed, EnvironmentName


def plan(
    environment: EnvironmentName,
    *,
    allow: Allowed = None,
    allow_in: Annotated[
        str | None,
        typer.Option(help="environment variable with a text whose lines `allow ADDRESS:ACTION` allow changes"),
    ] = None,
    allow_in_pull_request: Annotated[
        bool,
        typer.Option(
            "--allow-in-pull-request",
            help="read the lines `allow ADDRESS:ACTION` in the description of the workflow's pull request",
        ),
    ] = False,
    save: Annotated[Path | None, typer.Option(help="keep the plan and its review in this folder")] = None,
) -> None:
    """Show what would change and its live impact; exit 1 if the review blocks the plan."""
    from tools.operations.github import description_of_pull_request
    from tools.operations.reviewed import make_plan
    from tools.plan_review import as_text
    from tools.plan_review.allowances import allowances_in

    text = os.environ.get(allow_in, "") if allow_in else ""
    if allow_in_pull_request:
        text = f"{text}\n{description_of_pull_request(os.environ)}"
    found = make_plan(environment, allow=[*(allow or ()), *allowances_in(text)], save=save)
    typer.echo(f"\n{as_text(found)}")
    raise typer.Exit(1 if found.blocked else 0)
