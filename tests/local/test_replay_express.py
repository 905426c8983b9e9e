"""EXPRESS executions: no API describes them afterwards and names do not deduplicate, so a replay waits for each."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.sqs.models import sqs_backends

from components.workflow_definition import EXPRESS_SECONDS, workflow_definition
from settings import Names
from tests.local.conftest import OnAir
from tests.local.empty_region import EIGHT, ROLE, EmptyRegion
from tools.local_aws import ACCOUNT_ID, LocalAws, executions, faults
from tools.operations.dead_letter_queue import Queue
from tools.operations.executions import Machine, Outcome
from tools.operations.replay import ReplayError, replay

pytestmark = pytest.mark.xdist_group("venue")

NAMES = Names("show")
STATES = {
    "Choice": {
        "Type": "Choice",
        "Choices": [{"Variable": "$.bad", "IsPresent": True, "Next": "Failed"}],
        "Default": "Done",
    },
    "Done": {"Type": "Succeed"},
    "Failed": {"Type": "Fail", "Error": "Broken", "Cause": "on purpose"},
}


@pytest.fixture
def region(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> EmptyRegion:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    region = EmptyRegion(aws)
    region.queue(NAMES.dead_letter_queue)
    return region


@pytest.fixture
def root(tmp_path: Path, region: EmptyRegion) -> Path:
    """Settings of an environment in the empty Region."""
    folder = tmp_path / "environments"
    folder.mkdir()
    text = Path(__file__).with_name("venue.toml").read_text()
    (folder / "show.toml").write_text(text.replace("us-east-1", region.name))
    return tmp_path


def machine(region: EmptyRegion, kind: str = "EXPRESS", definition: dict[str, Any] | None = None) -> str:
    made = region.client("stepfunctions").create_state_machine(
        name=NAMES.state_machine,
        type=kind,
        roleArn=ROLE,
        definition=json.dumps(definition or {"StartAt": "Choice", "States": STATES}),
    )
    return str(made["stateMachineArn"])


def put(region: EmptyRegion, body: object) -> str:
    client = region.client("sqs")
    url = client.get_queue_url(QueueName=NAMES.dead_letter_queue)["QueueUrl"]
    return str(client.send_message(QueueUrl=url, MessageBody=json.dumps(body))["MessageId"])


def waiting(region: EmptyRegion) -> set[str]:
    return {message["MessageId"] for message in region.waiting(NAMES.dead_letter_queue)}


def refused(call: Callable[..., Any], code: str, **parameters: Any) -> None:
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    assert raised.value.response["Error"]["Code"] == code


def test_express_execution_names_do_not_deduplicate(region: EmptyRegion) -> None:
    client, arn = region.client("stepfunctions"), machine(region)
    first, second = (client.start_execution(stateMachineArn=arn, name="same", input="{}") for _ in range(2))
    assert first["executionArn"] != second["executionArn"]
    assert first["executionArn"].startswith(
        f"arn:aws:states:{region.name}:{ACCOUNT_ID}:express:{NAMES.state_machine}:same:"
    )


def test_express_execution_is_not_described_afterwards(region: EmptyRegion) -> None:
    client, arn = region.client("stepfunctions"), machine(region)
    execution = client.start_execution(stateMachineArn=arn, input="{}")["executionArn"]
    for call in (client.describe_execution, client.get_execution_history, client.stop_execution):
        refused(call, "InvalidArn", executionArn=execution)
    refused(client.list_executions, "StateMachineTypeNotSupported", stateMachineArn=arn)


def test_only_express_executions_start_synchronously(region: EmptyRegion) -> None:
    client, arn = region.client("stepfunctions"), machine(region)
    ended = client.start_sync_execution(stateMachineArn=arn, input='{"bad": 1}')
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "Broken", "on purpose")
    assert client.start_sync_execution(stateMachineArn=arn, input="{}")["status"] == "SUCCEEDED"
    refused(
        client.start_sync_execution, "StateMachineTypeNotSupported", stateMachineArn=region.state_machine("standard")
    )


def test_replay_waits_for_express_executions(region: EmptyRegion, root: Path) -> None:
    machine(region)
    dead_letters = [
        put(region, {"time": f"2026-11-23T20:0{minute}:00Z", **more})
        for minute, more in enumerate(({}, {"bad": 1}, {}))
    ]
    printed: list[str] = []
    assert replay("show", dry_run=False, say=printed.append, root=root) == 2
    assert waiting(region) == set(dead_letters[1:])
    assert printed[0].startswith("handled: 2026-11-23T20:00:00Z")
    assert printed[1].endswith("Broken: on purpose")
    assert printed[2].startswith(f"Stopped at the message {dead_letters[1]}.")


def test_dead_letter_is_hidden_while_express_may_run(
    region: EmptyRegion, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another replay, meanwhile or after an interruption, must not start it a second time."""
    machine(region)
    dead_letter, other = put(region, {"time": "2026-11-23T20:00:00Z"}), put(region, {"time": "2026-11-23T20:01:00Z"})

    def cut_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tools.operations.executions.Machine._run_express", cut_off)
    with pytest.raises(KeyboardInterrupt):
        replay("show", dry_run=False, say=print, root=root)
    assert waiting(region) == {other}
    queue = sqs_backends[ACCOUNT_ID][region.name].queues[NAMES.dead_letter_queue]
    (held,) = [message for message in queue._messages if message.id == dead_letter]
    seconds = held.visible_at / 1000 - time.time()
    assert seconds > EXPRESS_SECONDS


