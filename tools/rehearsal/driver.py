"""Drives one flow of a deployed environment through time, and follows what happens.

Statuses, datapoints and events go in. At each moment that is due, alarms are evaluated and schedules invoked; what they
start is awaited, and counted as the services count it themselves. Rehearsals and the tests of the local AWS use it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from moto.cloudwatch.models import cloudwatch_backends
from moto.mediaconnect.models import mediaconnect_backends

from tools.local_aws import ACCOUNT_ID, clock, faults, service_metrics
from tools.local_aws.alarms import BEYOND, Transition, changes
from tools.local_aws.deliveries import Published, published
from tools.local_aws.eventbridge import LOST, Delivery, deliver, event
from tools.local_aws.executions import Execution, wait_for
from tools.local_aws.forget import forget_what_happened
from tools.local_aws.gaps import mediaconnect_messages
from tools.local_aws.gaps.cloudwatch_metrics import MEDIACONNECT
from tools.local_aws.gaps.lambda_invocation import INVOCATIONS, Invocation
from tools.local_aws.gaps.mediaconnect_flow_status import set_flow_status
from tools.local_aws.scheduler import Invoked, invoke_schedules
from tools.rehearsal.deployment import Deployment

MINUTE: Final = timedelta(minutes=1)
TEN_SECONDS: Final = timedelta(seconds=10)
"""How often CloudWatch evaluates an alarm whose period is shorter than a minute."""
SOURCE: Final = "aws.mediaconnect"


@dataclass(frozen=True, slots=True)
class Run:
    """An execution that ended, and the functions that it invoked."""

    execution: Execution
    invocations: tuple[Invocation, ...]


Consequence = Transition | Invoked | Delivery | Run | Published
"""An alarm's new state, a scheduled check, an event that a rule could not deliver, an execution, a message."""


