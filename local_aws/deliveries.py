"""Every message published to a topic, and who gets it: subscriptions whose filter lets it through.

E-mail, text messages and what goes to URLs go nowhere; they are only listed. Confirmation of subscriptions is not
asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from moto.sns.models import Subscription, Topic, sns_backends

from local_aws.eventbridge import ACCOUNT_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One message as it was published. A recipient is a protocol and an endpoint: "email oncall@example.com"."""

    topic_arn: str
    subject: str
    message: str
    attributes: Mapping[str, str]
    recipients: tuple[str, ...]


@cache
def install() -> None:
    """Keep the order of messages across topics, and who subscribed when they were published; moto keeps neither."""
    publish = Topic.publish

    def noted(self: Any, message: str, *args: Any, **kwargs: Any) -> str:
        message_id = str(publish(self, message, *args, **kwargs))
        sent = next(sent for sent in reversed(self.sent_notifications) if sent[0] == message_id)
        # Kept in the backend, so that it is forgotten when that is reset.
        vars(self.sns_backend).setdefault("noted_messages", {})[message_id] = _published(self, sent)
        return message_id

    Topic.publish = noted
    hand_over = Subscription.publish

    def within(self: Any, *args: Any, **kwargs: Any) -> None:
        # moto would really call the URL: a rehearsal must page nobody.
        if self.protocol not in {"http", "https"}:
            hand_over(self, *args, **kwargs)

    Subscription.publish = within


def published(*, region: str, since: int = 0) -> list[Published]:
    """The messages in the order of publishing, without the first `since` of them.

    Those of before `install` come topic by topic.
    """
    backend = sns_backends[ACCOUNT_ID][region]
    noted: dict[str, Published] = getattr(backend, "noted_messages", {})
    earlier = [
        _published(topic, sent)
        for topic in backend.topics.values()
        for sent in topic.sent_notifications
        if sent[0] not in noted
    ]
    return [*earlier, *noted.values()][since:]


def _published(topic: Any, sent: tuple[Any, ...]) -> Published:
    _, message, subject, attributes, _ = sent
    fitting = (
        item
        for item in topic.sns_backend.subscriptions.values()
        if item.topic.arn == topic.arn and _lets_through(item, attributes, message)
    )
    return Published(
        topic_arn=topic.arn,
        subject=subject or "",
        message=message,
        attributes={name: str(item["Value"]) for name, item in (attributes or {}).items()},
        recipients=tuple(sorted(f"{item.protocol} {item.endpoint}" for item in fitting)),
    )


def _lets_through(subscription: Any, attributes: Any, message: str) -> bool:
    matcher = subscription._filter_policy_matcher
    return matcher is None or bool(matcher.matches(attributes, message))
