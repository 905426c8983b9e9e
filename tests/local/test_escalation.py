"""No role of a pipeline reaches more than it and the boundary allow, and the search finds each known way."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from components.ci_permissions import Existing, boundary, boundary_arn, read, state, write, write_state
from components.iam import document
from components.site import Site
from settings import Names
from tests.local.called_resources import ACCOUNT, REGION, arn
from tests.local.escalation import ADMINISTRATOR, ANYTHING, Form, Key, World, role, search
from tests.local.permissions import Request

SITE = Site(
    names=Names("lab"),
    region=REGION,
    account_id=ACCOUNT,
    partition="aws",
    dns_suffix="amazonaws.com",
    log_retention_days=7,
)
SECRET = arn("secretsmanager", "secret:venue-a-AbCdEf")
GIVEN = Existing(
    key_arn=arn("kms", "key/given"), topic_arn=arn("sns", "noc"), code_bucket="our-code", secret_arns=[SECRET]
)
BUCKET = "media-workflow-state-123456789012-us-east-1"
STATE = (BUCKET, "media-workflow/lab/media-workflow.tfstate")
LIMIT = boundary_arn(SITE)
OWN_TAGS = {"Project": "media-workflow", "Environment": "lab"}
FOREIGN = (
    Request("anything:Anything", "*"),
    Request("iam:PutRolePolicy", role("admin")),
    Request("iam:CreateRole", role("admin"), (("iam:PermissionsBoundary", LIMIT),)),
    Request("iam:CreatePolicyVersion", LIMIT),
    Request("iam:PutRolePermissionsBoundary", role("media-workflow-lab-ci-apply"), (("iam:PermissionsBoundary", LIMIT),)),
    Request("iam:PassRole", role("admin"), (("iam:PassedToService", "lambda.amazonaws.com"),)),
    Request("iam:PassRole", role("media-workflow-lab-ci-apply"), (("iam:PassedToService", "lambda.amazonaws.com"),)),
    Request("iam:PassRole", role("media-workflow-lab-workflow"), (("iam:PassedToService", "ec2.amazonaws.com"),)),
    Request("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:payroll-AbCdEf")),
    Request("secretsmanager:PutResourcePolicy", SECRET),
    Request("s3:GetObject", f"arn:aws:s3:::{BUCKET}/media-workflow/prod/media-workflow.tfstate"),
    Request("s3:PutObject", f"arn:aws:s3:::{BUCKET}/media-workflow/prod/media-workflow.tfstate"),
    Request("s3:PutObject", f"arn:aws:s3:::{BUCKET}/ci-access/lab.tfstate"),
    Request("s3:PutBucketPolicy", f"arn:aws:s3:::{BUCKET}"),
    Request("s3:PutBucketPolicy", "arn:aws:s3:::our-code"),
    Request("lambda:AddPermission", arn("lambda", "function:media-workflow-prod-stream-monitor")),
    Request("lambda:UpdateFunctionCode", arn("lambda", "function:media-workflow-prod-stream-monitor")),
    Request("states:UpdateStateMachine", arn("states", "stateMachine:media-workflow-prod-workflow")),
    Request("sns:SetTopicAttributes", arn("sns", "media-workflow-prod-alerts")),
    Request("sqs:SetQueueAttributes", arn("sqs", "media-workflow-prod-dead-letters")),
    Request("dynamodb:GetItem", arn("dynamodb", "table/media-workflow-prod-incidents")),
    Request("ssm:GetParameter", arn("ssm", "parameter/payroll")),
    Request("kms:TagResource", arn("kms", "key/foreign-tagged"), (
        ("aws:ResourceTag/Project", "media-workflow"), ("aws:ResourceTag/Environment", "prod"),
        ("aws:RequestTag/Project", "media-workflow"), ("aws:RequestTag/Environment", "lab"),
    )),
    Request("mediaconnect:StopFlow", arn("mediaconnect", "flow:1-x:prod"), (
        ("aws:ResourceTag/Project", "media-workflow"), ("aws:ResourceTag/Environment", "prod"),
    )),
    Request("kms:Decrypt", arn("kms", "key/foreign-plain"), (("kms:ViaService", "s3.us-east-1.amazonaws.com"),)),
    Request("kms:Decrypt", arn("kms", "key/foreign-plain"), (("kms:ViaService", "secretsmanager.us-east-1.amazonaws.com"),)),
)  # fmt: skip
"""What no role that a pipeline has or reaches may do."""

PLAN = (document(*state(SITE, *STATE), *read(SITE, GIVEN)),)
APPLY = (*PLAN, document(write_state(SITE, *STATE), *write(SITE, GIVEN)))


def world(limit: str | None = None) -> World:
    """An account with this environment, another one, foreign roles and keys, and a role from before the boundary."""
    limit = limit or document(*boundary(SITE, GIVEN))
    narrow = json.dumps({"Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": arn("sns", "x")}]})
    workflow, legacy = role("media-workflow-lab-workflow"), role("media-workflow-lab-legacy")
    prod, admin = role("media-workflow-prod-stream-monitor"), role("admin")
    return World(
        boundaries={LIMIT: limit, ADMINISTRATOR: ANYTHING},
        forms={
            Form(workflow, (limit,), LIMIT),
            Form(legacy, (narrow,)),
            Form(prod, (narrow,)),
            Form(admin, (ANYTHING,)),
            Form(role("media-workflow-lab-ci-plan"), PLAN),
            Form(role("media-workflow-lab-ci-apply"), APPLY),
        },
        keys={
            Key(arn("kms", "key/own"), tuple(OWN_TAGS.items()), ("alias/media-workflow-lab",)),
            Key(arn("kms", "key/foreign-plain"), ()),
            Key(arn("kms", "key/foreign-tagged"), (("Environment", "prod"), ("Project", "media-workflow"))),
        },
        runs_as={
            ("function", arn("lambda", "function:media-workflow-lab-stream-monitor")): workflow,
            ("function", arn("lambda", "function:media-workflow-prod-stream-monitor")): prod,
            ("function", arn("lambda", "function:ops")): admin,
            ("stateMachine", arn("states", "stateMachine:media-workflow-lab-workflow")): workflow,
            ("stack", arn("cloudformation", "stack/ops/1")): admin,
        },
        new_roles=("media-workflow-lab-new", "media-workflow-prod-new", "anything"),
        own_tags=OWN_TAGS,
        own_alias="alias/media-workflow-lab",
        forbidden=FOREIGN,
    )


@pytest.mark.parametrize(("part", "policies"), [("plan", PLAN), ("apply", APPLY)])
def test_pipeline_role_cannot_escalate(part: str, policies: tuple[str, ...]) -> None:
    """Whatever is reached is the role itself, an unchanged role of before, or inside the boundary."""
    found = world()
    assert search(found, Form(role(f"media-workflow-lab-ci-{part}"), policies)) == []
    reached = [form for form in found.forms if form.arn in found.held and form.boundary != LIMIT]
    as_it_was = world().forms | {Form(role(f"media-workflow-lab-ci-{part}"), policies)}
    assert [form for form in reached if form not in as_it_was] == []


def test_apply_role_reaches_what_the_boundary_allows() -> None:
    """So that the search above does walk: it takes over and widens every role of its environment, within the boundary."""
    found = world()
    search(found, Form(role("media-workflow-lab-ci-apply"), APPLY))
    widened = Form(role("media-workflow-lab-new"), (ANYTHING,), LIMIT)
    assert widened in found.forms
    assert widened.arn in found.held
    plan = world()
    search(plan, Form(role("media-workflow-lab-ci-plan"), PLAN))
    assert set(plan.held) == {role("media-workflow-lab-ci-plan")}


Statement = dict[str, Any]


def condition_dropped(statements: list[Statement]) -> None:
    next(item for item in statements if "iam:PutRolePolicy" in item["Action"]).pop("Condition")


def boundary_may_go(statements: list[Statement]) -> None:
    statements.append({
        "Effect": "Allow", "Action": ["iam:DeleteRolePermissionsBoundary"], "Resource": role("media-workflow-lab-*"),
    })  # fmt: skip


def any_boundary(statements: list[Statement]) -> None:
    statements.append({
        "Effect": "Allow", "Action": ["iam:PutRolePermissionsBoundary"], "Resource": role("media-workflow-lab-*"),
    })  # fmt: skip


def boundary_may_change(statements: list[Statement]) -> None:
    del statements[next(number for number, item in enumerate(statements) if item["Effect"] == "Deny")]
    statements.append({"Effect": "Allow", "Action": ["iam:CreatePolicyVersion"], "Resource": "*"})


def any_role_is_passed(statements: list[Statement]) -> None:
    next(item for item in statements if "iam:PassRole" in item["Action"])["Resource"] = "*"


def trust_of_any_role(statements: list[Statement]) -> None:
    statements.append({"Effect": "Allow", "Action": ["iam:UpdateAssumeRolePolicy"], "Resource": "*"})


def foreign_keys_are_tagged(statements: list[Statement]) -> None:
    next(item for item in statements if item["Action"] == ["kms:TagResource"])["Condition"].pop("Null")


def keys_go_by_tags(statements: list[Statement]) -> None:
    tags = {"StringEquals": {f"aws:ResourceTag/{name}": value for name, value in OWN_TAGS.items()}}
    next(item for item in statements if "kms:PutKeyPolicy" in item["Action"])["Condition"] = tags


def any_function(statements: list[Statement]) -> None:
    next(item for item in statements if "lambda:UpdateFunctionCode" in item["Action"])["Resource"] = "*"


def access_keys(statements: list[Statement]) -> None:
    statements.append({"Effect": "Allow", "Action": ["iam:CreateAccessKey"], "Resource": "*"})


@pytest.mark.parametrize(
    "broken",
    [
        condition_dropped, boundary_may_go, any_boundary, boundary_may_change, any_role_is_passed, trust_of_any_role,
        foreign_keys_are_tagged, keys_go_by_tags, any_function, access_keys,
    ],
)  # fmt: skip
def test_missing_guard_is_found(broken: Callable[[list[Statement]], None]) -> None:
    statements = json.loads(APPLY[1])["Statement"]
    broken(statements)
    assert search(world(), Form(role("media-workflow-lab-ci-apply"), (APPLY[0], json.dumps({"Statement": statements}))))


@pytest.mark.parametrize(
    "more",
    [
        {"Effect": "Allow", "Action": ["iam:PutRolePolicy"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["dynamodb:*"], "Resource": "*"},
    ],
)
def test_boundary_that_allows_too_much_is_found(more: Mapping[str, Any]) -> None:
    limit = document(*boundary(SITE, GIVEN), more)
    assert search(world(limit), Form(role("media-workflow-lab-ci-apply"), APPLY))
