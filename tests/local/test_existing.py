"""An environment that uses an existing topic, key and bucket: they are used, checked for drift, and never deleted.

The tests share one environment and run in order, because each step with Terraform is slow.
"""

import json
from collections.abc import Iterator

import pytest

from tests.local.checkout import Checkout
from tests.local.github import GitHub
from tools.local_aws import LocalAws

BUCKET = "somebodys-code"


@pytest.fixture(scope="module")
def checkout(aws: LocalAws, github: GitHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A deployed environment whose settings name existing resources."""
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    topic = aws.client("sns").create_topic(Name="noc")["TopicArn"]
    aws.client("s3").create_bucket(Bucket=BUCKET)
    found = Checkout(tmp_path_factory.mktemp("checkout"), aws, github.environment())
    folder = found.folder / "environments"
    text = (folder / "dev.toml").read_text(encoding="utf-8")
    before, rest = text.split("[[notifications]]")
    rest = rest[rest.index("[thresholds]") :]
    given = f'existing_topic_arn = "{topic}"\nexisting_key_arn = "{key}"\nexisting_code_bucket = "{BUCKET}"\n\n'
    (folder / "given.toml").write_text(before.replace("[tags]", given + "[tags]") + rest, encoding="utf-8")
    found.run("plan", "given", "--save", "reviewed")
    found.run("apply", "given", "reviewed")
    with found.one_provider():
        yield found
    found.forget_state("given")
    aws.client("sns").delete_topic(TopicArn=topic)
    aws.client("s3").delete_bucket(Bucket=BUCKET)


def test_existing_resources_are_used(checkout: Checkout, aws: LocalAws) -> None:
    assert "Nothing changes in given" in checkout.run("plan", "given")
    machine = next(
        item["stateMachineArn"]
        for item in aws.client("stepfunctions").list_state_machines()["stateMachines"]
        if item["name"] == "media-workflow-given-workflow"
    )
    assert ":noc" in json.dumps(
        aws.client("stepfunctions").describe_state_machine(stateMachineArn=machine)["definition"]
    )
    assert len(aws.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]) == 1


def test_drift_opens_and_closes_one_issue(checkout: Checkout, github: GitHub, aws: LocalAws) -> None:
    checkout.run("start", "given", "live-stream")
    assert "live-stream: ACTIVE" in checkout.run("status", "given")
    assert "deployed as it is configured" in checkout.run("drift", "given", "--issue")
    assert github.issues == []
    group = "/aws/lambda/media-workflow-given-alert-handler"
    aws.client("logs").put_retention_policy(logGroupName=group, retentionInDays=1)
    assert "keeps logs for 1 instead of 7 days" in checkout.run("drift", "given", expect=3)
    for _ in range(2):
        checkout.run("drift", "given", "--issue")
    (issue,) = github.issues
    assert (issue["title"], issue["state"]) == ("Drift in given", "open")
    assert "keeps logs for 1 instead of 7 days" in issue["body"]
    aws.client("logs").put_retention_policy(logGroupName=group, retentionInDays=7)
    checkout.run("drift", "given", "--issue")
    assert [issue["state"] for issue in github.issues] == ["closed"]


def test_failed_drift_check_leaves_the_issue_unchanged(checkout: Checkout, github: GitHub) -> None:
    github.issues.append({"number": 2, "state": "open", "title": "Drift in given", "body": "before"})
    unreachable = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    checkout.run("drift", "given", "--issue", expect=1, environ=unreachable)
    assert github.issues[-1]["state"] == "open"
    assert github.issues[-1]["body"] == "before"


def test_existing_resources_survive_destroy(checkout: Checkout, aws: LocalAws) -> None:
    checkout.run("destroy", "given", "--stop-flows", "--yes")
    assert "Contents" not in aws.client("s3").list_objects_v2(Bucket=BUCKET)
    assert any(topic["TopicArn"].endswith(":noc") for topic in aws.client("sns").list_topics()["Topics"])
