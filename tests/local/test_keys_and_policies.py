"""A key that cannot be used, or a broken policy, is refused as AWS documents it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from components.second_path import second_path_definition
from tests.local.empty_region import EIGHT, EmptyRegion, minute
from tools.local_aws import LocalAws, executions, resource_faults
from tools.local_aws.alarms import evaluate_alarms
from tools.local_aws.deliveries import published
from tools.local_aws.eventbridge import deliver, event

ALIAS = "alias/under-test"
CLOUDWATCH = {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish", "Resource": "*"}  # fmt: skip
OWN = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sns:Publish", "Resource": "*"}  # fmt: skip
NAMES = resource_faults.Names(key=ALIAS, topic="alerts", self_monitoring_topic="self-monitoring")


@pytest.fixture
def region(aws: LocalAws) -> EmptyRegion:
    return EmptyRegion(aws)


@pytest.fixture
def key(region: EmptyRegion) -> Iterator[str]:
    """The ARN of a key under which a topic, a queue, a table and a bucket are encrypted."""
    kms = region.client("kms")
    root = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}  # fmt: skip
    logs = {"Effect": "Allow", "Principal": {"Service": "logs.eu-west-1.amazonaws.com"}, "Action": "kms:*", "Resource": "*"}  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [root, logs]})
    arn = kms.create_key(Policy=policy)["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName=ALIAS, TargetKeyId=arn)
    region.client("sns").create_topic(Name="alerts", Attributes={"KmsMasterKeyId": arn})
    region.client("sqs").create_queue(QueueName="letters", Attributes={"KmsMasterKeyId": arn})
    region.client("dynamodb").create_table(
        TableName="incidents",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "flow", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "flow", "AttributeType": "S"}],
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": arn},
    )
    s3 = region.client("s3")
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": region.name})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}}
    s3.put_bucket_encryption(Bucket="code", ServerSideEncryptionConfiguration={"Rules": [rule]})
    yield arn
    s3.delete_bucket(Bucket="code")
    region.client("dynamodb").delete_table(TableName="incidents")
    kms.delete_alias(AliasName=ALIAS)


def use(region: EmptyRegion, service: str) -> None:
    """One call that needs the key."""
    topic = f"arn:aws:sns:{region.name}:123456789012:alerts"
    url = f"{region.aws.endpoint}/123456789012/letters"
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "sns": ("publish", {"TopicArn": topic, "Message": "x"}),
        "sqs": ("send_message", {"QueueUrl": url, "MessageBody": "x"}),
        "dynamodb": ("get_item", {"TableName": "incidents", "Key": {"flow": {"S": "x"}}}),
        "s3": ("put_object", {"Bucket": "code", "Key": "x", "Body": b"x"}),
    }
    name, given = calls[service]
    getattr(region.client(service), name)(**given)
    if service == "s3":
        region.client("s3").delete_object(Bucket="code", Key="x")


@pytest.mark.parametrize(
    ("service", "error", "code"),
    [
        ("sns", "disabled", "KMSDisabled"),
        ("sns", "pending-deletion", "KMSInvalidState"),
        ("sns", "statement-deleted", "KMSAccessDenied"),
        ("sqs", "disabled", "KMS.DisabledException|KmsDisabled"),
        ("sqs", "pending-deletion", "KmsInvalidState|KMS.InvalidStateException"),
        ("sqs", "statement-deleted", "KmsAccessDenied|KMS.AccessDeniedException"),
        ("dynamodb", "disabled", "AccessDeniedException"),
        ("dynamodb", "statement-deleted", "AccessDeniedException"),
        ("s3", "disabled", "KMS.DisabledException"),
        ("s3", "statement-deleted", "AccessDenied"),
    ],
)
def test_service_refuses_until_its_key_is_repaired(
    region: EmptyRegion, key: str, service: str, error: str, code: str
) -> None:
    use(region, service)
    repair = resource_faults.broken("key", error, region=region.name, names=NAMES)
    with pytest.raises(ClientError, match=code):
        use(region, service)
    repair()
    use(region, service)
    assert key


def alarm(region: EmptyRegion, topic: str) -> None:
    region.client("cloudwatch").put_metric_alarm(
        AlarmName="chain-errors", AlarmDescription="Errors.", Namespace="AWS/Lambda", MetricName="Errors",
        Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=0, ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching", AlarmActions=[topic],
    )  # fmt: skip


def topic(region: EmptyRegion, name: str, *statements: dict[str, Any]) -> str:
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    arn = str(region.client("sns").create_topic(Name=name, Attributes={"Policy": policy})["TopicArn"])
    region.client("sns").subscribe(TopicArn=arn, Protocol="email", Endpoint="oncall@example.com")
    return arn


def subjects(region: EmptyRegion) -> list[str]:
    return [message.subject for message in published(region=region.name)]


def test_cloudwatch_needs_a_statement_in_the_key_of_the_topic(region: EmptyRegion, key: str) -> None:
    alarm(region, f"arn:aws:sns:{region.name}:123456789012:alerts")
    region.measure("Errors", 1.0, namespace="AWS/Lambda")
    assert [change.after for change in evaluate_alarms(minute(1), region=region.name)] == ["ALARM"]
    assert subjects(region) == []
    use(region, "sns")
    assert len(subjects(region)) == 1, "a role of the account may"
    assert key


@pytest.mark.parametrize(
    ("statements", "by_alarm", "by_role"),
    [([CLOUDWATCH, OWN], True, True), ([OWN], False, True), ([CLOUDWATCH], True, True)],
)
def test_service_needs_a_statement_of_the_topic(
    region: EmptyRegion, *, statements: list[dict[str, Any]], by_alarm: bool, by_role: bool
) -> None:
    """A role of the account does not."""
    arn = topic(region, "self-monitoring", *statements)
    alarm(region, arn)
    region.measure("Errors", 1.0, namespace="AWS/Lambda")
    evaluate_alarms(minute(1), region=region.name)
    assert bool(subjects(region)) is by_alarm
    region.client("sns").publish(TopicArn=arn, Message="x", Subject="by a role")
    assert ("by a role" in subjects(region)) is by_role


def test_policy_that_denies_everybody_denies_roles(region: EmptyRegion) -> None:
    arn = topic(region, "alerts", OWN)
    repair = resource_faults.broken("topic_policy", "denied", region=region.name, names=NAMES)
    with pytest.raises(ClientError, match="AuthorizationError"):
        region.client("sns").publish(TopicArn=arn, Message="x")
    repair()
    region.client("sns").publish(TopicArn=arn, Message="x")


def test_queue_without_a_statement_refuses_a_dead_letter(region: EmptyRegion) -> None:
    region.client("sqs").create_queue(QueueName="closed")
    dead = {"Arn": f"arn:aws:sqs:{region.name}:123456789012:closed"}
    gone = f"arn:aws:states:{region.name}:123456789012:stateMachine:gone"
    region.rule("all", {"source": ["aws.mediaconnect"]}, {"Id": "1", "Arn": gone, "RoleArn": gone, "DeadLetterConfig": dead})  # fmt: skip
    alert = event(source="aws.mediaconnect", detail_type="MediaConnect Alert", detail={}, resources=[], time=EIGHT, region=region.name)  # fmt: skip
    (delivery,) = deliver(alert, region=region.name)
    assert delivery.error
    assert region.waiting("closed") == []


def test_queue_keeps_its_policy_when_its_encryption_changes(region: EmptyRegion) -> None:
    region.queue("letters")
    client = region.client("sqs")
    url = client.get_queue_url(QueueName="letters")["QueueUrl"]
    before = client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
    client.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "", "SqsManagedSseEnabled": "true"})
    assert client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"] == before


@pytest.mark.parametrize(("statements", "reached"), [([CLOUDWATCH, OWN], ["first"]), ([OWN], ["second"])])
def test_alarm_takes_the_second_path_only_if_the_first_refuses(
    region: EmptyRegion, statements: list[dict[str, Any]], reached: list[str]
) -> None:
    first, second = topic(region, "self-monitoring", *statements), topic(region, "alerts", OWN)
    states = second_path_definition(environment="dev", partition="aws", topic_arn=second)["States"]
    machine = region.state_machine("second-path", **states)
    region.rule("chain", {"source": ["aws.cloudwatch"]}, {"Id": "1", "Arn": machine, "RoleArn": machine})
    alarm(region, first)
    region.measure("Errors", 1.0, namespace="AWS/Lambda")
    (change,) = evaluate_alarms(minute(1), region=region.name)
    (ended,) = [executions.wait_for(item.execution_arn) for item in change.deliveries if item.execution_arn]
    assert ended.status == "SUCCEEDED", ended
    messages = published(region=region.name)
    assert [{first: "first", second: "second"}[message.topic_arn] for message in messages] == reached
    if reached == ["second"]:
        assert messages[0].attributes["severity"] == "CRITICAL"
        assert "chain-errors is in ALARM" in messages[0].message


@pytest.mark.parametrize(("muted", "published_there"), [({}, 1), ({"muteDetail": {"mutedBy": ["maintenance"]}}, 0)])
def test_muted_alarm_takes_no_second_path(region: EmptyRegion, muted: dict[str, Any], published_there: int) -> None:
    """The history of this alarm is empty, as where its actions are muted or it was never evaluated."""
    states = second_path_definition(environment="dev", partition="aws", topic_arn=topic(region, "alerts", OWN))[
        "States"
    ]
    detail = {"alarmName": "chain-errors", "state": {"value": "ALARM"}, "configuration": {"description": "x"}, **muted}
    machine = region.state_machine("second-path", **states)
    ended = executions.wait_for(executions.start(machine, {"time": "2026-11-23T20:00:00Z", "detail": detail}))
    assert ended.status == "SUCCEEDED", ended
    assert len(published(region=region.name)) == published_there


@pytest.mark.parametrize(("target", "error"), [("key", "disabled"), ("topic_policy", "denied")])
def test_resource_that_is_not_deployed_cannot_be_broken(region: EmptyRegion, target: str, error: str) -> None:
    names = resource_faults.Names(key="alias/none", topic="none", self_monitoring_topic="none")
    with pytest.raises(LookupError, match="none in the local AWS"):
        resource_faults.broken(target, error, region=region.name, names=names)
