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
    from tools.operations.errors import InputError
    from tools.operations.github import Repository

    repository = Repository.of_workflow(os.environ)
    try:
        comment_text = text.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{text} is not UTF-8 text ({error}). Give the file with the comment.") from error
    repository.comment_once(number, comment_text)
