"""Structured log events of both functions, for CloudWatch Logs Insights: one record each, with fields to query by.

Lambda's JSON log format makes a key of each field in `extra` (`JsonFormatter` of awslambdaric), beside its own
`message`, which is the name of the event. Fields: `flow`, `incident` (when it was opened), `execution`, `severity`, and
what else the event is about. docs/self-monitoring.md has queries.
"""

import logging
from typing import Final, Literal

Event = Literal[
    "check done", "issue found", "input refused", "incident opened", "incident escalated", "incident resolved",
    "notification sent", "retry", "evidence not available",
]  # fmt: skip

LOGGER: Final = logging.getLogger("media_workflow")
LOGGER.setLevel(logging.INFO)


def log(event: Event, *, warning: bool = False, **fields: str | float | bool | None) -> None:
    """Write an event; fields without a value are left out."""
    given = {name: value for name, value in fields.items() if value not in {"", None}}
    LOGGER.log(logging.WARNING if warning else logging.INFO, event, extra=given)
