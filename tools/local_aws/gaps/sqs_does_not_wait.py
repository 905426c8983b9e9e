"""A long poll of a queue ends at once while the clock stands: the time that it would wait for never passes."""

from functools import cache
from typing import Any, Final

from moto.sqs.models import SQSBackend

from tools.local_aws import clock

_receive_by_moto: Final = SQSBackend.receive_message


@cache
def install() -> None:
    """Let no poll wait for a clock that stands."""
    SQSBackend.receive_message = _receive_message


def _receive_message(
    self: Any, queue_name: str, count: int, wait_seconds_timeout: int, *args: Any, **kwargs: Any
) -> list[Any]:
    seconds = wait_seconds_timeout if clock.stands_at() is None else 0
    received: list[Any] = _receive_by_moto(self, queue_name, count, seconds, *args, **kwargs)
    return received
