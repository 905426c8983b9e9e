"""Records every message that is published to a topic, and who gets it: subscriptions whose filter lets it through.

Only queues and functions of the local AWS really get a message. E-mail, text messages, URLs, and queues and functions
of somebody else are listed. Subscriptions need no confirmation. What cannot be delivered, such as a text that is too
long for its protocol, goes to the dead-letter queue of its subscription.

moto 5.2.5: calls URLs, ignores policies of queues, has no dead-letter queues of subscriptions, and forgets who was
subscribed when a message was published.
AWS: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
AWS: https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
Remove when: never as a whole; a rehearsal must page nobody.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from moto.awslambda.models import lambda_backends
from moto.core.exceptions import ServiceException
from moto.sns.models import Subscription, Topic, sns_backends
from moto.sns.utils import FilterPolicyMatcher
from moto.sqs.models import sqs_backends

from tools.local_aws import faults
from tools.local_aws.backends import ACCOUNT_ID, attached, send_to_queue
from tools.local_aws.moto_patches import Gap
from tools.local_aws.resource_policies import acting

GAP: Final = Gap(__name__)
ATTEMPTS: Final = 4
"""Of a delivery to a URL: the first and three retries, SNS's default, which are over within a minute."""
RETRIED: Final = frozenset({"http", "https"})

LONGEST: Final = {"sms": 1600}
"""Bytes by protocol: SNS takes a longer text for a topic, and then does not deliver it there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One message as it was published. A recipient is a protocol and an endpoint: "email oncall@example.com".

    Attributes:
        topic_arn: where it was published.
        subject: empty if it has none.
        message: the text of every protocol that has none in `texts`.
        attributes: values of the message attributes, by name.
        recipients: those who got it, sorted.
        texts: the text of a protocol, by protocol.
        failed_attempts: what SNS counts as failed, also for those who got it in the end.
        redriven: those whose message went to the dead-letter queue of their subscription.
        lost: those whose message did not go there either, or who have none.
        refused_by_queue: those of the lost whose dead-letter queue refused.
    """

    topic_arn: str
    subject: str
    message: str
    attributes: Mapping[str, str]
    recipients: tuple[str, ...]
    texts: Mapping[str, str] = field(default_factory=dict)
    failed_attempts: int = 0
    redriven: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    refused_by_queue: tuple[str, ...] = ()

    def text_for(self, recipient: str) -> str:
        """The text that a recipient reads."""
        return self.texts.get(recipient.partition(" ")[0], self.message)


@dataclass(slots=True)
class _Outcome:
    """Failed deliveries of one message."""

    failed_attempts: int = 0
    redriven: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    refused_by_queue: list[str] = field(default_factory=list)


def published(*, region: str, since: int = 0) -> list[Published]:
    """The messages of all topics in the order of publishing, without the first `since` of them."""
    return _messages(sns_backends[ACCOUNT_ID][region])[since:]


def forget(region: str) -> None:
    """Forget all messages."""
    _messages(sns_backends[ACCOUNT_ID][region]).clear()


def _messages(backend: Any) -> list[Published]:
    messages: list[Published] = attached(backend, "published_messages", list)
    return messages


def _outcomes(backend: Any) -> dict[str, _Outcome]:
    outcomes: dict[str, _Outcome] = attached(backend, "delivery_outcomes", dict)
    return outcomes


@GAP.wraps(Topic, "publish", "(self, message, subject=None, message_attributes=None, ...)")
def _publish(
    publish: Callable[..., str],
    self: Any,
    message: str,
    subject: str | None = None,
    message_attributes: Any = None,
    **more: Any,
) -> str:
    message_id = publish(self, message, subject=subject, message_attributes=message_attributes, **more)
    outcome = _outcomes(self.sns_backend).pop(message_id, _Outcome())
    texts = json.loads(message) if more.get("message_structure") == "json" else {"default": message}
    _messages(self.sns_backend).append(_recorded(self, texts, subject, message_attributes, outcome))
    return message_id


@GAP.wraps(Subscription, "publish", "(self, message, message_id, ...)")
def _deliver(hand_over: Callable[..., None], self: Any, message: str, message_id: str, **more: Any) -> None:
    if not _lets_through(self, more.get("message_attributes"), message):
        return
    outcome = _outcomes(self.topic.sns_backend).setdefault(message_id, _Outcome())
    if self.protocol in RETRIED:
        failed = next((tries for tries in range(ATTEMPTS) if not faults.next_error("subscriber")), ATTEMPTS)
        outcome.failed_attempts += failed
        if failed == ATTEMPTS:
            _redrive(self, message, outcome)
    elif _is_here(self):
        try:
            with acting("sns.amazonaws.com", self.topic.arn):
                hand_over(self, message, message_id, **more)
        except ServiceException:
            outcome.failed_attempts += 1
            _redrive(self, message, outcome)


def _is_here(subscription: Any) -> bool:
    """Whether the queue or function that is subscribed is in the local AWS."""
    if subscription.protocol == "sqs":
        *_, region, account_id, name = subscription.endpoint.split(":")
        return name in sqs_backends[account_id][region].queues
    if subscription.protocol == "lambda":
        _, _, _, region, account_id, _, name, *_ = subscription.endpoint.split(":")
        return any(item.function_name == name for item in lambda_backends[account_id][region].list_functions())
    return True


def _redrive(subscription: Any, message: str, outcome: _Outcome) -> None:
    """Send the message to the dead-letter queue of the subscription."""
    recipient = _recipient(subscription)
    policy = json.loads(subscription.attributes.get("RedrivePolicy") or "{}")
    target = str(policy.get("deadLetterTargetArn", ""))
    if not target:
        outcome.lost.append(recipient)
        return
    try:
        with acting("sns.amazonaws.com", subscription.topic.arn):
            send_to_queue(target, message)
    except ServiceException:
        outcome.lost.append(recipient)
        outcome.refused_by_queue.append(recipient)
    else:
        outcome.redriven.append(recipient)


def _recipient(subscription: Any) -> str:
    return f"{subscription.protocol} {subscription.endpoint}"


def _recorded(
    topic: Any, texts: Mapping[str, str], subject: str | None, attributes: Any, outcome: _Outcome
) -> Published:
    fitting = [
        item
        for item in topic.sns_backend.subscriptions.values()
        if item.topic.arn == topic.arn and _lets_through(item, attributes, texts["default"])
    ]
    for item in fitting:
        text = texts.get(item.protocol, texts["default"])
        if len(text.encode()) > LONGEST.get(item.protocol, len(text.encode())):
            outcome.failed_attempts += 1
            _redrive(item, text, outcome)
    undelivered = {*outcome.redriven, *outcome.lost}
    return Published(
        topic_arn=topic.arn,
        subject=subject or "",
        message=texts["default"],
        attributes={name: str(item["Value"]) for name, item in (attributes or {}).items()},
        recipients=tuple(sorted(who for item in fitting if (who := _recipient(item)) not in undelivered)),
        texts={protocol: text for protocol, text in texts.items() if protocol != "default"},
        failed_attempts=outcome.failed_attempts,
        redriven=tuple(outcome.redriven),
        lost=tuple(outcome.lost),
        refused_by_queue=tuple(outcome.refused_by_queue),
    )


def _lets_through(subscription: Any, attributes: Any, message: str) -> bool:
    """Whether the filter policy of a subscription, if it has one, matches a message."""
    policy = json.loads(subscription.attributes.get("FilterPolicy") or "{}")
    matcher = FilterPolicyMatcher(policy, subscription.attributes.get("FilterPolicyScope"))
    return bool(matcher.matches(attributes, message))