class Driver:
    """One flow, at a moment.

    While it is open, the local AWS has its clock; opening it clears what happened in the environment before.

    Args:
        deployment: the environment, applied.
        flow: the flow's name. Only its alarms, its schedule and the self-monitoring alarms run.
        start: the moment at which it starts.
        observe: called with each consequence, in order.
        beyond: periods of an alarm's evaluation range beyond its evaluation periods; AWS documents no number.

    Attributes:
        region: of the environment.
        flow_arn: the flow.
        now: the current moment.
        checks: whether the schedule is invoked.
    """

    def __init__(
        self,
        deployment: Deployment,
        flow: str,
        start: datetime,
        *,
        observe: Callable[[Consequence], None] = lambda _: None,
        beyond: int = BEYOND,
    ) -> None:
        self.region, self._names = deployment.environment.region, deployment.names
        self.flow_arn = deployment.flow_arn(flow)
        self.now = self._start = start
        self.checks = True
        self._clock = ExitStack()
        self._set_clock: Callable[[datetime], None] = lambda _: None
        self._observe = observe
        self._beyond = beyond
        self._schedule = f"{self._names.schedule_group}/{self._names.schedule(flow)}"
        self._alarms = (self._names.alarm(flow, ""), self._names.self_monitoring_alarm(""))
        self._step = self._evaluation_interval()
        self._due = start + self._step
        self._messages = 0

    def __enter__(self) -> Self:
        self._set_clock = self._clock.enter_context(clock.stopped(self._start))
        forget_what_happened(self.region, prefix=self._names.prefix)
        return self

    def __exit__(self, *_: object) -> None:
        """Lift all faults; stop the flow, because a running one could not be destroyed."""
        faults.lift()
        LOST.clear()
        self.set_status("STANDBY")
        self.release_clock()

    def release_clock(self) -> None:
        """Return to the real clock, for what waits for it; the time is then no longer set."""
        self._set_clock = lambda _: None
        self._clock.close()

    def advance(self, to: datetime, *, due: bool = True) -> None:
        """Let time pass until a moment, with what is due; at its end only if `due` is true."""
        while self._due < to or (due and self._due == to):
            self._move(self._due)
            self._due += self._step
            self._evaluate()
        self._move(to)

    def skip(self, to: datetime) -> None:
        """Let time pass until a moment, without what is due meanwhile."""
        while self._due <= to:
            self._due += self._step
        self._move(to)

    def set_status(self, status: str) -> None:
        """Put the flow into a status, without an event."""
        set_flow_status(self.flow_arn, status)

    def put(self, metric: str, value: float, *, at: datetime, dimension: str = "FlowARN", arn: str = "") -> None:
        """Emit one datapoint, of the flow if nothing else is named."""
        datum = {
            "MetricName": metric,
            "Dimensions": [{"Name": dimension, "Value": arn or self.flow_arn}],
            "Timestamp": at.astimezone(UTC).replace(tzinfo=None),  # moto keeps naive UTC
            "Value": value,
        }
        cloudwatch_backends[ACCOUNT_ID][self.region].put_metric_data(MEDIACONNECT, [datum])

    def send(
        self, detail_type: str, detail: Mapping[str, Any], part: str | None = None, happened: datetime | None = None
    ) -> list[Delivery]:
        """Deliver an event of MediaConnect's; does not wait for what it starts.

        Args:
            detail_type: as EventBridge names it.
            detail: its content.
            part: the ARN of the source or output that it is about.
            happened: when, if not now.
        """
        if detail_type == "MediaConnect Alert":
            self._show_alert(detail)
        sent = event(
            source=SOURCE,
            detail_type=detail_type,
            detail=detail,
            resources=[self.flow_arn, *([part] if part else [])],
            time=happened or self.now,
            region=self.region,
        )
        return deliver(sent, region=self.region)

    def follow(self, deliveries: Sequence[Delivery]) -> None:
        """Wait for what deliveries started, and count them."""
        service_metrics.count_deliveries(deliveries, self.now, region=self.region)
        for delivery in deliveries:
            if delivery.execution_arn:
                self.wait(delivery.execution_arn)
            else:
                self._observe(delivery)

    def wait(self, execution_arn: str) -> Execution:
        """Wait until an execution has ended, and count it, its functions and its messages."""
        ended = wait_for(execution_arn)
        new = [run for run in INVOCATIONS if _execution_of(run) == execution_arn]
        self._observe(Run(ended, tuple(new)))
        service_metrics.count_execution(ended, new, self.now)
        self._collect_messages()
        return ended

    def check(self, *, minutes: int = 1) -> None:
        """Invoke the flow's schedule as often as it fell due in the minutes before now."""
        for invoked in invoke_schedules(self.now - minutes * MINUTE, self.now, region=self.region, name=self._schedule):
            self._observe(invoked)
            if invoked.execution_arn:
                self.wait(invoked.execution_arn)

    def source_arns(self) -> dict[str, str]:
        """ARN by name of each source of the flow, the primary one first."""
        flow = self._flow()
        listed = {source["name"]: source["sourceArn"] for source in [flow.source, *flow.sources] if source}
        return {str(name): str(arn) for name, arn in listed.items()}

    def output_arns(self) -> dict[str, str]:
        """ARN by name of each output of the flow."""
        return {str(output["name"]): str(output["outputArn"]) for output in self._flow().outputs}

    def _flow(self) -> Any:
        return mediaconnect_backends[ACCOUNT_ID][self.region]._flows[self.flow_arn]  # noqa: SLF001  DescribeFlow would let it settle

    def _evaluation_interval(self) -> timedelta:
        alarms = cloudwatch_backends[ACCOUNT_ID][self.region].alarms
        periods = [int(alarm.period or 60) for name, alarm in alarms.items() if name.startswith(self._alarms)]
        return TEN_SECONDS if timedelta(seconds=min(periods, default=60)) < MINUTE else MINUTE

    def _move(self, to: datetime) -> None:
        self.now = to
        self._set_clock(to)

    def _evaluate(self) -> None:
        """Evaluate the alarms that are due now; at the end of a minute, also invoke the schedule."""
        within_minute = bool((self.now - self._start) % MINUTE)
        for prefix in self._alarms:
            for change in changes(
                self.now, region=self.region, prefix=prefix, within_minute=within_minute, beyond=self._beyond
            ):
                self._observe(change)
                self.follow(change.deliveries)
        if within_minute:
            return
        self._collect_messages()
        if self.checks:
            self.check()
        service_metrics.count_waiting(self.region, self.now, prefix=self._names.prefix)

    def _collect_messages(self) -> None:
        """Count the messages published since the last time."""
        new = published(region=self.region, since=self._messages)
        self._messages += len(new)
        for message in new:
            self._observe(message)
            service_metrics.count_message(message, self.now)

    def _show_alert(self, detail: Mapping[str, Any]) -> None:
        """Show an alert in DescribeFlow as long as it lasts, whatever comes of its event."""
        key = str(detail.get("error-id") or detail.get("error-code") or "")
        if detail.get("errored"):
            mediaconnect_messages.raise_error(self.flow_arn, key, str(detail.get("error-message", key)))
        else:
            mediaconnect_messages.clear_error(self.flow_arn, key)


def _execution_of(run: Invocation) -> str:
    return str(run.event.get("execution", "")) if isinstance(run.event, dict) else ""
