"""The account and the settings that a command works on, checked before any work."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.config import Config

from components.paths import PROJECT
from settings import Environment, load_environment, read_context, trial_notice
from tools.operations.errors import InputError

QUICK: Final = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
Clients = Callable[[str], Any]
"""A boto3 client of a service, by the service's name."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account and the principal of the credentials."""

    id: str
    partition: str
    caller: str


def check_account(environment: Environment) -> Account:
    """The account of the credentials, if the environment allows it. An empty list of accounts allows any.

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


def open_environment(name: str) -> tuple[Environment, Clients]:
    """The settings of an environment, and clients in its Region with the operator's credentials."""
    settings = settings_of(name)
    make: Any = boto3.client  # its types list every service by name
    return settings, lambda service: make(service, region_name=settings.region)


def check_environment(name: str, *, warn: Callable[[str], None]) -> None:
    """Check the settings and the account of an environment, and warn if it is a trial.

    Raises:
        SettingsError: the settings cannot be used.
        InputError: as `check_account`.
    """
    settings = settings_of(name)
    context = read_context(os.environ, root=PROJECT)
    if notice := trial_notice(settings.name, root=PROJECT, environ=os.environ, context=context):
        warn(notice)
    check_account(settings)
