"""Permissions of the two pipeline roles, enforced by the local AWS."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.local.checkout import BUCKET, Checkout
from tests.local.permissions import Gate, Request, boundary_of, enforced, permitted, policies_of
from tools.local_aws import LocalAws

PLAN_ROLE = "media-workflow-lab-ci-plan"
APPLY_ROLE = "media-workflow-lab-ci-apply"
READ_POLICY = "arn:aws:iam::123456789012:policy/media-workflow-lab-ci-read"
BOUNDARY = "arn:aws:iam::123456789012:policy/media-workflow-lab-boundary"
READS = ("Describe", "Get", "List", "Head", "Validate")
STATE = f"arn:aws:s3:::{BUCKET}/media-workflow/lab/media-workflow.tfstate"


@dataclass(frozen=True, slots=True)
class Life:
    """What happened while the pipeline's roles deployed, changed and destroyed an environment."""

    asked: list[tuple[str, Request]]
    by_plan_role: dict[str, str]
    boundaries: list[dict[str, Any]]
    outside: list[tuple[str, Request]]
    left: list[str]


def credentials(aws: LocalAws, role: str) -> dict[str, str]:
    """A session of a role, as a workflow gets it with its token."""
    session = aws.client("sts").assume_role_with_web_identity(
        RoleArn=f"arn:aws:iam::123456789012:role/{role}", RoleSessionName="pipeline", WebIdentityToken="token"
    )["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }


@pytest.fixture(scope="module")
def checkout(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """An environment with its pipeline roles and nothing else."""
    found = Checkout(tmp_path_factory.mktemp("checkout"), aws, {"TF_CLI_ARGS_apply": "-auto-approve -parallelism=20"})
    text = (found.folder / "environments" / "dev.toml").read_text(encoding="utf-8")
    ci = '[ci]\nrepository = "example/live"\nowner_id = 123456\nrepository_id = 456789\n\n[tags]\nOld = "tag"'
    lab = text.replace("[tags]", ci, 1)
    (found.folder / "environments" / "lab.toml").write_text(lab, encoding="utf-8")
    found.run("ci-access", "lab")
    found.environ["TF_CLI_ARGS_apply"] = "-parallelism=20"
    yield found
    iam = aws.client("iam")
    for role in (PLAN_ROLE, APPLY_ROLE):
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            iam.delete_role_policy(RoleName=role, PolicyName=name)
        iam.detach_role_policy(RoleName=role, PolicyArn=READ_POLICY)
        iam.delete_role(RoleName=role)
    for policy in (READ_POLICY, BOUNDARY):
        iam.delete_policy(PolicyArn=policy)
    for provider in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider["Arn"])
    found.forget_state("lab")


@pytest.fixture(scope="module")
def life(checkout: Checkout, aws: LocalAws) -> Life:
    """Planned, applied, planned, changed and destroyed under enforcement; the roles stay.

    The change meets a deployment as it was before roles had a boundary and the key named the pipeline.
    """
    plan_role, apply_role = credentials(aws, PLAN_ROLE), credentials(aws, APPLY_ROLE)
    printed = {}
    with enforced() as gate:
        checkout.run("plan", "lab", "--save", "first", environ=apply_role)
        checkout.run("apply", "lab", "first", environ=apply_role)
        printed["plan"] = checkout.run("plan", "lab", environ=plan_role)
        with checkout.one_provider(**plan_role):
            printed["drift"] = checkout.run("drift", "lab")
            boundaries = [boundaries_of(aws)]
            as_before_the_boundary(aws, gate)
            checkout.edit('Old = "tag"\n', "", environment="lab")
            checkout.edit("log_retention_days = 7", "log_retention_days = 14", environment="lab")
            checkout.edit('minimum_severity = "MEDIUM"', 'minimum_severity = "HIGH"', environment="lab")
            checkout.edit("jitter_ms = 50", "jitter_ms = 40", environment="lab")
            checkout.edit('allowed_cidr = "203.0.113.0/24"', 'allowed_cidr = "203.0.113.0/25"', environment="lab")
            checkout.run("plan", "lab", "--save", "changed")
            printed["apply"] = checkout.run("apply", "lab", "changed", expect=1)
        with checkout.one_provider(**apply_role):
            checkout.run("apply", "lab", "changed")
            boundaries.append(boundaries_of(aws))
            outside = outside_of_the_boundary(aws)
            checkout.run("destroy", "lab", "--yes")
    left = [topic["TopicArn"] for topic in aws.client("sns").list_topics()["Topics"] if "-lab-" in topic["TopicArn"]]
    return Life(gate.requests, printed, boundaries, outside, left)


def deployed_roles(aws: LocalAws) -> list[str]:
    """The names of the environment's roles but for the pipeline's own."""
    names = [role["RoleName"] for role in aws.client("iam").list_roles()["Roles"]]
    return [name for name in names if "-lab-" in name and "-ci-" not in name]


def boundaries_of(aws: LocalAws) -> dict[str, Any]:
    """The boundary of each role of the environment."""
    iam = aws.client("iam")
    return {
        name: iam.get_role(RoleName=name)["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        for name in deployed_roles(aws)
    }


def outside_of_the_boundary(aws: LocalAws) -> list[tuple[str, Request]]:
    """What deployed roles are allowed and their boundary is not, under the conditions that AWS sets per service."""
    tags = (("aws:ResourceTag/Project", "media-workflow"), ("aws:ResourceTag/Environment", "lab"))
    context = (*tags, ("kms:ViaService", "sns.us-east-1.amazonaws.com"))
    found = [
        (name, Request(action, resource, context))
        for name in deployed_roles(aws)
        for policy in policies_of(name)
        for statement in read(policy)["Statement"]
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]
    assert len(found) > 30
    return [(name, asked) for name, asked in found if not permitted([boundary_of(name)], asked)]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def as_before_the_boundary(aws: LocalAws, gate: Gate) -> None:
    """Remove what an older deployment lacks, and make its key's tags and alias old enough to be visible."""
    for name in deployed_roles(aws):
        aws.client("iam").delete_role_permissions_boundary(RoleName=name)
    kms = aws.client("kms")
    gate.minutes_pass()
    for key in gate.old_keys:
        policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        policy["Statement"] = [item for item in policy["Statement"] if not item.get("Sid", "").startswith("Pipeline")]
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))


