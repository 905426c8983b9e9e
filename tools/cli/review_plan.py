"""`media-workflow review-plan`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tools.cli.shared import Allowed


def review_plan(
    plan: Annotated[Path, typer.Argument(help="output of `terraform show -json PLANFILE`; - for standard input")],
    environment: Annotated[str | None, typer.Option(help="environment whose protection applies")] = None,
    allow: Allowed = None,
    form: Annotated[Literal["markdown", "json", "text"], typer.Option("--format", help="output format")] = "markdown",
) -> None:
    """Show the live impact of a plan, worst first. Exit 1: blocked, 2: cannot be read."""
    from tools.operations.review import review_file

    text, blocked = review_file(plan, environment=environment, allow=allow or (), form=form)
    typer.echo(text)
    raise typer.Exit(1 if blocked else 0)
