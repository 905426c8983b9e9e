"""What a pipeline's roles may do and whom they trust, statement by statement."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from components import ci_permissions
from components.ci_permissions import READ_SECRETS, Given, boundary, boundary_arn, read, write
from components.ci_trust import audiences, github_trust, subjects
from components.iam import Statement, document
from components.site import Site
from settings import CiAccess, Names, SettingsError, load_environment
from settings.rules import MAX_SECRETS_OF_PIPELINE
from tests.unit.environments import GOOD, load

ACCESS = CiAccess(repository="example/live", owner_id=123456, repository_id=456789)


def site(name: str = "lab", *, region: str = "us-east-1", partition: str = "aws") -> Site:
    return Site(
        names=Names(name), region=region, account_id="123456789012", partition=partition, dns_suffix="amazonaws.com",
        log_retention_days=7,
    )  # fmt: skip


def allowed(statements: list[Statement], action: str, resource: str) -> bool:
    """Whether a statement allows this, on conditions or without."""
    return any(
        action in statement["Action"]
        and any(fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))
        for statement in statements
        if statement["Effect"] == "Allow"
    )


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("context", "old", "immutable"),
    [
        ("pull_request", "repo:example/live:pull_request", "repo:example@123456/live@456789:pull_request"),
        (
            "ref:refs/heads/release/1.x",
            "repo:example/live:ref:refs/heads/release/1.x",
            "repo:example@123456/live@456789:ref:refs/heads/release/1.x",
        ),
        (
            "environment:prod: on air*",
            "repo:example/live:environment:prod%3A on air*",
            "repo:example@123456/live@456789:environment:prod%3A on air*",
        ),
    ],
)
def test_subjects_cover_old_and_immutable_forms(context: str, old: str, immutable: str) -> None:
    assert subjects(ACCESS, context) == [old, immutable]
    assert subjects(CiAccess(repository="example/live"), context) == [old]


def test_trust_policy_compares_literally() -> None:
    (statement,) = json.loads(github_trust("arn:provider", audiences=audiences("aws"), subjects=["repo:a/b:x*"]))[
        "Statement"
    ]
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": ["sts.amazonaws.com"],
            "token.actions.githubusercontent.com:sub": ["repo:a/b:x*"],
        }
    }


@pytest.mark.parametrize("one", ["owner_id = 1", "repository_id = 1"])
def test_single_github_id_is_refused_with_the_command(tmp_path: Path, one: str) -> None:
    with pytest.raises(SettingsError, match="github-ids dev"):
        load(tmp_path, f'{GOOD}\n[ci]\nrepository = "example/live"\n{one}\n')


def test_pipeline_manages_own_dashboard_pages_only() -> None:
    pages = [Names("lab").dashboard_page(number) for number in (1, 2, 9, 40)]
    for name in pages:
        board = f"arn:aws:cloudwatch::123456789012:dashboard/{name}"
        assert allowed(write(site(), Given()), "cloudwatch:PutDashboard", board), name
        assert allowed(read(site(), Given()), "cloudwatch:GetDashboard", board), name
        assert not allowed(write(site(), Given()), "cloudwatch:PutDashboard", board.replace("lab", "labs")), name


@pytest.mark.parametrize("action", ["cloudformation:UntagResource", "cloudformation:UpdateTerminationProtection"])
def test_pipeline_untags_and_protects_own_stacks_only(action: str) -> None:
    stack = "arn:aws:cloudformation:us-east-1:123456789012:stack/media-workflow-lab-live/1"
    assert allowed(write(site(), Given()), action, stack)
    assert not allowed(write(site(), Given()), action, stack.replace("-lab-", "-prod-"))


def test_existing_resources_are_used_but_not_changed() -> None:
    key, bucket = "arn:aws:kms:us-east-1:123456789012:key/given", "arn:aws:s3:::our-code/functions/x.zip"
    given = Given(key_arn=key, code_bucket="our-code")
    by_key = [found for found in write(site(), given) if found["Resource"] == key]
    assert [set(found["Action"]) for found in by_key] == [set(ci_permissions.USE_KEY)]
    assert {"kms:ReEncrypt*", "kms:DescribeKey", "kms:CreateGrant"} <= set(ci_permissions.USE_KEY)
    assert allowed(write(site(), given), "s3:PutObject", bucket)
    assert not allowed(write(site(), given), "s3:PutBucketPolicy", bucket)
    assert not allowed(write(site(), Given()), "s3:PutObject", bucket)


def test_role_changes_need_the_boundary() -> None:
    """But to delete one, and what changes no permission."""
    free = {"iam:DeleteRole", "iam:ListInstanceProfilesForRole", "iam:PassRole", "iam:TagRole", "iam:UntagRole"}
    for statement in write(site(), Given()):
        changes = {action for action in statement["Action"] if action.startswith("iam:")}
        if statement["Effect"] == "Allow" and changes - free - {"iam:UpdateRoleDescription"}:
            assert statement["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": boundary_arn(site())}}


def test_boundary_allows_what_the_module_grants() -> None:
    text = (Path(__file__).resolve().parents[2] / "modules" / "mediaconnect_flow" / "main.tf").read_text(
        encoding="utf-8"
    )
    assert set(re.findall(r"secretsmanager:\w+", text)) == set(READ_SECRETS)


def test_policies_fit_with_longest_names_and_most_secrets() -> None:
    longest = site("e" * 16, region="us-gov-west-1", partition="aws-us-gov")
    secret = "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:" + "s" * 60
    secrets = [f"{secret}{number:02}" for number in range(MAX_SECRETS_OF_PIPELINE // (len(secret) + 5))]
    topic = f"arn:aws-us-gov:sns:us-gov-west-1:123456789012:{'t' * 256}"
    given = Given(key_arn="k" * 90, topic_arn=topic, code_bucket="b" * 63, secret_arns=secrets)
    assert len("".join(document(*boundary(longest, given)).split())) <= 6_144
    assert len("".join(document(*read(longest, given)).split())) <= 5_400
    assert len("".join(document(*write(longest, given)).split())) <= 10_000


def test_secrets_above_the_boundary_limit_are_refused(tmp_path: Path) -> None:
    secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:venue-{}-AbCdEf"
    outputs = "".join(
        f'[flows.outputs.o{number}]\nprotocol = "srt-listener"\nport = {6000 + number}\n'
        f'allowed_cidrs = ["198.51.100.0/24"]\n'
        f'encryption = {{ key_type = "srt-password", secret_arn = "{secret.format(number)}" }}\n'
        for number in range(49)
    )
    load(tmp_path, GOOD + outputs)
    with pytest.raises(SettingsError, match="the permissions boundary of a pipeline takes 3300"):
        load(tmp_path, f'{GOOD}{outputs}\n[ci]\nrepository = "example/live"\n')


def test_environment_named_state_is_refused(tmp_path: Path) -> None:
    load(tmp_path, GOOD)
    (tmp_path / "environments" / "state.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(SettingsError, match="name of the bucket that holds every state"):
        load_environment("state", root=tmp_path, environ={}, context={})
