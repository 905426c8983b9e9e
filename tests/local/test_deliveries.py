"""Every published message has the recipients that SNS would deliver it to."""

import json
from datetime import timedelta
from typing import Any

import pytest
from moto.cloudwatch.models import cloudwatch_backends

from components.workflow_definition import workflow_definition
from tests.local.empty_region import EIGHT, EmptyRegion, minute
from tools.local_aws import ACCOUNT_ID, LocalAws, deliveries, executions, faults, service_metrics
from tools.local_aws.deliveries import published


@pytest.fixture
def region(aws: LocalAws) -> EmptyRegion:
    return EmptyRegion(aws)


def subscribe(region: EmptyRegion, topic: str, protocol: str, endpoint: str, policy: Any = None, **more: str) -> None:
    attributes = more if policy is None else {"FilterPolicy": json.dumps(policy), **more}
    region.client("sns").subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)


def publish(region: EmptyRegion, topic: str, message: str = "text", **attributes: str) -> None:
    region.client("sns").publish(
        TopicArn=topic,
        Subject="A subject",
        Message=message,
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    )  # fmt: skip


def test_message_has_subject_attributes_and_recipients(region: EmptyRegion) -> None:
    topic = region.topic("alerts")
    subscribe(region, topic, "email", "oncall@example.com")
    subscribe(region, topic, "sms", "+15550100")
    publish(region, topic, severity="HIGH", kind="alert")
    assert published(region=region.name) == [
        deliveries.Published(
            topic_arn=topic,
            subject="A subject",
            message="text",
            attributes={"severity": "HIGH", "kind": "alert"},
            recipients=("email oncall@example.com", "sms +15550100"),
        )
    ]


def test_protocol_without_a_text_gets_the_default(region: EmptyRegion) -> None:
    topic, queue = region.topic("alerts"), region.queue("inbox")
    subscribe(region, topic, "email", "oncall@example.com")
    subscribe(region, topic, "sms", "+15550100")
    subscribe(region, topic, "sqs", queue)
    texts = {"default": "All of it.", "sms": "Short."}
    region.client("sns").publish(TopicArn=topic, Message=json.dumps(texts), MessageStructure="json")
    (message,) = published(region=region.name)
    assert message.message == "All of it."
    assert [message.text_for(to) for to in ("email oncall@example.com", "sms +15550100")] == ["All of it.", "Short."]
    (received,) = region.waiting("inbox")
    assert json.loads(received["Body"])["Message"] == "All of it."


@pytest.mark.parametrize(("text", "arrives"), [("x" * 1600, True), ("x" * 1601, False), ("é" * 801, False)])
def test_text_too_long_for_a_phone_is_not_delivered(region: EmptyRegion, *, text: str, arrives: bool) -> None:
    topic = region.topic("alerts")
    subscribe(region, topic, "email", "oncall@example.com")
    subscribe(region, topic, "sms", "+15550100")
    publish(region, topic, text)
    (message,) = published(region=region.name)
    assert message.recipients == ("email oncall@example.com", *(["sms +15550100"] if arrives else []))
    assert message.lost == (() if arrives else ("sms +15550100",))


@pytest.mark.parametrize("message", ["text", "[]", json.dumps({"sms": "Short."})])
def test_texts_by_protocol_without_a_default_are_refused(region: EmptyRegion, message: str) -> None:
    sns, topic = region.client("sns"), region.topic("alerts")
    with pytest.raises(sns.exceptions.InvalidParameterException, match="Message Structure"):
        sns.publish(TopicArn=topic, Message=message, MessageStructure="json")


def test_length_of_a_message_is_counted_in_bytes(region: EmptyRegion) -> None:
    sns, topic = region.client("sns"), region.topic("alerts")
    with pytest.raises(sns.exceptions.InvalidParameterException, match="too long"):
        sns.publish(TopicArn=topic, Message="é" * 131_073)


@pytest.mark.parametrize(("size", "brief"), [(10, False), (80_000, True)])
def test_monitoring_failure_is_sent_for_an_input_of_any_size(region: EmptyRegion, *, size: int, brief: bool) -> None:
    topic = region.topic("alerts")
    for protocol, endpoint in (("email", "oncall@example.com"), ("sms", "+15550100")):
        subscribe(region, topic, protocol, endpoint)
    states = workflow_definition(
        partition="aws",
        environment="dev",
        stream_monitor_arn="-",
        alert_handler_arn="-",
        topic_arn=topic,
        dead_letters_url="-",
    )["States"]
    machine = region.state_machine(
        "blind", **{name: states[name] for name in ("MonitorBlind", "MonitorBlindBriefly", "MonitoringFailed")}
    )
    given = {"flow_name": '"' * size, "failure": {"Error": "E", "Cause": "C"}}
    ended = executions.wait_for(executions.start(machine, given))
    assert ended.status == "FAILED"
    (message,) = published(region=region.name)
    assert ("too long for this message" in message.message) is brief
    assert message.message.startswith("Monitoring is down: ")
    assert ended.arn in message.message
    assert message.text_for("sms +15550100").startswith("CRITICAL (dev): a check failed")
    assert message.recipients == ("email oncall@example.com", "sms +15550100")


