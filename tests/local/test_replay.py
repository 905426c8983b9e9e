"""Dead letters, and their replay by the workflow."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from tests.local.conftest import OnAir
from tests.local.live_flow import EIGHT, LiveFlow
from tools.local_aws import ACCOUNT_ID, LocalAws, faults
from tools.operations.errors import InputError
from tools.operations.replay import UnknownDeadLetterError, replay

pytestmark = pytest.mark.xdist_group("venue")

WORKFLOW = "media-workflow-venue-workflow"


@pytest.fixture
def on_air(on_air: OnAir) -> OnAir:
    """Flows whose clock runs, because a queue hides messages for a time; an hour after the events."""

    def of(flow: str) -> LiveFlow:
        live = on_air(flow)
        live.run_clock(EIGHT + timedelta(hours=1))
        return live

    return of


@pytest.fixture
def credentials(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment variables of an operator's shell."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def missed(on_air: OnAir, credentials: None) -> LiveFlow:
    """A flow with a monitoring failure while its source was lost."""
    live = on_air("show")
    with faults.failing("stream_monitor", "crash"):
        live.source_is("DISCONNECTED", "encoder")
    assert live.notified() == [("blind", "CRITICAL")]
    return live


def run(
    root: Path, *, dry_run: bool = False, discard: str | None = None, after_each: Callable[[str], None] = lambda _: None
) -> tuple[int, list[str]]:
    printed: list[str] = []

    def say(text: str) -> None:
        printed.append(text)
        after_each(text)

    return replay("venue", dry_run=dry_run, discard=discard, say=say, root=root), printed


def put(live: LiveFlow, body: object) -> str:
    """Send a dead letter and return its message id."""
    text = body if isinstance(body, str) else json.dumps(body)
    return str(live.aws.client("sqs").send_message(QueueUrl=live.queue_url, MessageBody=text)["MessageId"])


def check(live: LiveFlow, minute: int) -> dict[str, Any]:
    """The input of a scheduled check."""
    return {"kind": "schedule", "flow_arn": live.arn, "time": f"2026-11-23T20:{minute:02}:00Z"}


def executions(live: LiveFlow) -> list[tuple[str, str, Any]]:
    """Name, status and input of each execution, in order."""
    backend = stepfunctions_parser_backends[ACCOUNT_ID][live.aws.region]
    machine = next(machine for machine in backend.state_machines if machine.name == WORKFLOW)
    return [(one.name, one.status, json.loads(one.execution_input)) for one in machine.executions]


def waiting(live: LiveFlow) -> set[str]:
    """The ids of the messages in the queue."""
    got = live.aws.client("sqs").receive_message(QueueUrl=live.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return {message["MessageId"] for message in got.get("Messages", [])}


def test_dead_letter_has_error_and_execution(missed: LiveFlow) -> None:
    client = missed.aws.client("sqs")
    got = client.receive_message(QueueUrl=missed.queue_url, VisibilityTimeout=0, MessageAttributeNames=["All"])
    attributes = got["Messages"][0]["MessageAttributes"]
    assert attributes["error"]["StringValue"] == "Runtime.ExitError"
    assert attributes["execution"]["StringValue"] == missed.executions[0].arn


def test_dry_run_lists_and_changes_nothing(missed: LiveFlow, venue_settings: Path) -> None:
    left, printed = run(venue_settings, dry_run=True)
    assert left == 0
    assert printed[0].startswith("waiting: 2026-11-23T20:00:00Z, MediaConnect Source Health: arn:")
    assert printed[-1] == "1 in media-workflow-venue-dead-letters. Nothing was changed."
    assert len(missed.dead_letters()) == 1, "visible again at once"


def test_replay_handles_the_missed_event(missed: LiveFlow, venue_settings: Path) -> None:
    left, printed = run(venue_settings)
    assert (left, printed[-1]) == (0, "1 handled, 0 left in media-workflow-venue-dead-letters")
    missed.wait_for_all()
    assert missed.notified() == [("blind", "CRITICAL"), ("opened", "CRITICAL")]
    assert missed.dead_letters() == []


def test_message_that_is_not_json_is_kept(missed: LiveFlow, venue_settings: Path) -> None:
    missed.aws.client("sqs").send_message(QueueUrl=missed.queue_url, MessageBody="no JSON")
    left, printed = run(venue_settings)
    missed.wait_for_all()
    assert left == 1
    assert [line for line in printed if line.startswith("failed: no JSON: ")]
    assert printed[-1] == "1 handled, 1 left in media-workflow-venue-dead-letters"


def test_credentials_of_another_account_are_refused(missed: LiveFlow, venue_settings: Path) -> None:
    file = venue_settings / "environments" / "venue.toml"
    text = file.read_text()
    try:
        file.write_text(text.replace('"123456789012"', '"210987654321"'))
        with pytest.raises(InputError, match=r"of the account 123456789012.*allows 210987654321"):
            run(venue_settings)
    finally:
        file.write_text(text)
    assert len(missed.dead_letters()) == 1


def test_scheduler_request_is_unwrapped_and_checked(on_air: OnAir, credentials: None, venue_settings: Path) -> None:
    live = on_air("show")
    client = live.aws.client("scheduler")
    target = client.get_schedule(GroupName="media-workflow-venue", Name="show")["Target"]
    given = target["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-23T20:05:00Z")
    for minute in (4, 59):
        live.put({"SourceBitRate": 0.0}, at=EIGHT + timedelta(minutes=minute))
    put(live, {"StateMachineArn": target["Arn"], "Input": given})
    put(live, {"stateMachineArn": target["Arn"], "input": json.loads(target["Input"])})
    left, _ = run(venue_settings)
    assert left == 0
    assert [(status, one) for _, status, one in executions(live)] == [
        ("SUCCEEDED", json.loads(given)),
        ("SUCCEEDED", json.loads(target["Input"])),
    ]
    assert live.notified() == [("opened", "CRITICAL"), ("reminded", "CRITICAL")], "as of then, and as of now"
    assert waiting(live) == set()


def test_unknown_flow_name_stops_the_replay_silently(on_air: OnAir, credentials: None, venue_settings: Path) -> None:
    live = on_air("show")
    typo = put(live, {"flow_name": "typo"})
    other = put(live, {"flow_name": "show"})
    left, printed = run(venue_settings)
    assert (left, waiting(live)) == (2, {typo, other})
    assert [(name, status) for name, status, _ in executions(live)] == [(f"replay-{typo}", "FAILED")]
    assert live.notified() == []
    assert printed[0].startswith("failed: no time, requested by a person: typo: its execution is FAILED")
    assert "InputRefused: Nothing was checked: no flow 'typo' is monitored here" in printed[0]
    assert printed[1:] == [
        (
            f"Stopped at the message {typo}. It can never be handled. Delete it: media-workflow replay venue "
            f"--discard {typo}. Then run the replay again. Not tried, and left in the queue: 1 more."
        ),
        "0 handled, 2 left in media-workflow-venue-dead-letters",
    ]


def test_discard_deletes_one_dead_letter(on_air: OnAir, credentials: None, venue_settings: Path) -> None:
    live = on_air("show")
    typo = put(live, {"flow_name": "typo"})
    other = put(live, check(live, 5))
    _, printed = run(venue_settings, discard=typo, dry_run=True)
    assert printed == [f"would be deleted: no time, requested by a person: typo ({typo}). Nothing was changed."]
    with pytest.raises(UnknownDeadLetterError, match=f"No message nope in .*{typo}"):
        run(venue_settings, discard="nope")
    assert waiting(live) == {typo, other}
    left, printed = run(venue_settings, discard=typo)
    assert (left, waiting(live), executions(live)) == (0, {other}, [])
    assert 'Its body: {"flow_name": "typo"}' in printed[0]


def test_replay_stops_at_the_first_failure(on_air: OnAir, credentials: None, venue_settings: Path) -> None:
    live = on_air("show")
    dead_letters = [put(live, check(live, minute)) for minute in (5, 6, 7)]
    with faults.failing("stream_monitor", "crash"):
        left, printed = run(venue_settings)
    assert (left, waiting(live)) == (3, set(dead_letters))
    assert [name for name, _, _ in executions(live)] == [f"replay-{dead_letters[0]}"]
    assert live.notified() == [("blind", "CRITICAL")]
    assert "MonitoringFailed" in printed[0]
    assert "Runtime.ExitError" in printed[0], "the cause"
    assert printed[1].startswith(f"Stopped at the message {dead_letters[0]}. Fix the cause, and run the replay again: ")
    left, _ = run(venue_settings)
    assert (left, waiting(live)) == (0, set())
    assert [(name, status) for name, status, _ in executions(live)] == [
        (f"replay-{dead_letters[0]}", "FAILED"),
        (f"replay-{dead_letters[0]}-2", "SUCCEEDED"),
        (f"replay-{dead_letters[1]}", "SUCCEEDED"),
        (f"replay-{dead_letters[2]}", "SUCCEEDED"),
    ]


def test_replay_runs_in_time_order_and_deduplicates(on_air: OnAir, credentials: None, venue_settings: Path) -> None:
    live = on_air("show")
    for minute in (7, 5, 6, 5):
        put(live, check(live, minute))
    left, printed = run(venue_settings)
    assert [given["time"][14:16] for _, _, given in executions(live)] == ["05", "06", "07"]
    assert (left, waiting(live), printed[-1]) == (
        0,
        set(),
        "4 handled, 0 left in media-workflow-venue-dead-letters",
    )


def test_messages_sent_during_a_replay_are_left(on_air: OnAir, credentials: None, venue_settings: Path) -> None:
    live = on_air("show")
    put(live, check(live, 5))
    late: list[str] = []
    left, _ = run(venue_settings, after_each=lambda _: late.append(put(live, check(live, 1 + len(late)))))
    assert (left, waiting(live)) == (0, set(late))
    assert len(executions(live)) == 1


def test_interrupted_replay_starts_nothing_twice(on_air: OnAir, credentials: None, venue_settings: Path) -> None:
    live = on_air("show")
    dead_letter = put(live, check(live, 5))

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    client = live.aws.client("stepfunctions")
    arn = client.list_state_machines()["stateMachines"]
    machine = next(one["stateMachineArn"] for one in arn if one["name"] == WORKFLOW)
    client.start_execution(stateMachineArn=machine, name=f"replay-{dead_letter}", input=json.dumps(check(live, 5)))
    left, _ = run(venue_settings)
    assert (left, waiting(live), len(executions(live))) == (0, set(), 1)
    other = put(live, check(live, 6))
    third = put(live, check(live, 7))
    with pytest.raises(KeyboardInterrupt):
        run(venue_settings, after_each=interrupt)
    assert waiting(live) == {third}, "visible again at once"
    assert [name for name, _, _ in executions(live)] == [f"replay-{dead_letter}", f"replay-{other}"]


def test_input_from_the_future_is_refused(on_air: OnAir, credentials: None, venue_settings: Path) -> None:
    live = on_air("show")
    put(live, {"flow_name": "show", "time": "2099-01-01T00:00:00Z"})
    left, printed = run(venue_settings)
    assert left == 1
    assert "is in the future" in printed[0]
    assert live.notified() == []
    live.source_is("DISCONNECTED", "encoder")
    assert live.notified() == [("opened", "CRITICAL")]
