"""Every message published to a topic, and who gets it: subscriptions whose filter lets it through.

E-mail, text messages and what goes to URLs go nowhere; they are only listed. Confirmation of subscriptions is not
asked for. A text that is too long for its protocol reaches nobody there, as `gaps.sns_texts` says.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from moto.sns.models import Subscription, Topic, sns_backends

from local_aws.eventbridge import ACCOUNT_ID

LONGEST: Final = {"sms": 1600}
"""Bytes by protocol: SNS takes a longer text for a topic, and then does not deliver it there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One message as it was published. A recipient is a protocol and an endpoint: "email oncall@example.com".

    Attributes:
        message: the text of every protocol that has none of its own in `texts`.
        recipients: who gets it.
        undelivered: whose text is too long.
    """

    topic_arn: str
    subject: str
    message: str
    attributes: Mapping[str, str]
    recipients: tuple[str, ...]
    texts: Mapping[str, str] = field(default_factory=dict)
    undelivered: tuple[str, ...] = ()

    def text_for(self, recipient: str) -> str:
        """What a recipient reads."""
        return self.texts.get(recipient.partition(" ")[0], self.message)


@cache
def install() -> None:
    """Keep the order of messages across topics, and who subscribed when they were published; moto keeps neither."""
    publish = Topic.publish

    def noted(self: Any, message: str, *args: Any, **kwargs: Any) -> str:
        message_id = str(publish(self, message, *args, **kwargs))
        sent = next(sent for sent in reversed(self.sent_notifications) if sent[0] == message_id)
        # Kept in the backend, so that it is forgotten when that is reset.
        vars(self.sns_backend).setdefault("noted_messages", {})[message_id] = _published(
            self, sent, kwargs.get("message_structure")
        )
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


def _published(topic: Any, sent: tuple[Any, ...], structure: str | None = None) -> Published:
    _, message, subject, attributes, _ = sent
    texts: dict[str, str] = json.loads(message) if structure == "json" else {"default": message}
    fitting = [
        item
        for item in topic.sns_backend.subscriptions.values()
        if item.topic.arn == topic.arn and _lets_through(item, attributes, texts["default"])
    ]
    too_long = [
        item
        for item in fitting
        if item.protocol in LONGEST
        and len(texts.get(item.protocol, texts["default"]).encode()) > LONGEST[item.protocol]
    ]
    return Published(
        topic_arn=topic.arn,
        subject=subject or "",
        message=texts["default"],
        attributes={name: str(item["Value"]) for name, item in (attributes or {}).items()},
        recipients=tuple(sorted(f"{item.protocol} {item.endpoint}" for item in fitting if item not in too_long)),
        texts={protocol: text for protocol, text in texts.items() if protocol != "default"},
        undelivered=tuple(sorted(f"{item.protocol} {item.endpoint}" for item in too_long)),
    )


def _lets_through(subscription: Any, attributes: Any, message: str) -> bool:
    matcher = subscription._filter_policy_matcher
    return matcher is None or bool(matcher.matches(attributes, message))
