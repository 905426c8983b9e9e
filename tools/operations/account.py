"""What is checked before any command that talks to AWS: the settings, whether they are a trial, and the account.

One mechanism for all: `check_first` puts it before every command that takes an environment, so none can forget it.
"""

import functools
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import boto3
import typer
from botocore.config import Config

from components.paths import PROJECT
from settings import Environment, load_environment, read_context, trial_notice
from tools.cli.answers import answered, errors
from tools.operations.errors import InputError

QUICK: Final = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
WITHOUT_AWS: Final = frozenset({"github-ids"})
"""Commands that take an environment and never talk to AWS."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose credentials these are."""

    id: str
    partition: str
    caller: str


def check_account(environment: Environment) -> Account:
    """The account of the credentials, if the environment allows it; an empty list of accounts allows any.

    Raises:
        InputError: the environment does not allow this account.
        botocore.exceptions.BotoCoreError: there are no credentials, or AWS cannot be reached.
        botocore.exceptions.ClientError: AWS does not accept the credentials.
    """
    caller = boto3.client("sts", region_name=environment.region, config=QUICK).get_caller_identity()["Arn"]
    _, partition, _, _, account, *_ = caller.split(":")
    if environment.allowed_account_ids and account not in environment.allowed_account_ids:
        allowed = ", ".join(environment.allowed_account_ids)
        raise InputError(
            f"The credentials are of the account {account}; environments/{environment.name}.toml allows {allowed}. "
            "Set AWS_PROFILE to a profile of that account."
        )
    return Account(account, partition, caller)


def settings_of(name: str) -> Environment:
    """The settings of an environment, as synthesis reads them."""
    return load_environment(name, root=PROJECT, environ=os.environ, context=read_context(os.environ, root=PROJECT))


def check_first(app: typer.Typer) -> None:
    """Put the checks before every command of `app` that takes an environment."""
    for command in app.registered_commands:
        step = command.callback
        if step is None or (command.name or step.__name__) in WITHOUT_AWS:
            continue
        taken = inspect.signature(step).parameters.get("environment")
        if taken is not None and taken.default is inspect.Parameter.empty:
            command.callback = _checked(step)


def _checked(step: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(step)
    def run(**given: Any) -> Any:
        with answered():
            settings = settings_of(given["environment"])
            notice = trial_notice(
                settings.name, root=PROJECT, environ=os.environ, context=read_context(os.environ, root=PROJECT)
            )
            if notice:
                errors.print(notice, markup=False)
            check_account(settings)
        return step(**given)

    return run
