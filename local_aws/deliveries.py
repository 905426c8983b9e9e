"""Every message published to a topic, and who gets it: subscriptions whose filter lets it through.

E-mail and text messages go nowhere; they are only listed. Confirmation of subscriptions is not asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.sns.models import sns_backends

from local_aws.eventbridge import ACCOUNT_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One message as it was published."""

    topic_arn: str
    subject: str
    message: str
    attributes: Mapping[str, str]
    recipients: tuple[str, ...]


def published(*, region: str) -> list[Published]:
    """All messages, topic by topic, each in the order of publishing."""
    backend = sns_backends[ACCOUNT_ID][region]
    found = []
    for topic in backend.topics.values():
        subscriptions = [item for item in backend.subscriptions.values() if item.topic.arn == topic.arn]
        for _, message, subject, attributes, _ in topic.sent_notifications:
            fitting = (item for item in subscriptions if _lets_through(item, attributes, message))
            found.append(
                Published(
                    topic_arn=topic.arn,
                    subject=subject or "",
                    message=message,
                    attributes={name: str(item["Value"]) for name, item in (attributes or {}).items()},
                    recipients=tuple(sorted(f"{item.protocol} {item.endpoint}" for item in fitting)),
                )
            )
    return found


def _lets_through(subscription: Any, attributes: Any, message: str) -> bool:
    matcher = subscription._filter_policy_matcher
    return matcher is None or bool(matcher.matches(attributes, message))
