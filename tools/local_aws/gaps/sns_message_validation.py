"""SNS limits the bytes of a message, and refuses texts by protocol without a default.

A text that is too long for a phone is taken and not delivered there; `tools.local_aws.deliveries` does that.

moto 5.2.5: counts characters, and notices a missing default only when somebody is subscribed.
AWS: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
Remove when: moto counts bytes and needs a default.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from moto.sns.exceptions import InvalidParameterValue
from moto.sns.models import SNSBackend

from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)
LONGEST: Final = 256 * 1024
"""Bytes."""


@GAP.wraps(SNSBackend, "publish", "(self, message, ...)")
def _publish(publish: Callable[..., Any], self: Any, message: str, *args: Any, **kwargs: Any) -> str:
    if len(message.encode()) > LONGEST:
        raise InvalidParameterValue("Invalid parameter: Message too long")
    if kwargs.get("message_structure") == "json":
        _need_default(message)
    return str(publish(self, message, *args, **kwargs))


def _need_default(message: str) -> None:
    try:
        texts = json.loads(message)
    except ValueError:
        texts = None
    if not isinstance(texts, dict):
        raise InvalidParameterValue("Invalid parameter: Message Structure - JSON message body failed to parse")
    if not isinstance(texts.get("default"), str):
        raise InvalidParameterValue("Invalid parameter: Message Structure - No default entry in JSON message body")
