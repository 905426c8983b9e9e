"""The clock of the local AWS: real time, until a rehearsal sets another.

While it is set, it stands still, for all of this process and for each function that is invoked. Durations are still
measured in real time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import time_machine

_set: list[datetime] = []


@contextmanager
def stopped(at: datetime) -> Iterator[Callable[[datetime], None]]:
    """Stop the clock at a moment within the block; gives a function that moves it to another."""
    with time_machine.travel(at, tick=False) as travel:
        _set.append(at)

        def move(moment: datetime) -> None:
            travel.move_to(moment)
            _set[-1] = moment

        try:
            yield move
        finally:
            _set.pop()


def now() -> datetime:
    """The current time of the clock."""
    return datetime.now(UTC)


def stopped_at() -> float | None:
    """The moment at which the clock stands still, in epoch seconds; None in real time."""
    return _set[-1].timestamp() if _set else None
