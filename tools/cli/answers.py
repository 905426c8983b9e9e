"""How commands speak to the person who started them: on the console, in sentences, with an exit code."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import typer
from botocore import exceptions as aws
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from settings import SettingsError
from tools.operations.errors import InputError
from tools.operations.flows import FlowError
from tools.operations.github import GitHubError
from tools.operations.reviewed import StaleError
from tools.plan_review import PlanError
from tools.terraform.binary import TerraformError
from tools.terraform.processes import CancelledError, StepError, end_undisturbed

console: Final = Console(highlight=False)
errors: Final = Console(stderr=True, highlight=False, soft_wrap=True)

NOT_FINE: Final = 1
WRONG_INPUT: Final = 2

LOG_IN: Final = 'Set AWS_PROFILE or run "aws sso login".'
SESSION: Final = 'The AWS session is missing or has expired. Run "aws sso login".'
EXPIRED: Final = 'The AWS credentials have expired. Run "aws sso login", or get new ones.'
NOT_ACCEPTED: Final = "AWS does not accept these credentials ({code}). Check AWS_PROFILE and the AWS_* variables."
NOT_REACHED: Final = "AWS cannot be reached at {endpoint}. Check the network, the proxy and the Region."
NO_PROFILE: Final = 'There is no AWS profile "{profile}". Set AWS_PROFILE to one of "aws configure list-profiles".'
PARTIAL: Final = f"Incomplete AWS credentials from {{provider}}: {{cred_var}} is missing. {LOG_IN}"

Cause = type[BotoCoreError] | str
AWS_ANSWERS: Final[tuple[tuple[tuple[Cause, ...], str, int], ...]] = (
    ((aws.NoCredentialsError,), f"No AWS credentials. {LOG_IN}", WRONG_INPUT),
    ((aws.PartialCredentialsError,), PARTIAL, WRONG_INPUT),
    ((aws.ProfileNotFound,), NO_PROFILE, WRONG_INPUT),
    ((aws.SSOError, aws.TokenRetrievalError, aws.NoAuthTokenError, "UnauthorizedException"), SESSION, WRONG_INPUT),
    ((aws.LoginError,), SESSION.replace("sso ", ""), WRONG_INPUT),
    ((aws.CredentialRetrievalError,), "No AWS credentials from {provider}: {error_msg}", WRONG_INPUT),
    ((aws.ConfigParseError, aws.ConfigNotFound), "The AWS configuration {path} cannot be read.", WRONG_INPUT),
    ((aws.ProxyConnectionError,), "AWS cannot be reached: the proxy {proxy_url} does not answer.", NOT_FINE),
    ((aws.ConnectionError, aws.HTTPClientError), NOT_REACHED, NOT_FINE),
    (("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"), EXPIRED, WRONG_INPUT),
    (
        (
            *("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure"),
            *("SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"),
            *("MissingAuthenticationToken", "MissingAuthenticationTokenException"),
        ),
        NOT_ACCEPTED,
        WRONG_INPUT,
    ),
    (("RequestTimeTooSkewed",), "AWS does not accept the time of this machine. Set its clock.", WRONG_INPUT),
    (("OptInRequired",), "The account has not enabled this Region or service: {message}", NOT_FINE),
    (
        (
            *("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"),
            *("AuthorizationError", "AuthorizationErrorException", "ForbiddenException"),
        ),
        "Access denied: {denied}.",
        NOT_FINE,
    ),
    (
        (
            *("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "SlowDown"),
            *("TooManyRequestsException", "RequestLimitExceeded", "ProvisionedThroughputExceededException"),
        ),
        "AWS limits the rate of {operation}. Try again in a minute.",
        NOT_FINE,
    ),
)
"""By the SDK's exception or the service's error code: what it is in our words, and the exit code."""

DENIED_WORDS: Final = re.compile(
    r"User: (?P<who>\S+) is not authorized to perform: (?P<action>\S+)(?: on resource: (?P<what>\S+))?(?P<why>.*)",
    re.DOTALL,
)


def aws_answer(error: BotoCoreError | ClientError) -> tuple[str, int]:
    """One line for the person about an error of AWS or its SDK, and the exit code."""
    said = _said(error)
    for causes, words, code in AWS_ANSWERS:
        if any(said["code"] == cause if isinstance(cause, str) else isinstance(error, cause) for cause in causes):
            return words.format_map(said), code
    if isinstance(error, ClientError):
        return "AWS answered {operation} with {code}: {message}".format_map(said), NOT_FINE
    return _line(str(error)), NOT_FINE


class _Said(dict[str, str]):
    """What is known of an error; what is not is said to be so."""

    def __missing__(self, key: str) -> str:
        return f"unknown {key.replace('_', ' ')}"


def _said(error: BotoCoreError | ClientError) -> _Said:
    if isinstance(error, BotoCoreError):
        given: Mapping[str, Any] = error.kwargs
        known = {"code": "", **{key: _line(str(value)) for key, value in given.items()}}
        return _Said({**known, "endpoint": known.get("endpoint_url", "its endpoint")})
    answer: Mapping[str, Any] = error.response.get("Error", {})
    message, operation = _line(str(answer.get("Message", ""))), str(error.operation_name)
    return _Said(
        code=str(answer.get("Code", "no code")).rpartition(".")[2],  # some say KMS.AccessDeniedException
        message=message or "no message",
        operation=operation,
        denied=_denied(message, operation),
    )


def _denied(message: str, operation: str) -> str:
    """Who may not do what on which resource, as far as AWS says."""
    found = DENIED_WORDS.search(message)
    if not found:
        return f"{operation}: {message}".rstrip(".: ") if message else operation
    what = f" on {found['what']}" if found["what"] else ""
    return f"{found['who']} may not {found['action']}{what}{found['why']}".rstrip(". ")


def _line(text: str) -> str:
    return " ".join(text.split())


def _file_answer(error: OSError) -> str:
    """One line about a file that cannot be read or written, or a program that is not installed."""
    reason = (error.strerror or str(error)).lower()
    return f"{error.filename}: {reason}." if error.filename is not None else f"{reason}."


@contextmanager
def answered() -> Iterator[None]:
    """Turn what is wrong into words and an exit code; no traceback reaches the operator."""
    from tools.rehearsal.scenario import ScenarioError  # noqa: PLC0415  only rehearsals need it

    try:
        yield
    except (SettingsError, ScenarioError, PlanError, InputError) as error:
        errors.print(str(error), markup=False)
        raise typer.Exit(WRONG_INPUT) from error
    except (BotoCoreError, ClientError) as error:
        words, code = aws_answer(error)
        errors.print(words, markup=False)
        raise typer.Exit(code) from error
    except (TerraformError, StaleError, FlowError, GitHubError) as error:
        errors.print(str(error), markup=False)
        raise typer.Exit(NOT_FINE) from error
    except OSError as error:
        errors.print(_file_answer(error), markup=False)
        raise typer.Exit(NOT_FINE) from error
    except StepError as error:
        if isinstance(error, CancelledError):
            end_undisturbed()
        raise typer.Exit(error.code) from error


def agree(question: str, *, yes: bool) -> None:
    """Return once the person agrees to what `question` names; `yes` agrees beforehand.

    Raises:
        InputError: there is no terminal to ask at, and `yes` is not given.
        typer.Exit: the person does not agree.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError(f"{question} There is no terminal to ask at; --yes agrees. Nothing was done.")
    if not typer.confirm(question):
        typer.echo("Nothing was done.")
        raise typer.Exit(NOT_FINE)


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Shows what is being done; on a terminal as a spinner, elsewhere line by line."""
    if not console.is_terminal:
        yield lambda text: console.print(f"... {text}", markup=False)
        return
    with console.status("starting a local AWS") as status:
        yield status.update
