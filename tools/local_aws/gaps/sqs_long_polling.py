"""ReceiveMessage does not wait while the clock stands still: the time that it would wait for never passes.

moto 5.2.5: waits for a clock that a rehearsal has stopped.
AWS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
Remove when: rehearsals no longer stop the clock.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.sqs.models import SQSBackend

from tools.local_aws import clock
from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)


@GAP.wraps(SQSBackend, "receive_message", "(self, queue_name, count, wait_seconds_timeout, ...)")
def _receive_message(
    receive: Callable[..., list[Any]],
    self: Any,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    *args: Any,
    **kwargs: Any,
) -> list[Any]:
    seconds = wait_seconds_timeout if clock.stopped_at() is None else 0
    return receive(self, queue_name, count, seconds, *args, **kwargs)
