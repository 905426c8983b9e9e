"""What a dead letter holds: the input for the state machine, when it happened, and a line for people. Pure.

An EventBridge rule and the state machine leave the input itself. EventBridge Scheduler leaves its request to Step
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
"""The scheduler's placeholder, which a dead letter may still have; its attribute SCHEDULED_TIME has the time."""
SHOWN: Final = 100
"""Characters of a body that is no event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message of the dead-letter queue.

    Attributes:
        id: its message id.
        body: as it is in the queue.
        input: what the state machine is started with, as JSON; None if the body is not JSON.
        time: when what it is about happened; when it was sent, if it does not say.
        sent: when it came into the queue.
        copies: ids of messages with the same input, which one execution handles.
    """

    id: str
    body: str
    input: str | None
    time: datetime
    sent: datetime
    copies: tuple[str, ...] = ()

    def words(self) -> str:
        """What it is about, in a line."""
        given = _parsed(self.input) if self.input else None
        if not isinstance(given, Mapping):
            return self.body[:SHOWN]
        resources = given.get("resources")
        about = ", ".join(map(str, resources)) if isinstance(resources, list) else ""
        about = about or str(given.get("flow_arn") or given.get("flow_name") or self.body[:SHOWN])
        kind = given.get("detail-type") or given.get("kind") or "asked by a person"
        return f"{given.get('time', 'no time')} {kind} of {about}"


def read_letter(*, message_id: str, body: str, attributes: Mapping[str, str], sent: datetime) -> Letter:
    """A dead letter, whoever left it.

    Args:
        message_id: of the message.
        body: of the message.
        attributes: the message's own attributes.
        sent: when it came into the queue, by SQS's clock.
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
    return Letter(id=message_id, body=body, input=text, time=_happened(value) or sent, sent=sent)


def in_order(letters: Iterable[Letter]) -> list[Letter]:
    """The letters by their own times, those with the same input as one."""
    found: dict[str, Letter] = {}
    for letter in sorted(letters, key=lambda letter: (letter.time, letter.sent, letter.id)):
        same = json.dumps(_parsed(letter.input), sort_keys=True) if letter.input else letter.body
        if first := found.get(same):
            found[same] = _with_copy(first, letter)
        else:
            found[same] = letter
    return list(found.values())


def _with_copy(first: Letter, copy: Letter) -> Letter:
    return Letter(
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
    """An input as an object, whether it is one or JSON text of one; None if the text is not JSON."""
    while isinstance(value, str):
        value = _parsed(value)
    return value


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _happened(value: object) -> datetime | None:
    """An alarm changed its state at a time of its own; other inputs have one time, or none."""
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
    except (ValueError, OverflowError):  # the latter for the first and the last day of the calendar
        return None