def test_plan_role_can_plan_and_check_drift(life: Life) -> None:
    assert "Nothing changes in lab" in life.by_plan_role["plan"]
    assert "lab is deployed as it is configured" in life.by_plan_role["drift"]


def test_plan_role_cannot_apply_a_reviewed_plan(life: Life) -> None:
    assert "is not authorized to perform" in life.by_plan_role["apply"]


def test_apply_role_can_apply_change_and_destroy(life: Life) -> None:
    assert life.left == []
    made = {request.action for role, request in life.asked if role == APPLY_ROLE}
    assert {"lambda:CreateFunction", "cloudformation:UpdateStack", "kms:ScheduleKeyDeletion", "iam:PassRole"} <= made


def test_every_deployed_role_has_the_boundary(life: Life) -> None:
    for found in life.boundaries:
        assert len(found) >= 5
        assert set(found.values()) == {BOUNDARY}


def test_no_role_needs_more_than_the_boundary(life: Life) -> None:
    assert life.outside == []


def test_calls_of_real_aws_on_behalf_of_the_role_are_checked(life: Life) -> None:
    """Calls that CloudFormation and services make on behalf of their caller, which moto alone does not make."""
    asked = {request.action for role, request in life.asked if role == APPLY_ROLE}
    assert {"mediaconnect:ListFlows", "cloudformation:UntagResource", "kms:ReEncryptTo", "kms:CreateGrant"} <= asked


def test_first_apply_needs_no_tags_or_alias_of_the_new_key(life: Life) -> None:
    """IAM sees them minutes later: until the change, no condition depends on them."""
    changed = next(number for number, (_, request) in enumerate(life.asked) if request.action == "kms:PutKeyPolicy")
    about_it = [
        request
        for _, request in life.asked[:changed]
        if ":key/" in request.resource and not request.resource.endswith(("key/new", "key/alias/aws/dynamodb"))
    ]
    first = [request for request in about_it if not request.context]
    assert about_it[: len(first)] == first
    assert {"kms:EnableKeyRotation", "kms:CreateAlias", "kms:CreateGrant"} <= {request.action for request in first}


def test_plan_role_is_denied_every_change(life: Life) -> None:
    documents = [read(policy) for policy in policies_of(PLAN_ROLE)]
    changes = {request for role, request in life.asked if role == APPLY_ROLE and is_change(request)}
    assert len(changes) > 100
    assert [request for request in changes if permitted(documents, request)] == []


def test_apply_role_is_denied_other_environments(life: Life) -> None:
    documents = [read(policy) for policy in policies_of(APPLY_ROLE)]
    tried = 0
    for role, request in life.asked:
        if role != APPLY_ROLE or "lab" not in request.resource:
            continue
        assert permitted(documents, request)
        other = replace(request, resource=request.resource.replace("lab", "prod"))
        assert not permitted(documents, other), other
        tried += 1
    assert tried > 300


def test_permissions_on_all_resources_are_all_used(life: Life) -> None:
    asked = {request.action for _, request in life.asked} | {"mediaconnect:ListTagsForResource"}
    log_delivery = {"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeResourcePolicies"}
    log_delivery |= {
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    }
    open_to_all = {
        action
        for policy in policies_of(APPLY_ROLE)
        for statement in read(policy)["Statement"]
        if statement["Resource"] == "*"
        for action in statement["Action"]
    }
    # Step Functions calls these on behalf of the caller, which the local AWS does not do.
    assert open_to_all - asked - log_delivery == set()


