"""What the two roles of a pipeline may do, asked of the local AWS while it enforces their policies."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws
from tests.local.checkout import BUCKET, Checkout
from tests.local.permissions import Gate, Request, enforced, permitted, policies_of

PLAN_ROLE = "media-workflow-lab-ci-plan"
APPLY_ROLE = "media-workflow-lab-ci-apply"
READ_POLICY = "arn:aws:iam::123456789012:policy/media-workflow-lab-ci-read"
READS = ("Describe", "Get", "List", "Head", "Validate")
STATE = f"arn:aws:s3:::{BUCKET}/media-workflow/lab/media-workflow.tfstate"


@dataclass(frozen=True, slots=True)
class Life:
    """What happened in the life of an environment whose every step was taken by a pipeline's role."""

    asked: list[tuple[str, Request]]
    by_plan_role: dict[str, str]
    left: list[str]


def credentials(aws: LocalAws, role: str) -> dict[str, str]:
    """A session of a role, as a workflow gets it for its token."""
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
    """An environment whose roles are there and nothing else."""
    found = Checkout(tmp_path_factory.mktemp("checkout"), aws, {"TF_CLI_ARGS_apply": "-auto-approve -parallelism=20"})
    text = (found.folder / "environments" / "dev.toml").read_text(encoding="utf-8")
    lab = text.replace("[tags]", '[ci]\nrepository = "example/live"\n\n[tags]', 1)
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
    iam.delete_policy(PolicyArn=READ_POLICY)
    for provider in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider["Arn"])
    found.forget_state("lab")


@pytest.fixture(scope="module")
def life(checkout: Checkout, aws: LocalAws) -> Life:
    """Planned, applied, planned, changed and destroyed under enforcement; the roles stay."""
    plan_role, apply_role = credentials(aws, PLAN_ROLE), credentials(aws, APPLY_ROLE)
    printed = {}
    with enforced() as gate:
        checkout.run("plan", "lab", "--save", "first", environ=apply_role)
        checkout.run("apply", "lab", "first", environ=apply_role)
        printed["plan"] = checkout.run("plan", "lab", environ=plan_role)
        with checkout.one_provider(**plan_role):
            printed["drift"] = checkout.run("drift", "lab")
            checkout.edit("log_retention_days = 7", "log_retention_days = 14", environment="lab")
            checkout.edit('minimum_severity = "MEDIUM"', 'minimum_severity = "HIGH"', environment="lab")
            checkout.edit("jitter_ms = 50", "jitter_ms = 40", environment="lab")
            checkout.edit('allowed_cidr = "203.0.113.0/24"', 'allowed_cidr = "203.0.113.0/25"', environment="lab")
            checkout.run("plan", "lab", "--save", "changed")
            printed["apply"] = checkout.run("apply", "lab", "changed", expect=1)
        with checkout.one_provider(**apply_role):
            checkout.run("apply", "lab", "changed")
            checkout.run("destroy", "lab", "--yes")
    left = [topic["TopicArn"] for topic in aws.client("sns").list_topics()["Topics"] if "-lab-" in topic["TopicArn"]]
    return Life(gate.asked, printed, left)


def test_the_plan_role_can_plan_and_look_for_drift(life: Life) -> None:
    assert "Nothing changes in lab" in life.by_plan_role["plan"]
    assert "lab is deployed as it is configured" in life.by_plan_role["drift"]


def test_the_plan_role_cannot_apply_even_a_reviewed_plan(life: Life) -> None:
    assert "is not authorized to perform" in life.by_plan_role["apply"]


def test_the_apply_role_can_apply_change_and_destroy(life: Life) -> None:
    assert life.left == []
    made = {request.action for role, request in life.asked if role == APPLY_ROLE}
    assert {"lambda:CreateFunction", "cloudformation:UpdateStack", "kms:ScheduleKeyDeletion", "iam:PassRole"} <= made


def test_the_plan_role_may_make_none_of_the_changes_that_the_apply_role_made(life: Life) -> None:
    documents = [read(policy) for policy in policies_of(PLAN_ROLE)]
    changes = {request for role, request in life.asked if role == APPLY_ROLE and is_change(request)}
    assert len(changes) > 100
    assert [request for request in changes if permitted(documents, request)] == []


def test_the_apply_role_may_do_none_of_it_to_another_environment(life: Life) -> None:
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


def test_no_role_has_a_permission_that_no_step_asked_for_on_everything(life: Life) -> None:
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
    # The state machine's own service asks for these in the caller's name, which the local AWS does not do.
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
def test_neither_role_reaches_what_is_not_of_its_environment(what: str, checkout: Checkout, aws: LocalAws) -> None:
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


def test_each_role_trusts_its_own_subjects_only(checkout: Checkout, aws: LocalAws) -> None:
    del checkout
    iam = aws.client("iam")
    subjects = {
        role: iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] for role in (PLAN_ROLE, APPLY_ROLE)
    }  # fmt: skip
    issuer = "token.actions.githubusercontent.com"
    assert subjects[PLAN_ROLE] == {
        "StringEquals": {
            f"{issuer}:aud": "sts.amazonaws.com",
            f"{issuer}:sub": ["repo:example/live:pull_request", "repo:example/live:ref:refs/heads/main"],
        }
    }
    assert subjects[APPLY_ROLE] == {
        "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": ["repo:example/live:environment:lab"]}
    }


def is_change(request: Request) -> bool:
    """Whether a request changes something; the lock of the state is the plan role's to take."""
    verb = request.action.partition(":")[2]
    return (
        not verb.startswith(READS)
        and not request.resource.endswith(".tflock")
        and request.action != "sts:GetCallerIdentity"
    )


def read(policy: Any) -> Any:
    return json.loads(policy) if isinstance(policy, str) else policy


def test_what_the_gate_itself_decides() -> None:
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
    assert isinstance(Gate().asked, list)
