"""Asking the person at the terminal before something is changed."""

import sys

import typer

from settings import OperatorError
from tools.operations.errors import InputError


class DeclinedError(OperatorError):
    """The person did not agree."""

    def __init__(self) -> None:
        super().__init__("Nothing was changed.")


def need_terminal(*, agreed: bool) -> None:
    """Make sure, before any work, that somebody can be asked.

    Args:
        agreed: nothing will be asked.

    Raises:
        InputError: there is no terminal.
    """
    if not agreed and not sys.stdin.isatty():
        raise InputError(
            "This command asks before it changes anything, and there is no terminal to ask at. Run it on a terminal, "
            "or with --yes to agree beforehand."
        )


def agree(question: str, *, agreed: bool, typed: bool = False) -> None:
    """Ask a question on standard error, where it is seen although the output goes to a file.

    Args:
        question: ends with a question mark.
        agreed: do not ask.
        typed: only the word `yes` agrees, because something is applied or destroyed.

    Raises:
        InputError: there is no terminal.
        DeclinedError: the person does not agree.
    """
    if agreed:
        return
    if not sys.stdin.isatty():
        raise InputError(f"{question} There is no terminal to ask at; --yes agrees. Nothing was changed.")
    if typed:
        answer = typer.prompt(f"\n{question} Only 'yes' is accepted", default="", show_default=False, err=True)
        yes = answer.strip() == "yes"
    else:
        yes = typer.confirm(question, err=True)
    if not yes:
        raise DeclinedError
