"""Dead letters, and their replay by the workflow."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from tests.local.conftest import Begin
from tests.local.evening import EIGHT, Evening
from tools.local_aws import ACCOUNT_ID, LocalAws, faults
from tools.operations.errors import InputError
from tools.operations.replay import UnknownDeadLetterError, replay

WORKFLOW = "media-workflow-venue-workflow"


@pytest.fixture
def begin(begin: Begin) -> Begin:
    """Evenings whose clock runs, because a queue hides messages for a time; an hour after the events."""

    def of(flow: str) -> Evening:
        evening = begin(flow)
        evening.run_clock(EIGHT + timedelta(hours=1))
        return evening

    return of


@pytest.fixture
def credentials(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment variables of an operator's shell."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def missed(begin: Begin, credentials: None) -> Evening:
    """An evening with a monitoring failure while the source was lost."""
    evening = begin("show")
    with faults.failing("stream_monitor", "crash"):
        evening.source_is("DISCONNECTED", "encoder")
    assert evening.told() == [("blind", "CRITICAL")]
    return evening


def run(
    root: Path, *, dry_run: bool = False, discard: str | None = None, after_each: Callable[[str], None] = lambda _: None
) -> tuple[int, list[str]]:
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        after_each(text)

    return replay("venue", dry_run=dry_run, discard=discard, say=say, root=root), said


def put(evening: Evening, body: object) -> str:
    """Send a dead letter and return its message id."""
    text = body if isinstance(body, str) else json.dumps(body)
    return str(evening.aws.client("sqs").send_message(QueueUrl=evening.queue_url, MessageBody=text)["MessageId"])


def check(evening: Evening, minute: int) -> dict[str, Any]:
    """The input of a scheduled check."""
    return {"kind": "schedule", "flow_arn": evening.arn, "time": f"2026-11-23T20:{minute:02}:00Z"}


def executions(evening: Evening) -> list[tuple[str, str, Any]]:
    """Name, status and input of each execution, in order."""
    backend = stepfunctions_parser_backends[ACCOUNT_ID][evening.aws.region]
    machine = next(machine for machine in backend.state_machines if machine.name == WORKFLOW)
    return [(one.name, one.status, json.loads(one.execution_input)) for one in machine.executions]


def waiting(evening: Evening) -> set[str]:
    """The ids of the messages in the queue."""
    got = evening.aws.client("sqs").receive_message(
        QueueUrl=evening.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    return {message["MessageId"] for message in got.get("Messages", [])}


def test_dead_letter_has_error_and_execution(missed: Evening) -> None:
    client = missed.aws.client("sqs")
    got = client.receive_message(QueueUrl=missed.queue_url, VisibilityTimeout=0, MessageAttributeNames=["All"])
    attributes = got["Messages"][0]["MessageAttributes"]
    assert attributes["error"]["StringValue"] == "Runtime.ExitError"
    assert attributes["execution"]["StringValue"] == missed.executions[0].arn


def test_dry_run_lists_and_changes_nothing(missed: Evening, venue_settings: Path) -> None:
    left, said = run(venue_settings, dry_run=True)
    assert left == 0
    assert said[0].startswith("waiting: 2026-11-23T20:00:00Z, MediaConnect Source Health: arn:")
    assert said[-1] == "1 in media-workflow-venue-dead-letters. Nothing was changed."
    assert len(missed.dead_letters()) == 1, "visible again at once"


def test_replay_handles_the_missed_event(missed: Evening, venue_settings: Path) -> None:
    left, said = run(venue_settings)
    assert (left, said[-1]) == (0, "1 handled, 0 left in media-workflow-venue-dead-letters")
    missed.wait_for_all()
    assert missed.told() == [("blind", "CRITICAL"), ("opened", "CRITICAL")]
    assert missed.dead_letters() == []


def test_message_that_is_not_json_is_kept(missed: Evening, venue_settings: Path) -> None:
    missed.aws.client("sqs").send_message(QueueUrl=missed.queue_url, MessageBody="no JSON")
    left, said = run(venue_settings)
    missed.wait_for_all()
    assert left == 1
    assert [line for line in said if line.startswith("failed: no JSON: ")]
    assert said[-1] == "1 handled, 1 left in media-workflow-venue-dead-letters"


def test_credentials_of_another_account_are_refused(missed: Evening, venue_settings: Path) -> None:
    file = venue_settings / "environments" / "venue.toml"
    text = file.read_text()
    try:
        file.write_text(text.replace('"123456789012"', '"210987654321"'))
        with pytest.raises(InputError, match=r"of the account 123456789012.*allows 210987654321"):
            run(venue_settings)
    finally:
        file.write_text(text)
    assert len(missed.dead_letters()) == 1


def test_scheduler_request_is_unwrapped_and_checked(begin: Begin, credentials: None, venue_settings: Path) -> None:
    evening = begin("show")
    client = evening.aws.client("scheduler")
    target = client.get_schedule(GroupName="media-workflow-venue", Name="show")["Target"]
    given = target["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-23T20:05:00Z")
    for minute in (4, 59):
        evening.put({"SourceBitRate": 0.0}, at=EIGHT + timedelta(minutes=minute))
    put(evening, {"StateMachineArn": target["Arn"], "Input": given})
    put(evening, {"stateMachineArn": target["Arn"], "input": json.loads(target["Input"])})
    left, _ = run(venue_settings)
    assert left == 0
    assert [(status, one) for _, status, one in executions(evening)] == [
        ("SUCCEEDED", json.loads(given)),
        ("SUCCEEDED", json.loads(target["Input"])),
    ]
    assert evening.told() == [("opened", "CRITICAL"), ("reminded", "CRITICAL")], "as of then, and as of now"
    assert waiting(evening) == set()


def test_unknown_flow_name_stops_the_replay_silently(begin: Begin, credentials: None, venue_settings: Path) -> None:
    evening = begin("show")
    typo = put(evening, {"flow_name": "typo"})
    other = put(evening, {"flow_name": "show"})
    left, said = run(venue_settings)
    assert (left, waiting(evening)) == (2, {typo, other})
    assert [(name, status) for name, status, _ in executions(evening)] == [(f"replay-{typo}", "FAILED")]
    assert evening.told() == []
    assert said[0].startswith("failed: no time, requested by a person: typo: its execution is FAILED")
    assert "InputRefused: Nothing was checked: no flow 'typo' is monitored here" in said[0]
    assert said[1:] == [
        (
            f"Stopped at the message {typo}. It can never be handled. Delete it: media-workflow replay venue "
            f"--discard {typo}. Then run the replay again. Not tried, and left in the queue: 1 more."
        ),
        "0 handled, 2 left in media-workflow-venue-dead-letters",
    ]


def test_discard_deletes_one_dead_letter(begin: Begin, credentials: None, venue_settings: Path) -> None:
    evening = begin("show")
    typo = put(evening, {"flow_name": "typo"})
    other = put(evening, check(evening, 5))
    _, said = run(venue_settings, discard=typo, dry_run=True)
    assert said == [f"would be deleted: no time, requested by a person: typo ({typo}). Nothing was changed."]
    with pytest.raises(UnknownDeadLetterError, match=f"No message nope in .*{typo}"):
        run(venue_settings, discard="nope")
    assert waiting(evening) == {typo, other}
    left, said = run(venue_settings, discard=typo)
    assert (left, waiting(evening), executions(evening)) == (0, {other}, [])
    assert 'Its body: {"flow_name": "typo"}' in said[0]


def test_replay_stops_at_the_first_failure(begin: Begin, credentials: None, venue_settings: Path) -> None:
    evening = begin("show")
    dead_letters = [put(evening, check(evening, minute)) for minute in (5, 6, 7)]
    with faults.failing("stream_monitor", "crash"):
        left, said = run(venue_settings)
    assert (left, waiting(evening)) == (3, set(dead_letters))
    assert [name for name, _, _ in executions(evening)] == [f"replay-{dead_letters[0]}"]
    assert evening.told() == [("blind", "CRITICAL")]
    assert "MonitoringFailed" in said[0]
    assert "Runtime.ExitError" in said[0], "the cause"
    assert said[1].startswith(f"Stopped at the message {dead_letters[0]}. Fix the cause, and run the replay again: ")
    left, _ = run(venue_settings)
    assert (left, waiting(evening)) == (0, set())
    assert [(name, status) for name, status, _ in executions(evening)] == [
        (f"replay-{dead_letters[0]}", "FAILED"),
        (f"replay-{dead_letters[0]}-2", "SUCCEEDED"),
        (f"replay-{dead_letters[1]}", "SUCCEEDED"),
        (f"replay-{dead_letters[2]}", "SUCCEEDED"),
    ]


def test_replay_runs_in_time_order_and_deduplicates(begin: Begin, credentials: None, venue_settings: Path) -> None:
    evening = begin("show")
    for minute in (7, 5, 6, 5):
        put(evening, check(evening, minute))
    left, said = run(venue_settings)
    assert [given["time"][14:16] for _, _, given in executions(evening)] == ["05", "06", "07"]
    assert (left, waiting(evening), said[-1]) == (
        0,
        set(),
        "4 handled, 0 left in media-workflow-venue-dead-letters",
    )


def test_messages_sent_during_a_replay_are_left(begin: Begin, credentials: None, venue_settings: Path) -> None:
    evening = begin("show")
    put(evening, check(evening, 5))
    late: list[str] = []
    left, _ = run(venue_settings, after_each=lambda _: late.append(put(evening, check(evening, 1 + len(late)))))
    assert (left, waiting(evening)) == (0, set(late))
    assert len(executions(evening)) == 1


def test_interrupted_replay_starts_nothing_twice(begin: Begin, credentials: None, venue_settings: Path) -> None:
    evening = begin("show")
    dead_letter = put(evening, check(evening, 5))

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    client = evening.aws.client("stepfunctions")
    arn = client.list_state_machines()["stateMachines"]
    machine = next(one["stateMachineArn"] for one in arn if one["name"] == WORKFLOW)
    client.start_execution(stateMachineArn=machine, name=f"replay-{dead_letter}", input=json.dumps(check(evening, 5)))
    left, _ = run(venue_settings)
    assert (left, waiting(evening), len(executions(evening))) == (0, set(), 1)
    other = put(evening, check(evening, 6))
    third = put(evening, check(evening, 7))
    with pytest.raises(KeyboardInterrupt):
        run(venue_settings, after_each=interrupt)
    assert waiting(evening) == {third}, "visible again at once"
    assert [name for name, _, _ in executions(evening)] == [f"replay-{dead_letter}", f"replay-{other}"]


def test_input_from_the_future_is_refused(begin: Begin, credentials: None, venue_settings: Path) -> None:
    evening = begin("show")
    put(evening, {"flow_name": "show", "time": "2099-01-01T00:00:00Z"})
    left, said = run(venue_settings)
    assert left == 1
    assert "is in the future" in said[0]
    assert evening.told() == []
    evening.source_is("DISCONNECTED", "encoder")
    assert evening.told() == [("opened", "CRITICAL")]
