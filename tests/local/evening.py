"""One flow's evening on a deployed stack: what the stream does, minute by minute, and what people are told of it.

Everything in between is the deployed system: alarms, rules, schedule, state machine and both functions.
"""

import json
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import time_machine
from moto.dynamodb.models import dynamodb_backends
from moto.mediaconnect.models import mediaconnect_backends
from moto.scheduler.models import scheduler_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from tools.local_aws import ACCOUNT_ID, LocalAws, clock, faults
from tools.local_aws.alarms import evaluate_alarms
from tools.local_aws.deliveries import Published, published
from tools.local_aws.eventbridge import Delivery, deliver, event
from tools.local_aws.executions import Execution, wait_for
from tools.local_aws.forget import forget_what_happened
from tools.local_aws.gaps import mediaconnect_messages
from tools.local_aws.gaps.mediaconnect_flow_status import set_flow_status
from tools.local_aws.scheduler import fire_schedules
from tools.rehearsal.scenario import PRESENCE

PREFIX: Final = "media-workflow-venue"
EIGHT: Final = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
TEN_SECONDS: Final = timedelta(seconds=10)
GOOD_RTP: Final = {"SourceBitRate": 8e6, "SourcePacketLossPercent": 0.0, "SourceJitter": 5.0}


class Evening:
    """A clean stack at eight o'clock, and a flow that has been on air for a while.

    Args:
        aws: the local AWS with the stack.
        flow: name of the flow; the schedules of the others are off.
        arns: ARN by flow name.
        queue_url: the dead-letter queue.
    """

    def __init__(self, aws: LocalAws, flow: str, arns: dict[str, str], queue_url: str) -> None:
        self.aws, self.arn, self.queue_url = aws, arns[flow], queue_url
        self._standing = ExitStack()
        self._set_clock = self._standing.enter_context(clock.stopped(EIGHT))
        self._now = EIGHT
        self.executions: list[Execution] = []
        self._metrics: Any = aws.client("cloudwatch")
        self._forget(flow)
        self._heard = len(published(region=aws.region))
        self.status("ACTIVE")

    def _forget(self, flow: str) -> None:
        forget_what_happened(self.aws.region, prefix=PREFIX)
        for group in scheduler_backends[ACCOUNT_ID][self.aws.region].schedule_groups.values():
            for schedule in group.schedules.values():
                ours = group.name == PREFIX and schedule.name == flow
                schedule.state = "ENABLED" if ours else "DISABLED"

    @property
    def now(self) -> datetime:
        """The time of the evening, which all of the local AWS has."""
        return self._now

    @now.setter
    def now(self, moment: datetime) -> None:
        self._now = moment
        self._set_clock(moment)

    def run_clock(self, at: datetime) -> None:
        """Let the clock run from a moment on, for what waits for it, instead of standing at the evening's time."""
        self._standing.close()
        self._standing.enter_context(time_machine.travel(at, tick=True))
        self._set_clock = lambda _: None

    def end(self) -> None:
        """Leave no fault, no schedule off and no clock of the evening's for whoever comes next."""
        self._standing.close()
        faults.lift()
        for group in scheduler_backends[ACCOUNT_ID][self.aws.region].schedule_groups.values():
            for schedule in group.schedules.values():
                schedule.state = "ENABLED"

    def status(self, status: str) -> None:
        """Put the flow into a status, without an event."""
        set_flow_status(self.arn, status)

    def told_status(self, status: str, before: str) -> None:
        """Put the flow into a status, with the event of it."""
        self.status(status)
        self.event("MediaConnect Flow Status Change", {"currentStatus": status, "previousStatus": before})

    def source_arn(self, name: str) -> str:
        flow = mediaconnect_backends[ACCOUNT_ID][self.aws.region]._flows[self.arn]
        return str(next(source["sourceArn"] for source in flow.sources if source["name"] == name))

    def source_is(self, state: str, name: str) -> None:
        """The event that a source is CONNECTED or DISCONNECTED."""
        detail = {"unhealthy": state == "DISCONNECTED", "current": {"state": state}}
        self.event("MediaConnect Source Health", detail, self.source_arn(name))

    def event(self, detail_type: str, detail: dict[str, Any], part: str = "") -> None:
        self.follow(self.deliver(detail_type, detail, part))

    def deliver_late(self, detail_type: str, detail: dict[str, Any], source: str, happened: datetime) -> None:
        """An event of before now about a source."""
        self.follow(self.deliver(detail_type, detail, self.source_arn(source), happened))

    def deliver(
        self, detail_type: str, detail: dict[str, Any], part: str = "", happened: datetime | None = None
    ) -> list[Delivery]:
        """An event, of now if nothing else is said; does not wait for what it starts."""
        told = event(
            source="aws.mediaconnect",
            detail_type=detail_type,
            detail=detail,
            resources=[self.arn, *([part] if part else [])],
            time=happened or self.now,
            region=self.aws.region,
        )
        return deliver(told, region=self.aws.region)

    def follow(self, deliveries: Any) -> None:
        self.executions += [wait_for(item.execution_arn) for item in deliveries if item.execution_arn]

    def wait_for_all(self) -> None:
        """Wait for executions that somebody else started."""
        for machine in stepfunctions_parser_backends[ACCOUNT_ID][self.aws.region].state_machines:
            for execution in list(machine.executions):
                wait_for(execution.execution_arn)

    def put(self, metrics: dict[str, float], *, at: datetime | None = None, **dimensions: str) -> None:
        """One datapoint of each metric, of now, of the flow if nothing else is named."""
        data = [
            {
                "MetricName": name,
                "Dimensions": [
                    {"Name": key, "Value": arn} for key, arn in (dimensions or {"FlowARN": self.arn}).items()
                ],
                "Timestamp": at or self.now,
                "Value": value,
            }
            for name, value in metrics.items()
        ]
        if data:
            self._metrics.put_metric_data(Namespace="AWS/MediaConnect", MetricData=data)

    def minutes(self, count: int, metrics: dict[str, float], *, looks: bool = True) -> None:
        """So many minutes with these metrics; at the end of each, alarms are evaluated and the schedule fires."""
        signs = [metrics[name] for name in PRESENCE if name in metrics]
        lives = any(signs) or (metrics and not signs)
        mediaconnect_messages.set_source_metadata(self.arn, "present" if lives else "absent")
        for _ in range(count):
            self.put(metrics)
            self.pass_seconds(60, looks=looks)

    def pass_seconds(self, seconds: int, *, looks: bool = True) -> None:
        """Time goes by, and what is due with it: alarms every ten seconds, the schedule at each full minute."""
        moment = self.now.replace(second=self.now.second // 10 * 10) + TEN_SECONDS
        self.now += timedelta(seconds=seconds)
        while moment <= self.now:
            for change in evaluate_alarms(moment, region=self.aws.region, within_minute=moment.second > 0):
                self.follow(change.deliveries)
            if looks and not moment.second:
                self.follow(fire_schedules(moment - timedelta(minutes=1), moment, region=self.aws.region))
            moment += TEN_SECONDS

    def messages(self) -> list[Published]:
        """What was published since the evening began."""
        everything = published(region=self.aws.region, since=self._heard)
        return [message for message in everything if f":{PREFIX}-" in message.topic_arn]

    def told(self) -> list[tuple[str, str]]:
        """Kind and severity of each message; an alarm on the chain has neither."""
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
        """What is remembered of the flow."""
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