def test_message_sent_after_the_start_stays_visible(region: EmptyRegion) -> None:
    there = put(region, {})
    with Queue(region.client("sqs"), NAMES.dead_letter_queue) as queue:
        time.sleep(2.5)  # SQS dates responses to the second
        late = put(region, {})
        assert [dead_letter.id for dead_letter in queue.received()] == [there]
        assert waiting(region) == set()
    assert waiting(region) == {there, late}


def test_dead_letters_stay_hidden_during_the_replay(
    region: EmptyRegion, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(region, "STANDARD")
    for minute in range(2):
        put(region, {"time": f"2026-11-23T20:0{minute}:00Z"})
    monkeypatch.setattr("tools.operations.dead_letter_queue.HIDDEN_SECONDS", 2)
    seen: list[set[str]] = []

    def slow(self: Machine, _: object) -> Outcome:
        for _ in range(8):
            time.sleep(0.5)
            self._while_waiting()
        seen.append(waiting(region))
        return Outcome(status="SUCCEEDED")

    monkeypatch.setattr("tools.operations.executions.Machine._run_standard", slow)
    assert replay("show", dry_run=False, say=print, root=root) == 0
    assert seen == [set(), set()]


def test_express_workflow_behaves_like_standard(on_air: OnAir, aws: LocalAws) -> None:
    """The deployed functions, topic and queue of `venue`, in a state machine of the other type."""
    live = on_air("show")
    client = aws.client("stepfunctions")
    prefix = f"arn:aws:lambda:{aws.region}:{ACCOUNT_ID}:function:media-workflow-venue"
    made = client.create_state_machine(
        name="express",
        type="EXPRESS",
        roleArn=ROLE,
        definition=json.dumps(
            workflow_definition(
                partition="aws",
                environment="venue",
                stream_monitor_arn=f"{prefix}-stream-monitor",
                alert_handler_arn=f"{prefix}-alert-handler",
                topic_arn=f"arn:aws:sns:{aws.region}:{ACCOUNT_ID}:media-workflow-venue-alerts",
                dead_letters_url=live.queue_url,
                kind="EXPRESS",
            )
        ),
    )
    arn = made["stateMachineArn"]
    try:
        live.put({"SourceBitRate": 0.0}, at=EIGHT + timedelta(minutes=4))
        asked = {"kind": "schedule", "flow_arn": live.arn, "time": "2026-11-23T20:05:00Z"}
        assert executions.wait_for(executions.start(arn, asked)).status == "SUCCEEDED"
        assert executions.wait_for(executions.start(arn, {"flow_name": "typo"})).states[-1] == "InputRefused"
        with faults.failing("stream_monitor", "timeout"):
            ended = executions.wait_for(executions.start(arn, asked))
        assert (ended.status, ended.states[-3:]) == ("FAILED", ("KeepInput", "MonitorBlind", "MonitoringFailed"))
        assert live.notified() == [("opened", "CRITICAL"), ("blind", "CRITICAL")]
        assert live.dead_letters() == [asked]
    finally:
        client.delete_state_machine(stateMachineArn=arn)


def test_missing_dead_letter_queue_is_reported(region: EmptyRegion, root: Path) -> None:
    client = region.client("sqs")
    client.delete_queue(QueueUrl=client.get_queue_url(QueueName=NAMES.dead_letter_queue)["QueueUrl"])
    words = rf"^show has no dead-letter queue {NAMES.dead_letter_queue}\. Deploy it with `make deploy ENV=show`\.$"
    with pytest.raises(ReplayError, match=words):
        replay("show", dry_run=True, say=print, root=root)
