"""The clock of the local AWS: the one on the wall, until a rehearsal sets its own.

While it is set, it stands still at a moment, for all of this process and for each function that is invoked. How long
something takes is measured on the machine's own clock still.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import time_machine

_set: list[datetime] = []


@contextmanager
def standing(at: datetime) -> Iterator[Callable[[datetime], None]]:
    """A clock that stands at a moment for as long as a block lasts; gives what sets it to another."""
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
    """What the clock shows."""
    return datetime.now(UTC)


def stands_at() -> float | None:
    """The moment that it stands at, in seconds of the epoch; None if it is the clock on the wall."""
    return _set[-1].timestamp() if _set else None
