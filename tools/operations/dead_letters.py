"""Reads a dead letter: the input for the state machine, its time, and a summary for people. Pure.

An EventBridge rule and the state machine send the input itself. EventBridge Scheduler sends its request to Step
Functions, `{"StateMachineArn": ..., "Input": "..."}`, which is unwrapped in any spelling.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

REQUEST: Final = frozenset({"statemachinearn", "input", "name", "traceheader"})
"""The parameters of StartExecution, in lower case."""
SCHEDULED_TIME: Final = "<aws.scheduler.scheduled-time>"
"""The scheduler's placeholder, which may be left in a dead letter; its attribute SCHEDULED_TIME holds the time."""
SHOWN_CHARACTERS: Final = 100
"""Of a body that is not an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One message of the dead-letter queue.

    Attributes:
        id: its message id.
        body: its body in the queue.
        input: the input for the state machine, as JSON; None if the body is not JSON.
        time: of the event or check that it holds; without one, `sent`.
        sent: when it was sent to the queue.
        copies: ids of messages with the same input, which one execution handles.
    """

    id: str
    body: str
    input: str | None
    time: datetime
    sent: datetime
    copies: tuple[str, ...] = ()

    def summary(self) -> str:
        """Its time, kind and subject in one line."""
        given = _parsed(self.input) if self.input else None
        if not isinstance(given, Mapping):
            return self.body[:SHOWN_CHARACTERS]
        resources = given.get("resources")
        about = ", ".join(map(str, resources)) if isinstance(resources, list) else ""
        about = about or str(given.get("flow_arn") or given.get("flow_name") or self.body[:SHOWN_CHARACTERS])
        kind = given.get("detail-type") or given.get("kind") or "requested by a person"
        return f"{given.get('time', 'no time')}, {kind}: {about}"


def read_dead_letter(*, message_id: str, body: str, attributes: Mapping[str, str], sent: datetime) -> DeadLetter:
    """A dead letter, whoever sent it.

    Args:
        message_id: of the message.
        body: of the message.
        attributes: the message's own attributes.
        sent: when it was sent to the queue, by SQS's clock.
    """
    value = _parsed(body)
    text = body if value is not None else None
    while _is_request(value):
        request = {key.lower(): item for key, item in value.items()}
        value = _unquoted(request.get("input", {}))
        text = json.dumps(value) if value is not None else None
    if isinstance(value, dict) and value.get("time") == SCHEDULED_TIME and _time(attributes.get("SCHEDULED_TIME")):
        value = {**value, "time": attributes["SCHEDULED_TIME"]}
        text = json.dumps(value)
    return DeadLetter(id=message_id, body=body, input=text, time=_time_of(value) or sent, sent=sent)


def in_order(dead_letters: Iterable[DeadLetter]) -> list[DeadLetter]:
    """The dead letters in order of time, those with the same input merged into one."""
    found: dict[str, DeadLetter] = {}
    for dead_letter in sorted(
        dead_letters, key=lambda dead_letter: (dead_letter.time, dead_letter.sent, dead_letter.id)
    ):
        same = json.dumps(_parsed(dead_letter.input), sort_keys=True) if dead_letter.input else dead_letter.body
        if first := found.get(same):
            found[same] = _with_copy(first, dead_letter)
        else:
            found[same] = dead_letter
    return list(found.values())


def _with_copy(first: DeadLetter, copy: DeadLetter) -> DeadLetter:
    return DeadLetter(
        id=first.id,
        body=first.body,
        input=first.input,
        time=first.time,
        sent=first.sent,
        copies=(*first.copies, copy.id),
    )


def _is_request(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    keys = {str(key).lower() for key in value}
    return "statemachinearn" in keys and keys <= REQUEST


def _unquoted(value: Any) -> Any:
    """An input as an object, even if it is quoted as JSON text; None if the text is not JSON."""
    while isinstance(value, str):
        value = _parsed(value)
    return value


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _time_of(value: object) -> datetime | None:
    """The time of an alarm's state change, or the one time of any other input, if it has one."""
    if not isinstance(value, Mapping):
        return None
    detail = value.get("detail")
    state = detail.get("state") if isinstance(detail, Mapping) else None
    changed = _time(state.get("timestamp")) if isinstance(state, Mapping) else None
    return changed or _time(value.get("time"))


def _time(text: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
        return time.astimezone(UTC) if time and time.tzinfo else None
    except (ValueError, OverflowError):  # OverflowError: the first and the last day of the calendar
        return None
