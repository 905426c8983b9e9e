"""Errors of AWS and its SDK as one line for the operator, with an exit code."""

import re
from typing import TYPE_CHECKING, Any, Final

from botocore import exceptions as aws
from botocore.exceptions import BotoCoreError, ClientError

from settings import OperatorError
from tools.operations.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

FAILED: Final = OperatorError.exit_code
REFUSED: Final = InputError.exit_code

LOG_IN: Final = 'Set AWS_PROFILE or run "aws sso login".'
SESSION: Final = 'The AWS session is missing or has expired. Run "aws sso login".'
EXPIRED: Final = 'The AWS credentials have expired. Run "aws sso login", or get new ones.'
NOT_ACCEPTED: Final = "AWS does not accept these credentials ({code}). Check AWS_PROFILE and the AWS_* variables."
NOT_REACHED: Final = "AWS cannot be reached at {endpoint}. Check the network, the proxy and the Region."
NO_PROFILE: Final = 'There is no AWS profile "{profile}". Set AWS_PROFILE to one of "aws configure list-profiles".'
PARTIAL: Final = f"Incomplete AWS credentials from {{provider}}: {{cred_var}} is missing. {LOG_IN}"

Cause = type[BotoCoreError] | str
AWS_ERRORS: Final[tuple[tuple[tuple[Cause, ...], str, int], ...]] = (
    ((aws.NoCredentialsError,), f"No AWS credentials. {LOG_IN}", REFUSED),
    ((aws.PartialCredentialsError,), PARTIAL, REFUSED),
    ((aws.ProfileNotFound,), NO_PROFILE, REFUSED),
    ((aws.SSOError, aws.TokenRetrievalError, aws.NoAuthTokenError, "UnauthorizedException"), SESSION, REFUSED),
    ((aws.LoginError,), SESSION.replace("sso ", ""), REFUSED),
    ((aws.CredentialRetrievalError,), "No AWS credentials from {provider}: {error_msg}", REFUSED),
    ((aws.ConfigParseError, aws.ConfigNotFound), "The AWS configuration {path} cannot be read.", REFUSED),
    ((aws.ProxyConnectionError,), "AWS cannot be reached: the proxy {proxy_url} does not answer.", FAILED),
    ((aws.ConnectionError, aws.HTTPClientError), NOT_REACHED, FAILED),
    (("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"), EXPIRED, REFUSED),
    (
        (
            *("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure"),
            *("SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"),
            *("MissingAuthenticationToken", "MissingAuthenticationTokenException"),
        ),
        NOT_ACCEPTED,
        REFUSED,
    ),
    (("RequestTimeTooSkewed",), "AWS does not accept the time of this machine. Set its clock.", REFUSED),
    (("OptInRequired",), "The account has not enabled this Region or service: {message}", FAILED),
    (
        (
            *("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"),
            *("AuthorizationError", "AuthorizationErrorException", "ForbiddenException"),
        ),
        "Access denied: {denied}.",
        FAILED,
    ),
    (
        (
            *("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "SlowDown"),
            *("TooManyRequestsException", "RequestLimitExceeded", "ProvisionedThroughputExceededException"),
        ),
        "AWS limits the rate of {operation}. Try again in a minute.",
        FAILED,
    ),
)
"""By exception of the SDK or error code of the service: the text and the exit code."""

DENIED_WORDS: Final = re.compile(
    r"User: (?P<who>\S+) is not authorized to perform: (?P<action>\S+)(?: on resource: (?P<what>\S+))?(?P<why>.*)",
    re.DOTALL,
)


def explained(error: BotoCoreError | ClientError) -> tuple[str, int]:
    """One line about an error of AWS or its SDK, and the exit code."""
    details = _details(error)
    for causes, words, code in AWS_ERRORS:
        if any(details["code"] == cause if isinstance(cause, str) else isinstance(error, cause) for cause in causes):
            return words.format_map(details), code
    if isinstance(error, ClientError):
        return "AWS answered {operation} with {code}: {message}".format_map(details), FAILED
    return _line(str(error)), FAILED


class _Details(dict[str, str]):
    """Details of an error by name; a missing one reads `unknown ...`."""

    def __missing__(self, key: str) -> str:
        return f"unknown {key.replace('_', ' ')}"


def _details(error: BotoCoreError | ClientError) -> _Details:
    if isinstance(error, BotoCoreError):
        given: Mapping[str, Any] = error.kwargs
        known = {"code": "", **{key: _line(str(value)) for key, value in given.items()}}
        return _Details({**known, "endpoint": known.get("endpoint_url", "its endpoint")})
    response: Mapping[str, Any] = error.response.get("Error", {})
    message, operation = _line(str(response.get("Message", ""))), str(error.operation_name)
    return _Details(
        code=str(response.get("Code", "no code")).rpartition(".")[2],  # some are like KMS.AccessDeniedException
        message=message or "no message",
        operation=operation,
        denied=_denied(message, operation),
    )


def _denied(message: str, operation: str) -> str:
    """Who may not do what on which resource, as far as AWS names them."""
    found = DENIED_WORDS.search(message)
    if not found:
        return f"{operation}: {message}".rstrip(".: ") if message else operation
    what = f" on {found['what']}" if found["what"] else ""
    return f"{found['who']} may not {found['action']}{what}{found['why']}".rstrip(". ")


def _line(text: str) -> str:
    return " ".join(text.split())
