"""How commands speak to the person who started them: on the console, in sentences, with an exit code."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from operations.errors import InputError
from operations.flows import FlowError
from operations.github import GitHubError
from operations.interrupts import CancelledError, StepError, end_undisturbed
from operations.reviewed import StaleError
from operations.terraform import TerraformError
from plan_review import PlanError
from settings import SettingsError

console: Final = Console(highlight=False)
errors: Final = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def answered() -> Iterator[None]:
    """Turn what is wrong into words and an exit code; no traceback reaches the operator."""
    from rehearsal.scenario import ScenarioError  # noqa: PLC0415  only rehearsals need it

    try:
        yield
    except (SettingsError, ScenarioError, PlanError, InputError) as error:
        errors.print(str(error), markup=False)
        raise typer.Exit(2) from error
    except (TerraformError, StaleError, FlowError, GitHubError, BotoCoreError, ClientError) as error:
        errors.print(str(error), markup=False)
        raise typer.Exit(1) from error
    except StepError as error:
        if isinstance(error, CancelledError):
            end_undisturbed()
        raise typer.Exit(error.code) from error


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Shows what is being done; on a terminal as a spinner, elsewhere line by line."""
    if not console.is_terminal:
        yield lambda text: console.print(f"... {text}", markup=False)
        return
    with console.status("starting a local AWS") as status:
        yield status.update
