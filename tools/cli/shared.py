"""What all commands share: parameters, the console, the account check, and errors as text and exit code.

Imports at module level stay light, here and in the commands: `media-workflow --help` loads all of them.
"""

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from components.paths import PROJECT

console: Final = Console(highlight=False)
errors: Final = Console(stderr=True, highlight=False, soft_wrap=True)

WITHOUT_AWS: Final = frozenset({"github_ids"})
"""Commands that take an environment and never talk to AWS."""
ENVIRONMENTS: Final = PROJECT / "environments"


def environment_names() -> list[str]:
    """The environments that have a file, for shell completion."""
    return sorted(path.stem for path in ENVIRONMENTS.glob("*.toml"))


EnvironmentName = Annotated[
    str, typer.Argument(help="environment, as in environments/<name>.toml", autocompletion=environment_names)
]
FlowName = Annotated[str | None, typer.Argument(help="name of a flow")]
AllFlows = Annotated[bool, typer.Option("--all", help="every flow of the environment")]
Yes = Annotated[bool, typer.Option("--yes", help="agree without being asked")]
Allowed = Annotated[
    list[str] | None, typer.Option("--allow", help="allow this blocked change, as ADDRESS:ACTION (repeatable)")
]


def command(function: Callable[..., None]) -> Callable[..., None]:
    """A command that checks its environment and account first, and whose errors are text and an exit code."""
    taken = inspect.signature(function).parameters.get("environment")
    on_aws = taken and taken.default is inspect.Parameter.empty and function.__name__ not in WITHOUT_AWS

    @functools.wraps(function)
    def run(**given: Any) -> None:
        with exit_on_error():
            if on_aws:
                from tools.operations.account import check_environment

                check_environment(given["environment"], warn=print_error)
            function(**given)

    return run


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Print an error that an operator can cause, and exit with its code. Any other error passes."""
    try:
        yield
    except Exception as error:
        if (answer := _answer(error)) is None:
            raise
        text, code = answer
        if text:
            print_error(text)
        raise typer.Exit(code) from error


def print_error(text: str) -> None:
    """Print to standard error, as it is."""
    errors.print(text, markup=False)


def print_line(text: str) -> None:
    """Print to standard output, as it is."""
    console.print(text, markup=False, soft_wrap=True)


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show what is being done: on a terminal as a spinner, elsewhere line by line."""
    if not console.is_terminal:
        yield lambda text: print_line(f"... {text}")
        return
    with console.status("starting a local AWS") as status:
        yield status.update


def wait_for_interrupt(text: str) -> None:
    """Print a comment for a shell, and wait for Ctrl-C."""
    print_line(f"# {text}")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print_line("# Stopped. Nothing was kept.")


def _answer(error: Exception) -> tuple[str, int] | None:
    """Text and exit code of an error that an operator can cause; None for any other."""
    from botocore.exceptions import BotoCoreError, ClientError

    from settings import OperatorError
    from tools.operations.aws_errors import explained
    from tools.terraform.processes import CancelledError, end_undisturbed

    if isinstance(error, CancelledError):
        end_undisturbed()
    if isinstance(error, OperatorError):
        return str(error), error.exit_code
    if isinstance(error, BotoCoreError | ClientError):
        return explained(error)
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        reason = (error.strerror or str(error)).lower()
        return (f"{error.filename}: {reason}." if error.filename is not None else f"{reason}."), 1
    return None
