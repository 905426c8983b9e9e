"""One flow of `venue` on the local AWS, driven by a test.

Everything in between is the deployed system: alarms, rules, schedule, state machine and both functions.
"""

import json
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

import time_machine
from moto.dynamodb.models import dynamodb_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from tools.local_aws import ACCOUNT_ID, LocalAws
from tools.local_aws.deliveries import Published, published
from tools.local_aws.eventbridge import Delivery
from tools.local_aws.executions import Execution, wait_for
from tools.local_aws.gaps import mediaconnect_messages
from tools.rehearsal.deployment import Deployment
from tools.rehearsal.driver import Consequence, Driver, Run
from tools.rehearsal.scenario import PRESENCE

PREFIX: Final = "media-workflow-venue"
EIGHT: Final = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
GOOD_RTP: Final = {"SourceBitRate": 8e6, "SourcePacketLossPercent": 0.0, "SourceJitter": 5.0}


class LiveFlow:
    """A flow that is on air at eight o'clock, in an environment with no history.

    Args:
        deployment: the environment `venue`, applied.
        flow: name of the flow.
    """

    def __init__(self, deployment: Deployment, flow: str) -> None:
        self.aws: LocalAws = deployment.aws
        self.queue_url: str = deployment.outputs()["dead_letters_url"]
        self.executions: list[Execution] = []
        self._driver = Driver(deployment, flow, EIGHT, observe=self._observe)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(self._driver)
        self.status("ACTIVE")
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _observe(self, item: Consequence) -> None:
        if isinstance(item, Run):
            self.executions.append(item.execution)

    @property
    def arn(self) -> str:
        """The flow."""
        return self._driver.flow_arn

    @property
    def now(self) -> datetime:
        """The current moment, which is also that of the local AWS."""
        return self._driver.now

    def skip(self, minutes: int) -> None:
        """Let minutes pass in which no alarm is evaluated and no schedule is invoked."""
        self._driver.skip(self.now + timedelta(minutes=minutes))

    def run_clock(self, at: datetime) -> None:
        """Let the clock run from a moment on, for what waits for it, instead of standing still."""
        self._driver.release_clock()
        self._open.enter_context(time_machine.travel(at, tick=True))

    def status(self, status: str) -> None:
        """Put the flow into a status, without an event."""
        self._driver.set_status(status)

    def change_status(self, status: str, before: str) -> None:
        """Put the flow into a status, with the event of it."""
        self.status(status)
        self.event("MediaConnect Flow Status Change", {"currentStatus": status, "previousStatus": before})

    def source_arn(self, name: str) -> str:
        return self._driver.source_arns()[name]

    def source_is(self, state: str, name: str) -> None:
        """The event that a source is CONNECTED or DISCONNECTED."""
        detail = {"unhealthy": state == "DISCONNECTED", "current": {"state": state}}
        self.event("MediaConnect Source Health", detail, self.source_arn(name))

    def event(self, detail_type: str, detail: dict[str, Any], part: str | None = None) -> None:
        self._driver.follow(self.deliver(detail_type, detail, part))

    def deliver_late(self, detail_type: str, detail: dict[str, Any], source: str, happened: datetime) -> None:
        """An event of before now about a source."""
        self._driver.follow(self._driver.send(detail_type, detail, self.source_arn(source), happened))

    def deliver(self, detail_type: str, detail: dict[str, Any], part: str | None = None) -> list[Delivery]:
        """An event of now; does not wait for what it starts."""
        return self._driver.send(detail_type, detail, part)

    def wait(self, execution_arn: str) -> Execution:
        """Wait for an execution that the test started, and count it."""
        return self._driver.wait(execution_arn)

    def wait_for_all(self) -> None:
        """Wait for executions that somebody else started."""
        for machine in stepfunctions_parser_backends[ACCOUNT_ID][self.aws.region].state_machines:
            for execution in list(machine.executions):
                wait_for(execution.execution_arn)

    def put(self, metrics: dict[str, float], *, at: datetime | None = None, source: str = "") -> None:
        """Emit one datapoint of each metric, of now, and of the flow if no source is named."""
        of = {"dimension": "SourceARN", "arn": self.source_arn(source)} if source else {}
        for name, value in metrics.items():
            self._driver.put(name, value, at=at or self.now, **of)

    def minutes(self, count: int, metrics: dict[str, float], *, checks: bool = True) -> None:
        """Let minutes with these metrics pass, and what is due at the end of each."""
        signs = [metrics[name] for name in PRESENCE if name in metrics]
        alive = any(signs) or (metrics and not signs)
        mediaconnect_messages.set_source_metadata(self.arn, "present" if alive else "absent")
        for _ in range(count):
            self.put(metrics)
            self.pass_seconds(60, checks=checks)

    def pass_seconds(self, seconds: int, *, checks: bool = True) -> None:
        """Let time pass, and what is due with it: alarms, and the schedule at each full minute."""
        self._driver.checks = checks
        self._driver.advance(self.now + timedelta(seconds=seconds))

    def messages(self) -> list[Published]:
        """What was published since eight o'clock."""
        everything = published(region=self.aws.region)
        return [message for message in everything if f":{PREFIX}-" in message.topic_arn]

    def notified(self) -> list[tuple[str, str]]:
        """Kind and severity of each message; a self-monitoring alarm has neither."""
        return [
            (message.attributes.get("kind", "chain-alarm"), message.attributes.get("severity", ""))
            for message in self.messages()
        ]

    def dead_letters(self) -> list[Any]:
        """The bodies in the dead-letter queue, which stay there."""
        client = self.aws.client("sqs")
        got = client.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(message["Body"]) for message in got.get("Messages", [])]

    def record(self) -> dict[str, Any]:
        """The stored record of the flow."""
        record: dict[str, Any] = json.loads(self._current().value)
        return record

    def age_claim(self) -> None:
        """Let the claim of an execution that died be long past."""
        record = self.record()
        record["claim"]["at"] = "2020-01-01T00:00:00+00:00"
        self._current().value = json.dumps(record)

    def _current(self) -> Any:
        (record,) = [item["record"] for item in self._items() if item["entry"].value == "current"]
        return record

    def _items(self) -> list[Any]:
        return [item.attrs for entries in self._table().items.values() for item in entries.values()]

    def _table(self) -> Any:
        return dynamodb_backends[ACCOUNT_ID][self.aws.region].tables[f"{PREFIX}-incidents"]

    def history(self) -> list[dict[str, Any]]:
        """Closed incidents."""
        return [json.loads(item["incident"].value) for item in self._items() if "incident" in item]
