"""Who would get which message, whoever published it."""

import json
from typing import Any

import pytest

from local_aws import LocalAws, deliveries, executions
from local_aws.deliveries import published
from tests.local.empty_region import EmptyRegion


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


def test_a_message_is_kept_with_subject_attributes_and_recipients(region: EmptyRegion) -> None:
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


@pytest.mark.parametrize(
    ("policy", "severity", "told"),
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
def test_a_filter_on_attributes_decides_who_is_told(
    region: EmptyRegion, *, policy: dict[str, Any], severity: str | None, told: bool
) -> None:
    topic = region.topic("alerts")
    subscribe(region, topic, "email", "oncall@example.com", policy)
    publish(region, topic, **({"severity": severity} if severity else {}))
    (message,) = published(region=region.name)
    assert message.recipients == (("email oncall@example.com",) if told else ())


@pytest.mark.parametrize(
    ("body", "told"),
    [({"report": {"severity": "HIGH"}}, True), ({"report": {"severity": "INFO"}}, False), ({}, False), ("text", False)],
)
def test_a_filter_on_the_body_decides_who_is_told(region: EmptyRegion, *, body: Any, told: bool) -> None:
    topic = region.topic("alerts")
    policy = {"report": {"severity": ["HIGH"]}}
    subscribe(region, topic, "email", "oncall@example.com", policy, FilterPolicyScope="MessageBody")
    publish(region, topic, json.dumps(body) if isinstance(body, dict) else body)
    (message,) = published(region=region.name)
    assert bool(message.recipients) is told


def test_the_order_of_publishing_is_kept_across_topics(region: EmptyRegion) -> None:
    alerts, chain = region.topic("alerts"), region.topic("chain")
    for topic, text in ((chain, "1"), (alerts, "2"), (chain, "3"), (alerts, "4")):
        publish(region, topic, text)
    assert [message.message for message in published(region=region.name)] == ["1", "2", "3", "4"]
    assert [message.message for message in published(region=region.name, since=3)] == ["4"]


def test_recipients_are_those_of_the_moment_of_publishing(region: EmptyRegion) -> None:
    topic = region.topic("alerts")
    publish(region, topic)
    subscribe(region, topic, "email", "late@example.com")
    assert [message.recipients for message in published(region=region.name)] == [()]


def test_subscribers_of_another_topic_are_not_told(region: EmptyRegion) -> None:
    subscribe(region, region.topic("chain"), "email", "oncall@example.com")
    publish(region, region.topic("alerts"))
    assert [message.recipients for message in published(region=region.name)] == [()]


def test_what_a_state_machine_publishes_is_kept_too(region: EmptyRegion) -> None:
    topic = region.topic("alerts")
    subscribe(region, topic, "email", "oncall@example.com", {"severity": ["CRITICAL"]})
    tell = {
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
    ended = executions.wait_for(executions.start(region.state_machine("blind", Tell=tell), {"text": "Nobody looks."}))
    assert (ended.status, ended.cause) == ("SUCCEEDED", "")
    (message,) = published(region=region.name)
    assert (message.subject, message.message) == ("Blind", "Nobody looks.")
    assert message.attributes == {"severity": "CRITICAL"}
    assert message.recipients == ("email oncall@example.com",)


def test_a_reset_forgets_all_messages(region: EmptyRegion) -> None:
    publish(region, region.topic("alerts"))
    assert published(region=region.name)
    assert published(region=EmptyRegion(region.aws).name) == []
