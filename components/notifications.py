"""SNS topics and subscriptions: who receives which severity.

`lambda_src/alert_handler` writes the messages. The owner of an e-mail address must confirm the subscription; until then
SNS delivers nothing to it, and after three days deletes the subscription.
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
    """`minimum` and all higher severities, worst first."""
    return list(WORST_FIRST[: WORST_FIRST.index(minimum) + 1])


@dataclass(frozen=True, slots=True)
class ExistingTopic:
    """An existing topic. Its owner manages the subscriptions, and lets CloudWatch and our roles publish."""

    topic_arn: str
    undelivered_queue_name: str | None = None

    @property
    def self_monitoring_topic_arn(self) -> str:
        """Topic of self-monitoring: the same."""
        return self.topic_arn

    @property
    def topic_name(self) -> str:
        """Name of the topic, as in CloudWatch's dimensions."""
        return self.topic_arn.rpartition(":")[2]

    @property
    def self_monitoring_topic_name(self) -> str:
        """Name of the topic of self-monitoring: the same."""
        return self.topic_name


class Notifications(Construct):
    """Two topics with the same subscribers, and a dead-letter queue of messages that SNS could not deliver.

    Subscriptions to alerts filter by severity. CloudWatch publishes self-monitoring alarms without message attributes,
    and no filter matches those, not even `"exists": false`; so they have a topic without filters. That topic is not
    encrypted: it must report the loss of the key, and CloudWatch may not use `alias/aws/sns`. Its messages name alarms,
    flows and executions, and hold no stream, secret or address.
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
