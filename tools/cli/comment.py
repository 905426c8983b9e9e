"""`media-workflow comment`."""

import os
from pathlib import Path
from typing import Annotated

import typer


def comment(
    text: Annotated[Path, typer.Argument(help="file with the comment; its first line identifies it")],
    number: Annotated[int, typer.Option(help="number of the pull request")],
) -> None:
    """Write a comment on a pull request on GitHub, or replace the one with the same first line."""
    from tools.operations.github import Repository

    Repository.of_workflow(os.environ).comment_once(number, text.read_text(encoding="utf-8"))
