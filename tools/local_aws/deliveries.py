"""Every message published to a topic, and who gets it: subscriptions whose filter lets it through.

E-mail, text messages, what goes to URLs, and what goes to queues and functions that are not here, go nowhere; they are
only listed. Confirmation of subscriptions is not asked for. What cannot be delivered, such as a text that is too long
for its protocol, goes to the dead-letter queue of its subscription.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from moto.awslambda.models import lambda_backends
from moto.core.exceptions import ServiceException
from moto.sns.models import Subscription, Topic, sns_backends
from moto.sqs.models import sqs_backends

from tools.local_aws import faults
from tools.local_aws.eventbridge import ACCOUNT_ID
from tools.local_aws.resource_policies import acting

ATTEMPTS: Final = 4
"""Of a delivery to a URL: the first and three retries, SNS's default, which are over within a minute."""
RETRIED: Final = frozenset({"http", "https"})

LONGEST: Final = {"sms": 1600}
"""Bytes by protocol: SNS takes a longer text for a topic, and then does not deliver it there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One message as it was published. A recipient is a protocol and an endpoint: "email oncall@example.com".

    `message` is the text of every protocol that has none of its own in `texts`. `failed_attempts` are those that SNS
    counts as failed, of recipients and of others. `redriven` went to the dead-letter queue of their subscription,
    `lost` could not be kept there either or have none; `unkept` are those of the lost whose queue refused.
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
    unkept: tuple[str, ...] = ()

    def text_for(self, recipient: str) -> str:
        """What a recipient reads."""
        return self.texts.get(recipient.partition(" ")[0], self.message)


@dataclass(slots=True)
class _Outcome:
    """What came of one message."""

    failed_attempts: int = 0
    redriven: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unkept: list[str] = field(default_factory=list)


@cache
def install() -> None:
    """Keep the order of messages across topics, and who subscribed when they were published; moto keeps neither."""
    publish = Topic.publish

    def noted(self: Any, message: str, *args: Any, **kwargs: Any) -> str:
        message_id = str(publish(self, message, *args, **kwargs))
        sent = next(sent for sent in reversed(self.sent_notifications) if sent[0] == message_id)
        # Kept in the backend, so that it is forgotten when that is reset.
        outcome = _outcomes(self.sns_backend).pop(message_id, _Outcome())
        vars(self.sns_backend).setdefault("noted_messages", {})[message_id] = _published(
            self, sent, outcome, kwargs.get("message_structure")
        )
        return message_id

    Topic.publish = noted
    hand_over = Subscription.publish

    def within(self: Any, message: str, message_id: str, *args: Any, **kwargs: Any) -> None:
        if not _lets_through(self, kwargs.get("message_attributes"), message):
            return
        outcome = _outcomes(self.topic.sns_backend).setdefault(message_id, _Outcome())
        if self.protocol in RETRIED:
            # moto would really call the URL: a rehearsal must page nobody.
            failed = next((tries for tries in range(ATTEMPTS) if not faults.met("subscriber")), ATTEMPTS)
            outcome.failed_attempts += failed
            if failed == ATTEMPTS:
                _redrive(self, message, outcome)
        elif _is_here(self):
            try:
                with acting("sns.amazonaws.com", self.topic.arn):
                    hand_over(self, message, message_id, *args, **kwargs)
            except ServiceException:
                outcome.failed_attempts += 1
                _redrive(self, message, outcome)

    Subscription.publish = within


def published(*, region: str, since: int = 0) -> list[Published]:
    """The messages in the order of publishing, without the first `since` of them.

    Those of before `install` come topic by topic.
    """
    backend = sns_backends[ACCOUNT_ID][region]
    noted: dict[str, Published] = getattr(backend, "noted_messages", {})
    earlier = [
        _published(topic, sent, _Outcome(), None)
        for topic in backend.topics.values()
        for sent in topic.sent_notifications
        if sent[0] not in noted
    ]
    return [*earlier, *noted.values()][since:]


def _outcomes(backend: Any) -> dict[str, _Outcome]:
    found: dict[str, _Outcome] = vars(backend).setdefault("outcomes", {})
    return found


def _is_here(subscription: Any) -> bool:
    """Whether a queue or function that subscribes is in the local AWS; one of an operator's own is not."""
    if subscription.protocol == "sqs":
        *_, region, account_id, name = subscription.endpoint.split(":")
        return name in sqs_backends[account_id][region].queues
    if subscription.protocol == "lambda":
        _, _, _, region, account_id, _, name, *_ = subscription.endpoint.split(":")
        return any(item.function_name == name for item in lambda_backends[account_id][region].list_functions())
    return True


def _redrive(subscription: Any, message: str, outcome: _Outcome) -> None:
    """The message in the dead-letter queue of the subscription."""
    who = _name(subscription)
    policy = json.loads(subscription.attributes.get("RedrivePolicy") or "{}")
    target = str(policy.get("deadLetterTargetArn", ""))
    if not target:
        outcome.lost.append(who)
        return
    *_, region, account_id, name = target.split(":")
    try:
        with acting("sns.amazonaws.com", subscription.topic.arn):
            sqs_backends[account_id][region].send_message(name, message)
    except ServiceException:
        outcome.lost.append(who)
        outcome.unkept.append(who)
    else:
        outcome.redriven.append(who)


def _name(subscription: Any) -> str:
    return f"{subscription.protocol} {subscription.endpoint}"


def _published(topic: Any, sent: tuple[Any, ...], outcome: _Outcome, structure: str | None) -> Published:
    _, message, subject, attributes, _ = sent
    texts: dict[str, str] = json.loads(message) if structure == "json" else {"default": message}
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
        recipients=tuple(sorted(who for item in fitting if (who := _name(item)) not in undelivered)),
        texts={protocol: text for protocol, text in texts.items() if protocol != "default"},
        failed_attempts=outcome.failed_attempts,
        redriven=tuple(outcome.redriven),
        lost=tuple(outcome.lost),
        unkept=tuple(outcome.unkept),
    )


def _lets_through(subscription: Any, attributes: Any, message: str) -> bool:
    matcher = subscription._filter_policy_matcher
    return matcher is None or bool(matcher.matches(attributes, message))
