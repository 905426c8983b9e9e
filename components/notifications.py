"""The topic that people hear from: who is told of which severity.

Wording is decided in `lambda_src/alert_handler`. E-mail subscriptions must be confirmed by their owner once;
until then AWS delivers nothing to them.
"""

import json
from collections.abc import Sequence
from typing import Final

from constructs import Construct

from components.aws import SnsTopic, SnsTopicPolicy, SnsTopicSubscription
from components.iam import allow, document, own_account
from components.site import Site
from settings import Notification

WORST_FIRST: Final = ("CRITICAL", "HIGH", "MEDIUM", "INFO")


def severities_from(minimum: str) -> list[str]:
    """`minimum` and everything worse, worst first."""
    return list(WORST_FIRST[: WORST_FIRST.index(minimum) + 1])


class Notifications(Construct):
    """Topic, who may publish to it, and its subscriptions with their severity filters."""

    def __init__(
        self, scope: Construct, id_: str, *, site: Site, key_arn: str, subscribers: Sequence[Notification]
    ) -> None:
        super().__init__(scope, id_)
        topic = SnsTopic(
            self, "topic", name=site.names.topic, display_name=site.names.prefix, kms_master_key_id=key_arn
        )
        SnsTopicPolicy(
            self,
            "policy",
            arn=topic.arn,
            policy=document(
                allow(
                    ["sns:Publish"],
                    topic.arn,
                    principal={"Service": "cloudwatch.amazonaws.com"},
                    condition=own_account(site.account_id, source_arn=f"{site.alarm_arn_prefix}*"),
                    sid="AlarmsPublish",
                ),
                # Functions and state machine publish by their own roles, within the account.
                allow(
                    ["sns:Publish", "sns:Subscribe", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"],
                    topic.arn,
                    principal={"AWS": f"arn:{site.partition}:iam::{site.account_id}:root"},
                    sid="OwnAccount",
                ),
            ),
        )
        for subscriber in subscribers:
            SnsTopicSubscription(
                self,
                f"{subscriber.protocol}-{subscriber.endpoint}",
                topic_arn=topic.arn,
                protocol=subscriber.protocol,
                endpoint=subscriber.endpoint,
                filter_policy=filter_policy(subscriber.minimum_severity),
                filter_policy_scope="MessageAttributes",
            )
        self.topic_arn: Final = topic.arn
        self.topic_name: Final = topic.name


def filter_policy(minimum: str) -> str:
    """The subscription filter for a least severity.

    Alarms on the chain itself are published by CloudWatch, which sets no attributes; a message without a severity
    says that watching is broken, so whoever hears of CRITICAL hears of it.
    """
    return json.dumps({"severity": [*severities_from(minimum), {"exists": False}]})
