"""The topics that people are notified through: who receives which severity.

Wording is decided in `lambda_src/alert_handler`. E-mail subscriptions must be confirmed by their owner once;
until then AWS delivers nothing to them, and after three days without it deletes them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from constructs import Construct

from components.aws import SnsTopic, SnsTopicPolicy, SnsTopicSubscription, SqsQueue, SqsQueuePolicy
from components.iam import Statement, allow, document, own_account
from components.site import Site
from settings import WORST_FIRST, Notification, Severity

KEEP_UNDELIVERED_SECONDS: Final = 14 * 24 * 3600  # the longest that SQS keeps anything


def severities_from(minimum: Severity) -> list[str]:
    """`minimum` and everything worse, worst first."""
    return list(WORST_FIRST[: WORST_FIRST.index(minimum) + 1])


@dataclass(frozen=True, slots=True)
class GivenTopic:
    """A topic that is there already: whoever made it decides who is told, and lets CloudWatch and our roles publish."""

    topic_arn: str
    undelivered_queue_name: str | None = None

    @property
    def self_monitoring_topic_arn(self) -> str:
        """Self-monitoring alarms go the same way."""
        return self.topic_arn

    @property
    def topic_name(self) -> str:
        """Name of the topic, as CloudWatch's metrics call it."""
        return self.topic_arn.rpartition(":")[2]

    @property
    def self_monitoring_topic_name(self) -> str:
        """The same."""
        return self.topic_name


class Notifications(Construct):
    """Two topics with the same subscribers, and a queue of the messages that SNS could not deliver.

    Alerts are filtered by severity. Self-monitoring alarms come from CloudWatch, which sets no attributes, and
    SNS delivers a message without attributes through no filter, not even through `"exists": false`; so they have a
    topic without filters. That topic is not encrypted: it must report the loss of the key, and CloudWatch may not use
    `alias/aws/sns`. It carries names of alarms, flows and executions, and no stream, secret or address.
    """

    def __init__(
        self, scope: Construct, id_: str, *, site: Site, key_arn: str, subscribers: Sequence[Notification]
    ) -> None:
        super().__init__(scope, id_)
        alerts = self._topic("topic", site.names.topic, site, key_arn=key_arn)
        self_monitored = self._topic(
            "chain",
            site.names.self_monitoring_topic,
            site,
            key_arn=None,
            publisher=allow(
                ["sns:Publish"],
                site.arn("sns", site.names.self_monitoring_topic),
                principal={"Service": "cloudwatch.amazonaws.com"},
                condition=own_account(site.account_id, source_arn=f"{site.alarm_arn_prefix}*"),
                sid="AlarmsPublish",
            ),
        )
        undelivered = SqsQueue(
            self,
            "undelivered",
            name=site.names.undelivered_queue,
            message_retention_seconds=KEEP_UNDELIVERED_SECONDS,
            sqs_managed_sse_enabled=True,  # SNS may write to it without a statement in any key's policy
        )
        SqsQueuePolicy(
            self,
            "undelivered_policy",
            queue_url=undelivered.url,
            policy=document(
                allow(
                    ["sqs:SendMessage"],
                    undelivered.arn,
                    principal={"Service": "sns.amazonaws.com"},
                    condition={"ArnEquals": {"aws:SourceArn": [alerts.arn, self_monitored.arn]}},
                )
            ),
        )
        redrive = json.dumps({"deadLetterTargetArn": undelivered.arn})
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
                redrive_policy=redrive,
            )
            SnsTopicSubscription(
                self,
                f"chain-{who}",
                topic_arn=self_monitored.arn,
                protocol=subscriber.protocol,
                endpoint=subscriber.endpoint,
                redrive_policy=redrive,
            )
        self.topic_arn: Final = alerts.arn
        self.self_monitoring_topic_arn: Final = self_monitored.arn
        self.topic_name: Final = alerts.name
        self.self_monitoring_topic_name: Final = self_monitored.name
        self.undelivered_queue_name: Final[str | None] = undelivered.name

    def _topic(
        self, id_: str, name: str, site: Site, *, key_arn: str | None, publisher: Statement | None = None
    ) -> SnsTopic:
        topic = SnsTopic(self, id_, name=name, display_name=site.names.prefix, kms_master_key_id=key_arn)
        own = allow(  # functions and state machines publish by their own roles, within the account
            ["sns:Publish", "sns:Subscribe", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"],
            topic.arn,
            principal={"AWS": f"arn:{site.partition}:iam::{site.account_id}:root"},
            sid="OwnAccount",
        )
        SnsTopicPolicy(self, f"{id_}_policy", arn=topic.arn, policy=document(*([publisher] if publisher else []), own))
        return topic
