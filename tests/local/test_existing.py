"""A team that has its topic, key and bucket already: they are used, and they stay when the environment goes."""

import json
from collections.abc import Iterator

import pytest

from local_aws import LocalAws
from tests.local.checkout import Checkout

BUCKET = "somebodys-code"


@pytest.fixture
def checkout(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """An environment whose settings name what is there, deployed."""
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    topic = aws.client("sns").create_topic(Name="noc")["TopicArn"]
    aws.client("s3").create_bucket(Bucket=BUCKET)
    found = Checkout(tmp_path_factory.mktemp("checkout"), aws, {})
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


def test_an_environment_lives_with_what_was_there_before_and_leaves_it(checkout: Checkout, aws: LocalAws) -> None:
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
    checkout.run("destroy", "given", "--yes")
    assert "Contents" not in aws.client("s3").list_objects_v2(Bucket=BUCKET)
    assert any(topic["TopicArn"].endswith(":noc") for topic in aws.client("sns").list_topics()["Topics"])
