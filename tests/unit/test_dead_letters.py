"""A dead letter becomes input for the state machine, whoever sent it and however it is spelled."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tools.operations.dead_letters import DeadLetter, in_order, read_dead_letter

SENT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:media-workflow-prod-workflow"
CHECK = {"kind": "schedule", "flow_arn": "arn:flow", "time": "2026-11-23T20:05:00Z"}


def dead_letter(body: object, message_id: str = "m", **attributes: str) -> DeadLetter:
    text = body if isinstance(body, str) else json.dumps(body)
    return read_dead_letter(message_id=message_id, body=text, attributes=attributes, sent=SENT)


def given(body: object, **attributes: str) -> Any:
    found = dead_letter(body, **attributes).input
    return None if found is None else json.loads(found)


@pytest.mark.parametrize(
    "body",
    [
        {"StateMachineArn": MACHINE, "Input": json.dumps(CHECK)},
        {"stateMachineArn": MACHINE, "input": json.dumps(CHECK)},
        {"StateMachineArn": MACHINE, "Input": CHECK},
        {"stateMachineArn": MACHINE, "input": CHECK, "name": "n", "traceHeader": "t"},
        {"StateMachineArn": MACHINE, "Input": json.dumps(json.dumps(CHECK))},
        {"StateMachineArn": MACHINE, "Input": json.dumps({"StateMachineArn": MACHINE, "Input": json.dumps(CHECK)})},
        CHECK,
    ],
)
def test_scheduler_request_is_unwrapped_in_any_spelling(body: object) -> None:
    assert given(body) == CHECK
    assert dead_letter(body).time == datetime(2026, 11, 23, 20, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "body", [{"flow_name": "x"}, {"input": "x"}, {"StateMachineArn": MACHINE, "resources": []}, [], 5, "text", None]
)
def test_other_input_is_unchanged(body: object) -> None:
    text = json.dumps(body)
    assert dead_letter(text).input == (None if body is None else text)


def test_request_without_usable_input() -> None:
    assert given({"StateMachineArn": MACHINE}) == {}
    assert given({"StateMachineArn": MACHINE, "Input": "{"}) is None
    assert dead_letter("no JSON").input is None


def test_scheduled_time_placeholder_is_filled_from_attribute() -> None:
    unfilled = {"StateMachineArn": MACHINE, "Input": json.dumps({**CHECK, "time": "<aws.scheduler.scheduled-time>"})}
    assert given(unfilled, SCHEDULED_TIME=CHECK["time"]) == CHECK
    assert given(unfilled)["time"] == "<aws.scheduler.scheduled-time>"
    assert dead_letter(unfilled).time == SENT, "the monitor takes it as of now"


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-23T20:05:00", "soon"]
)
def test_unusable_time_becomes_the_sent_time(text: str) -> None:
    assert dead_letter({"flow_name": "ch1", "time": text}).time == SENT
    assert dead_letter({"detail": {"state": {"timestamp": text}}}).time == SENT


def test_dead_letters_are_ordered_by_time_and_deduplicated() -> None:
    alarm = {"time": "2026-11-23T20:09:00Z", "detail": {"state": {"timestamp": "2026-11-23T20:01:00.000+0000"}}}
    request = {"stateMachineArn": MACHINE, "input": json.dumps(CHECK)}
    found = in_order(
        [
            dead_letter({"flow_name": "x"}, "person"),
            dead_letter({"time": "2026-11-23T21:03:00+01:00"}, "event"),
            dead_letter(request, "request"),
            dead_letter("nonsense", "nonsense"),
            dead_letter(alarm, "alarm"),
            dead_letter(dict(reversed(CHECK.items())), "check"),
        ]
    )
    assert [(one.id, one.copies) for one in found] == [
        ("alarm", ()),
        ("event", ()),
        ("check", ("request",)),
        ("nonsense", ()),
        ("person", ()),
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (CHECK, "2026-11-23T20:05:00Z, schedule: arn:flow"),
        ({"detail-type": "D", "time": "T", "resources": ["a", "b"]}, "T, D: a, b"),
        ({"flow_name": "x"}, "no time, requested by a person: x"),
        ({"resources": 5, "flow_arn": None}, "no time, requested by a person: "),
        ("no JSON", "no JSON"),
    ],
)
def test_summary_names_time_kind_and_flow(body: object, words: str) -> None:
    assert dead_letter(body).summary().startswith(words)
