"""`media-workflow reviewed-run`."""

import os
from typing import Annotated

import typer


def reviewed_run(commit: Annotated[str, typer.Argument(help="commit on the default branch")]) -> None:
    """Print which workflow run planned the pull request of a commit, as the output `run-id` of a workflow's step."""
    from tools.operations.github import Repository

    typer.echo(f"run-id={Repository.of_workflow(os.environ).run_of_plan(commit)}")