@pytest.mark.parametrize(
    ("policy", "severity", "received"),
    [
        ({"severity": ["CRITICAL", "HIGH"]}, "HIGH", True),
        ({"severity": ["CRITICAL", "HIGH"]}, "MEDIUM", False),
        ({"severity": ["CRITICAL"]}, None, False),
        ({"severity": [{"anything-but": ["INFO"]}]}, "HIGH", True),
        ({"severity": [{"anything-but": ["INFO"]}]}, "INFO", False),
        ({"severity": [{"prefix": "CRIT"}]}, "CRITICAL", True),
        ({"severity": ["HIGH"], "kind": ["alert"]}, "HIGH", False),
    ],
)
def test_filter_on_attributes_decides_the_recipients(
    region: EmptyRegion, *, policy: dict[str, Any], severity: str | None, received: bool
) -> None:
    topic = region.topic("alerts")
    subscribe(region, topic, "email", "oncall@example.com", policy)
    publish(region, topic, **({"severity": severity} if severity else {}))
    (message,) = published(region=region.name)
    assert message.recipients == (("email oncall@example.com",) if received else ())


@pytest.mark.parametrize(
    ("body", "received"),
    [({"report": {"severity": "HIGH"}}, True), ({"report": {"severity": "INFO"}}, False), ({}, False), ("text", False)],
)
def test_filter_on_the_body_decides_the_recipients(region: EmptyRegion, *, body: Any, received: bool) -> None:
    topic = region.topic("alerts")
    policy = {"report": {"severity": ["HIGH"]}}
    subscribe(region, topic, "email", "oncall@example.com", policy, FilterPolicyScope="MessageBody")
    publish(region, topic, json.dumps(body) if isinstance(body, dict) else body)
    (message,) = published(region=region.name)
    assert bool(message.recipients) is received


def test_messages_are_in_order_across_topics(region: EmptyRegion) -> None:
    alerts, self_monitored = region.topic("alerts"), region.topic("chain")
    for topic, text in ((self_monitored, "1"), (alerts, "2"), (self_monitored, "3"), (alerts, "4")):
        publish(region, topic, text)
    assert [message.message for message in published(region=region.name)] == ["1", "2", "3", "4"]
    assert [message.message for message in published(region=region.name, since=3)] == ["4"]


def test_recipients_are_those_at_the_time_of_publishing(region: EmptyRegion) -> None:
    topic = region.topic("alerts")
    publish(region, topic)
    subscribe(region, topic, "email", "late@example.com")
    assert [message.recipients for message in published(region=region.name)] == [()]


def test_subscriber_of_another_topic_is_no_recipient(region: EmptyRegion) -> None:
    subscribe(region, region.topic("chain"), "email", "oncall@example.com")
    publish(region, region.topic("alerts"))
    assert [message.recipients for message in published(region=region.name)] == [()]


def test_message_of_a_state_machine_is_recorded(region: EmptyRegion) -> None:
    topic = region.topic("alerts")
    subscribe(region, topic, "email", "oncall@example.com", {"severity": ["CRITICAL"]})
    publish_task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": {
            "TopicArn": topic,
            "Subject": "Blind",
            "Message.$": "$.text",
            "MessageAttributes": {"severity": {"DataType": "String", "StringValue": "CRITICAL"}},
        },
        "End": True,
    }
    ended = executions.wait_for(
        executions.start(region.state_machine("blind", Publish=publish_task), {"text": "No checks."})
    )
    assert (ended.status, ended.cause) == ("SUCCEEDED", "")
    (message,) = published(region=region.name)
    assert (message.subject, message.message) == ("Blind", "No checks.")
    assert message.attributes == {"severity": "CRITICAL"}
    assert message.recipients == ("email oncall@example.com",)


def test_reset_forgets_all_messages(region: EmptyRegion) -> None:
    publish(region, region.topic("alerts"))
    assert published(region=region.name)
    assert published(region=EmptyRegion(region.aws).name) == []


