"""An error of AWS or its SDK is one line: what is wrong, and what to do."""

from pathlib import Path

import boto3
import pytest
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from typer.testing import CliRunner

from tools.cli.__main__ import app
from tools.operations.aws_errors import AWS_ERRORS, explained

RUN = CliRunner()
LOG_IN = 'Set AWS_PROFILE or run "aws sso login".'
SSO = """
[profile ours]
sso_session = ours
sso_account_id = 123456789012
sso_role_name = Operator
[sso-session ours]
sso_start_url = https://example.awsapps.com/start
sso_region = us-east-1
"""
USER = "arn:aws:sts::123456789012:assumed-role/Viewer/alice"
STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/media-workflow-prod-channel-one/*"
DENIED = (
    f"User: {USER} is not authorized to perform: cloudformation:DescribeStacks on resource: {STACK} because no "
    "identity-based policy allows it"
)


def refused(code: str, message: str = "no", operation: str = "DescribeStacks") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("config", "environ", "code", "words"),
    [
        ("", {}, 2, f"No AWS credentials. {LOG_IN}"),
        ("", {"AWS_PROFILE": "nope"}, 2, 'There is no AWS profile "nope". Set AWS_PROFILE to one of'),
        ("", {"AWS_ACCESS_KEY_ID": "x"}, 2, "Incomplete AWS credentials from env: AWS_SECRET_ACCESS_KEY is missing."),
        (SSO, {"AWS_PROFILE": "ours"}, 2, 'The AWS session is missing or has expired. Run "aws sso login".'),
        ("[default]\ncredential_process = false\n", {}, 2, "No AWS credentials from custom-process:"),
        ("[default\n", {}, 2, "The AWS configuration"),
        (
            "",
            {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
            1,
            "AWS cannot be reached at http://127.0.0.1:1/. Check the network, the proxy and the Region.",
        ),
    ],
)
def test_credential_problem_is_one_line_before_any_work(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: str,
    environ: dict[str, str],
    code: int,
    words: str,
) -> None:
    (tmp_path / "config").write_text(config, encoding="utf-8")
    for name in (
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ENDPOINT_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    here = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    for name, value in {**here, "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true", **environ}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps what it found first
    done = RUN.invoke(app, ["plan", "dev"])
    assert done.exit_code == code
    (line,) = done.output.splitlines()
    assert line.startswith(words)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (refused("ExpiredToken"), 2, "The AWS credentials have expired."),
        (refused("ExpiredTokenException"), 2, "The AWS credentials have expired."),
        (refused("UnrecognizedClientException"), 2, "AWS does not accept these credentials (UnrecognizedClient"),
        (exceptions.UnauthorizedSSOTokenError(), 2, 'The AWS session is missing or has expired. Run "aws sso login".'),
        (exceptions.TokenRetrievalError(provider="sso", error_msg="x"), 2, "The AWS session is missing or has expired."),
        (exceptions.LoginRefreshRequired(), 2, 'The AWS session is missing or has expired. Run "aws login".'),
        (exceptions.ReadTimeoutError(endpoint_url="https://x"), 1, "AWS cannot be reached at https://x."),
        (refused("AccessDenied", DENIED), 1, f"Access denied: {USER} may not cloudformation:DescribeStacks on {STACK} because no"),
        (refused("KMS.AccessDeniedException", "The ciphertext refers to\nnothing"), 1, "Access denied: DescribeStacks: The ciphertext refers to nothing."),
        (refused("UnauthorizedOperation", ""), 1, "Access denied: DescribeStacks."),
        (refused("ThrottlingException"), 1, "AWS limits the rate of DescribeStacks. Try again in a minute."),
        (refused("ValidationError", "no\nsuch thing"), 1, "AWS answered DescribeStacks with ValidationError: no such thing"),
        (ClientError({}, "Publish"), 1, "AWS answered Publish with no code: no message"),
        (exceptions.UnknownServiceError(service_name="x", known_service_names="y"), 1, "Unknown service: 'x'."),
    ],
)  # fmt: skip
def test_aws_error_is_one_line_with_its_exit_code(error: BotoCoreError | ClientError, code: int, words: str) -> None:
    line, found = explained(error)
    assert found == code
    assert line.startswith(words)
    assert "\n" not in line


def test_every_aws_error_text_needs_no_details() -> None:
    for causes, words, _ in AWS_ERRORS:
        for cause in causes:
            error = refused(cause) if isinstance(cause, str) else cause.__new__(cause)
            if isinstance(error, BotoCoreError):
                error.kwargs = {}
            assert explained(error)[0], words
