"""Takes times in the future out of a record. Pure.

The monitor refuses inputs dated in the future, but an older version stored their times: a flow that was "closed in
2099" ignores every check until then.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, cast

from alert_handler.record import Record
from report import FUTURE_TOLERANCE, moment

STARTS: Final = ("since", "at", "began")
ENDS: Final = ("until", "ended", "limit")
"""Ends of spans lie ahead where the span has not ended, as of a maintenance window."""
LONGEST_SPAN: Final = timedelta(days=1)
"""The longest evaluation range of an alarm; a maintenance window is shorter."""
TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\S+")


def healed(record: Record, *, checked: datetime, now: datetime) -> Record:
    """The record with each time in the future set to the second before the check.

    Args:
        record: the flow's record; left as it is.
        checked: time of the report that is handled.
        now: the wall clock.
    """
    limit = max(checked, now) + FUTURE_TOLERANCE
    past = (min(checked, now) - timedelta(seconds=1)).isoformat()
    return cast("Record", _healed(record, limit, past))


def _healed(value: Any, limit: datetime, past: str) -> Any:
    if isinstance(value, Mapping):
        ahead = any(_later(value.get(key), limit) for key in STARTS)
        reach = limit if ahead else limit + LONGEST_SPAN
        return {key: _healed(item, reach if key in ENDS else limit, past) for key, item in value.items()}
    if isinstance(value, list):
        return [_healed(item, limit, past) for item in value]
    return past if _later(value, limit) else value


def _later(value: object, limit: datetime) -> bool:
    if not isinstance(value, str) or not TIME.fullmatch(value):
        return False
    try:
        return moment(value) > limit
    except (TypeError, ValueError):  # a text that only looks like a time, or one without an offset
        return False