def counted(region: EmptyRegion) -> dict[str, float]:
    """What SNS counts of the messages so far, but for their publishing."""
    cloudwatch_backends[ACCOUNT_ID][region.name].metric_data.clear()
    for message in published(region=region.name):
        service_metrics.count_message(message, EIGHT)
    data = cloudwatch_backends[ACCOUNT_ID][region.name].metric_data
    return {datum.name: datum.value for datum in data if datum.name != "NumberOfMessagesPublished"}


@pytest.mark.parametrize(
    ("failing", "expected"),
    [
        (0, {"NumberOfNotificationsDelivered": 1}),
        (2, {"NumberOfNotificationsDelivered": 1, "NumberOfNotificationsFailed": 2}),
        (4, {"NumberOfNotificationsFailed": 4, "NumberOfNotificationsRedrivenToDlq": 1}),
    ],
)
def test_each_failed_attempt_on_a_url_is_counted(region: EmptyRegion, failing: int, expected: dict[str, float]) -> None:
    """Only after the last does the message go to the dead-letter queue."""
    topic, dead = region.topic("alerts"), region.queue("undelivered")
    redrive = json.dumps({"deadLetterTargetArn": dead})
    subscribe(region, topic, "https", "https://pager.example.com/x", RedrivePolicy=redrive)
    faults.inject("subscriber", "crash", calls=failing)
    publish(region, topic, "the message")
    faults.lift()
    (message,) = published(region=region.name)
    assert bool(message.recipients) is (failing < deliveries.ATTEMPTS)
    assert counted(region) == expected
    assert [item["Body"] for item in region.waiting("undelivered")] == ["the message"] * (
        failing == deliveries.ATTEMPTS
    )


def test_message_that_its_dead_letter_queue_refuses_is_lost(region: EmptyRegion) -> None:
    region.client("sqs").create_queue(QueueName="closed")
    dead = f"arn:aws:sqs:{region.name}:{ACCOUNT_ID}:closed"
    topic = region.topic("alerts")
    redrive = json.dumps({"deadLetterTargetArn": dead})
    subscribe(region, topic, "https", "https://pager.example.com/x", RedrivePolicy=redrive)
    with faults.failing("subscriber", "crash"):
        publish(region, topic)
    (message,) = published(region=region.name)
    assert (message.recipients, message.lost) == ((), ("https https://pager.example.com/x",))
    assert counted(region)["NumberOfNotificationsFailedToRedriveToDlq"] == 1


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [("sqs", "sqs:eu-west-1:123456789012:ours"), ("lambda", "lambda:eu-west-1:123456789012:function:ours")],
)
def test_queue_or_function_of_somebody_else_is_a_recipient(region: EmptyRegion, protocol: str, endpoint: str) -> None:
    topic = region.topic("alerts")
    subscribe(region, topic, protocol, f"arn:aws:{endpoint}")
    publish(region, topic)
    (message,) = published(region=region.name)
    assert message.recipients == (f"{protocol} arn:aws:{endpoint}",)


def test_local_queue_gets_a_message_only_if_its_policy_allows(region: EmptyRegion) -> None:
    topic = region.topic("alerts")
    region.client("sqs").create_queue(QueueName="closed")
    closed = f"arn:aws:sqs:{region.name}:{ACCOUNT_ID}:closed"
    subscribe(region, topic, "sqs", region.queue("open"))
    subscribe(region, topic, "sqs", closed)
    publish(region, topic)
    (message,) = published(region=region.name)
    assert (message.recipients, message.lost) == (
        (f"sqs arn:aws:sqs:{region.name}:{ACCOUNT_ID}:open",),
        (f"sqs {closed}",),
    )
    assert (len(region.waiting("open")), len(region.waiting("closed"))) == (1, 0)


def depths(region: EmptyRegion) -> list[tuple[float, float]]:
    """Minute and value of each datapoint of the queue's depth."""
    data = cloudwatch_backends[ACCOUNT_ID][region.name].metric_data
    return [((datum.timestamp - EIGHT.replace(tzinfo=None)) / timedelta(minutes=1), datum.value) for datum in data]


def test_idle_queue_has_no_metrics_until_minutes_after_a_message(region: EmptyRegion) -> None:
    region.queue("letters")
    url = region.client("sqs").get_queue_url(QueueName="letters")["QueueUrl"]

    def count(*minutes: int) -> None:
        for number in minutes:
            service_metrics.count_waiting(region.name, minute(number), prefix="letters")

    count(0, 1)
    assert depths(region) == [], "it has been idle for long"
    region.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    count(2, 16, 17, 18)
    assert depths(region) == [(17, 1), (18, 1)]
    region.client("sqs").purge_queue(QueueUrl=url)
    count(19, 18 + 360, 19 + 360)
    assert depths(region)[2:] == [(19, 0), (378, 0)]