Call = Callable[[Callable[[str], Any]], Any]
FOREIGN: dict[str, Call] = {
    "topic": lambda client: client("sns").create_topic(Name="media-workflow-prod-alerts"),
    "role": lambda client: client("iam").create_role(RoleName="admin", AssumeRolePolicyDocument="{}"),
    "own role": lambda client: client("iam").put_role_policy(
        RoleName=APPLY_ROLE, PolicyName="more", PolicyDocument='{"Version": "2012-10-17", "Statement": []}'
    ),
    "flow": lambda client: client("mediaconnect").delete_flow(
        FlowArn="arn:aws:mediaconnect:us-east-1:123456789012:flow:1-a:x"
    ),
    "key": lambda client: client("kms").create_key(),
    "bucket": lambda client: client("s3").create_bucket(Bucket="somebody-elses"),
    "state": lambda client: client("s3").put_object(Bucket=BUCKET, Key="media-workflow/prod/media-workflow.tfstate"),
    "alarm": lambda client: client("cloudwatch").delete_alarms(AlarmNames=["media-workflow-prod-chain-dead-letters"]),
    "stack": lambda client: client("cloudformation").delete_stack(StackName="media-workflow-prod-channel-one"),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_roles_cannot_reach_foreign_resources(what: str, checkout: Checkout, aws: LocalAws) -> None:
    del checkout
    for role in (PLAN_ROLE, APPLY_ROLE):
        found = credentials(aws, role)

        def client(service: str, found: dict[str, str] = found) -> Any:
            make: Any = boto3.client
            return make(
                service,
                endpoint_url=aws.endpoint,
                region_name=aws.region,
                aws_access_key_id=found["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=found["AWS_SECRET_ACCESS_KEY"],
                aws_session_token=found["AWS_SESSION_TOKEN"],
            )

        with enforced(), pytest.raises(ClientError, match=r"not authorized|AccessDenied|403"):
            FOREIGN[what](client)


def test_each_role_trusts_only_its_own_subjects(checkout: Checkout, aws: LocalAws) -> None:
    del checkout
    iam = aws.client("iam")
    subjects = {
        role: iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] for role in (PLAN_ROLE, APPLY_ROLE)
    }  # fmt: skip
    issuer = "token.actions.githubusercontent.com"
    ids = "example@123456/live@456789"
    assert subjects[PLAN_ROLE] == {
        "StringEquals": {
            f"{issuer}:aud": ["sts.amazonaws.com"],
            f"{issuer}:sub": [
                *("repo:example/live:pull_request", "repo:example/live:ref:refs/heads/main"),
                *(f"repo:{ids}:pull_request", f"repo:{ids}:ref:refs/heads/main"),
            ],
        }
    }
    assert subjects[APPLY_ROLE] == {
        "StringEquals": {
            f"{issuer}:aud": ["sts.amazonaws.com"],
            f"{issuer}:sub": ["repo:example/live:environment:lab", f"repo:{ids}:environment:lab"],
        }
    }


def is_change(request: Request) -> bool:
    """Whether a request changes something other than the lock of the state, which the plan role may take."""
    verb = request.action.partition(":")[2]
    return (
        not verb.startswith(READS)
        and not request.resource.endswith(".tflock")
        and request.action != "sts:GetCallerIdentity"
    )


def read(policy: Any) -> Any:
    return json.loads(policy) if isinstance(policy, str) else policy


def test_gate_allows_and_denies_by_policy() -> None:
    document = {
        "Statement": [
            {"Effect": "Allow", "Action": ["sns:*"], "Resource": "arn:aws:sns:us-east-1:1:a-*"},
            {"Effect": "Deny", "Action": "sns:Delete*", "Resource": "*"},
            {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": {"StringEquals": {"k": ["v"]}}},
        ]
    }
    topic = "arn:aws:sns:us-east-1:1:a-b"
    assert permitted([document], Request("sns:Publish", topic))
    assert not permitted([document], Request("sns:Publish", "arn:aws:sns:us-east-1:1:b"))
    assert not permitted([document], Request("sns:DeleteTopic", topic))
    assert not permitted([document], Request("iam:PassRole", "x"))
    assert permitted([document], Request("iam:PassRole", "x", (("k", "v"),)))
    assert not permitted([document], Request("iam:PassRole", "x", (("k", "w"),)))
    narrow = {"Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}]}
    assert permitted([document], Request("sns:Publish", topic), narrow)
    assert not permitted([document], Request("sns:Subscribe", topic), narrow)
    assert not permitted([], Request("sns:Publish", topic), narrow)
    assert isinstance(Gate().requests, list)
