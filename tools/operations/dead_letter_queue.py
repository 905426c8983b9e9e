"""The dead-letter queue of an environment: receive, hide and delete its messages."""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, Self

from tools.operations.dead_letters import DeadLetter, read_dead_letter

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

HIDDEN_SECONDS: Final = 120
"""Visibility timeout of a dead letter; renewed while the replay runs."""
BATCH: Final = 10
"""Messages that SQS takes in one call."""
BATCHES_WITHOUT_NEW: Final = 3
"""Batches with nothing from before the start of the replay, after which the queue counts as read."""


class Queue:
    """The dead-letter queue. As a context, it hides its messages from others until its end."""

    def __init__(self, client: "SQSClient", name: str) -> None:
        self.name = name
        self._client = client
        answer = client.get_queue_url(QueueName=name)
        self._url = answer["QueueUrl"]
        # By SQS's clock, which dates the messages; its header has whole seconds.
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        now = parsedate_to_datetime(date) if date else datetime.now(UTC)
        self._started = now + timedelta(seconds=1)
        self._receipts: dict[str, str] = {}
        self._held: set[str] = set()
        self._hidden_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._hide(set(self._receipts) - self._held, 0)

    def received(self) -> list[DeadLetter]:
        """All dead letters from before the start. SQS returns at most ten at a time, and some of them twice."""
        dead_letters: list[DeadLetter] = []
        without_new = 0
        while without_new < BATCHES_WITHOUT_NEW:
            self.keep_hidden()
            messages = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=BATCH,
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=1,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["SentTimestamp"],
            ).get("Messages", [])
            if not messages:
                break
            new = [message for message in messages if message["MessageId"] not in self._receipts]
            self._receipts |= {message["MessageId"]: message["ReceiptHandle"] for message in messages}
            old = [dead_letter for dead_letter in map(_dead_letter, new) if dead_letter.sent <= self._started]
            dead_letters += old
            without_new = 0 if old else without_new + 1
        return dead_letters

    def keep_hidden(self) -> None:
        """Hide the messages for longer, once half of the visibility timeout is over."""
        if time.monotonic() - self._hidden_at > HIDDEN_SECONDS / 2:
            self._hide(set(self._receipts) - self._held, HIDDEN_SECONDS)
            self._hidden_at = time.monotonic()

    def hold(self, dead_letter: DeadLetter, seconds: int) -> None:
        """Hide a dead letter until its execution must have ended, even if this process ends before."""
        ids = {dead_letter.id, *dead_letter.copies}
        self._hide(ids, seconds)
        self._held |= ids

    def release(self, dead_letter: DeadLetter, *, ended: bool) -> None:
        """Show a dead letter again at the end, if its execution ended."""
        if ended:
            self._held -= {dead_letter.id, *dead_letter.copies}

    def delete(self, dead_letter: DeadLetter) -> None:
        """Delete a dead letter and its copies."""
        for message_id in (dead_letter.id, *dead_letter.copies):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=self._receipts.pop(message_id))

    def _hide(self, message_ids: Iterable[str], seconds: int) -> None:
        ordered = sorted(message_ids)
        for batch in (ordered[first : first + BATCH] for first in range(0, len(ordered), BATCH)):
            self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": self._receipts[message_id], "VisibilityTimeout": seconds}
                    for number, message_id in enumerate(batch)
                ],
            )


def _dead_letter(message: Mapping[str, Any]) -> DeadLetter:
    attributes = message.get("MessageAttributes", {})
    return read_dead_letter(
        message_id=message["MessageId"],
        body=message["Body"],
        attributes={name: value.get("StringValue", "") for name, value in attributes.items()},
        sent=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
    )
