"""The topics that people hear from: who is told of which severity.

Wording is decided in `lambda_src/alert_handler`. E-mail subscriptions must be confirmed by their owner once;
until then AWS delivers nothing to them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class GivenTopic:
    """A topic that is there already: whoever made it decides who is told, and lets CloudWatch and our roles publish."""

    topic_arn: str

    @property
    def chain_topic_arn(self) -> str:
        """Alarms on the watching itself go the same way."""
        return self.topic_arn

    @property
    def topic_name(self) -> str:
        """Name of the topic, as CloudWatch's metrics call it."""
        return self.topic_arn.rpartition(":")[2]

    @property
    def chain_topic_name(self) -> str:
        """The same."""
        return self.topic_name


class Notifications(Construct):
    """Two topics with the same subscribers.

    Alerts are filtered by severity. Alarms on the watching itself come from CloudWatch, which sets no attributes, and
    SNS delivers a message without attributes through no filter, not even through `"exists": false`; so they have a
    topic without filters.
    """

    def __init__(
        self, scope: Construct, id_: str, *, site: Site, key_arn: str, subscribers: Sequence[Notification]
    ) -> None:
        super().__init__(scope, id_)
        alerts = self._topic("topic", site.names.topic, site, key_arn)
        chain = self._topic("chain", site.names.chain_topic, site, key_arn)
        for subscriber in subscribers:
            who = f"{subscriber.protocol}-{subscriber.endpoint}"
            SnsTopicSubscription(
                self,
                who,
                topic_arn=alerts.arn,
                protocol=subscriber.protocol,
                endpoint=subscriber.endpoint,
                filter_policy=json.dumps({"severity": severities_from(subscriber.minimum_severity)}),
                filter_policy_scope="MessageAttributes",
            )
            SnsTopicSubscription(
                self, f"chain-{who}", topic_arn=chain.arn, protocol=subscriber.protocol, endpoint=subscriber.endpoint
            )
        self.topic_arn: Final = alerts.arn
        self.chain_topic_arn: Final = chain.arn
        self.topic_name: Final = alerts.name
        self.chain_topic_name: Final = chain.name

    def _topic(self, id_: str, name: str, site: Site, key_arn: str) -> SnsTopic:
        topic = SnsTopic(self, id_, name=name, display_name=site.names.prefix, kms_master_key_id=key_arn)
        SnsTopicPolicy(
            self,
            f"{id_}_policy",
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
        return topic
