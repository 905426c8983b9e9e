"""Messages with a text by protocol: SNS refuses what lacks a default, and counts the bytes of a message.

moto counts characters, and notices a missing default only when somebody subscribes. What is too long for a phone is
taken and then not delivered there, which `tools.local_aws.deliveries` knows.
"""

import json
from typing import Any, Final

from moto.sns.exceptions import InvalidParameterValue
from moto.sns.models import SNSBackend

LONGEST: Final = 256 * 1024


def install() -> None:
    """Refuse what SNS refuses, before anybody gets it."""
    publish = SNSBackend.publish

    def checked(self: Any, message: str, *args: Any, **kwargs: Any) -> str:
        if len(message.encode()) > LONGEST:
            raise InvalidParameterValue("Invalid parameter: Message too long")
        if kwargs.get("message_structure") == "json":
            _need_default(message)
        return str(publish(self, message, *args, **kwargs))

    SNSBackend.publish = checked


def _need_default(message: str) -> None:
    try:
        texts = json.loads(message)
    except ValueError:
        texts = None
    if not isinstance(texts, dict):
        raise InvalidParameterValue("Invalid parameter: Message Structure - JSON message body failed to parse")
    if not isinstance(texts.get("default"), str):
        raise InvalidParameterValue("Invalid parameter: Message Structure - No default entry in JSON message body")
