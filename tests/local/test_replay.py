"""What could not be handled waits in the dead-letter queue, and a replay hands it to the workflow again."""

from pathlib import Path

import pytest

from local_aws import LocalAws, faults
from operations.errors import InputError
from operations.replay import replay
from tests.local.conftest import Begin
from tests.local.evening import Evening


@pytest.fixture
def credentials(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an operator's shell has."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def missed(begin: Begin, credentials: None) -> Evening:
    """An evening on which the monitor failed for good while the source was lost."""
    evening = begin("show")
    with faults.failing("stream_monitor", "crash"):
        evening.source_is("DISCONNECTED", "encoder")
    assert evening.told() == [("blind", "CRITICAL")]
    return evening


def run(root: Path, *, dry_run: bool = False) -> tuple[int, list[str]]:
    said: list[str] = []
    return replay("venue", dry_run=dry_run, say=said.append, root=root), said


def test_a_dead_letter_says_what_failed_and_where(missed: Evening) -> None:
    client = missed.aws.client("sqs")
    got = client.receive_message(QueueUrl=missed.queue_url, VisibilityTimeout=0, MessageAttributeNames=["All"])
    attributes = got["Messages"][0]["MessageAttributes"]
    assert attributes["error"]["StringValue"] == "Runtime.ExitError"
    assert attributes["execution"]["StringValue"] == missed.executions[0].arn


def test_a_dry_run_lists_what_waits_and_changes_nothing(missed: Evening, venue_settings: Path) -> None:
    left, said = run(venue_settings, dry_run=True)
    assert left == 0
    assert said[0].startswith("waits: 2026-11-23T20:00:00Z MediaConnect Source Health of arn:")
    assert said[-1] == "1 in media-workflow-venue-dead-letters; nothing was changed"
    assert len(missed.dead_letters()) == 1, "in sight again at once"


def test_a_replay_makes_up_for_what_was_missed_and_says_so(missed: Evening, venue_settings: Path) -> None:
    left, said = run(venue_settings)
    assert (left, said[-1]) == (0, "1 handed over, 0 kept in media-workflow-venue-dead-letters")
    missed.wait_for_all()
    assert missed.told() == [("blind", "CRITICAL"), ("opened", "CRITICAL")]
    assert missed.dead_letters() == []


def test_a_message_that_cannot_start_the_workflow_is_kept(missed: Evening, venue_settings: Path) -> None:
    missed.aws.client("sqs").send_message(QueueUrl=missed.queue_url, MessageBody="no JSON")
    left, said = run(venue_settings)
    missed.wait_for_all()
    assert left == 1
    assert [line for line in said if line.startswith("kept: no JSON: ")]
    assert said[-1] == "1 handed over, 1 kept in media-workflow-venue-dead-letters"


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
