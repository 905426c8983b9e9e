"""Plays a scenario on a stage, minute by minute, on the scenario's own clock.

What the stream does is put in; alarms, events, schedules, state machine and functions answer by themselves. Nothing of
this waits for real time but the functions' own work.
"""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from local_aws import LocalAws
from local_aws.alarms import evaluate_alarms
from local_aws.deliveries import published
from local_aws.eventbridge import Delivery, deliver, event
from local_aws.executions import Execution, wait_for
from local_aws.gaps.flow_states import set_flow_status
from local_aws.scheduler import fire_schedules
from rehearsal.scenario import Phase, Scenario
from rehearsal.timeline import Kind, Moment, Notification, Result

NAMESPACE: Final = "AWS/MediaConnect"


def play(scenario: Scenario, aws: LocalAws, *, flow_arn: str) -> Result:
    """Play `scenario` for the flow; what happened and what was told.

    Raises:
        ScenarioError: through `Scenario` only; a broken chain is not raised but seen in the result.
    """
    return _Play(scenario, aws, flow_arn).result()


class _Play:
    """One scenario being played."""

    def __init__(self, scenario: Scenario, aws: LocalAws, flow_arn: str) -> None:
        self._scenario = scenario
        self._aws = aws
        self._flow_arn = flow_arn
        self._metrics: Any = aws.client("cloudwatch")
        self._result = Result(scenario)
        self._heard = len(published(region=aws.region))
        self._phase: Phase | None = None

    def result(self) -> Result:
        for minute in range(self._scenario.minutes):
            self._stream(minute)
            for item in self._scenario.events_in(minute):
                self._event(item.minute, item.detail_type, item.detail)
            self._clock(minute + 1)
        return self._result

    def _note(self, minute: float, kind: Kind, text: str) -> None:
        self._result.timeline.append(Moment(minute=minute, kind=kind, text=text))

    def _stream(self, minute: int) -> None:
        """What the stream does in a minute: the flow's status, and one datapoint a metric."""
        phase = self._scenario.phase_at(minute)
        if phase is not self._phase:
            self._phase = phase
            set_flow_status(self._flow_arn, phase.status)
            values = ", ".join(f"{name} {value:g}" for name, value in phase.metrics.items()) or "no metrics"
            self._note(minute, "stream", f"{phase.status}: {values}")
        if phase.metrics:
            self._metrics.put_metric_data(
                Namespace=NAMESPACE,
                MetricData=[
                    {
                        "MetricName": name,
                        "Dimensions": [{"Name": "FlowARN", "Value": self._flow_arn}],
                        "Timestamp": self._scenario.at(minute),
                        "Value": value,
                    }
                    for name, value in phase.metrics.items()
                ],
            )

    def _event(self, minute: float, detail_type: str, detail: dict[str, Any]) -> None:
        self._note(minute, "event", f"{detail_type}: {json.dumps(detail, sort_keys=True)}")
        told = event(
            source="aws.mediaconnect",
            detail_type=detail_type,
            detail=detail,
            resources=[self._flow_arn],
            time=self._scenario.at(minute),
            region=self._aws.region,
        )
        self._follow(minute, deliver(told, region=self._aws.region))

    def _clock(self, minute: int) -> None:
        """A minute ends: alarms are evaluated, and schedules that fell due are fired."""
        now = self._scenario.at(minute)
        for change in evaluate_alarms(now, region=self._aws.region):
            # A new alarm's first OK is not worth a line.
            if (change.before, change.after) != ("INSUFFICIENT_DATA", "OK"):
                self._note(minute, "alarm", f"{change.alarm_name}: {change.before} -> {change.after}")
            self._follow(minute, change.deliveries)
        self._hear(minute)
        for fired in fire_schedules(now - timedelta(minutes=1), now, region=self._aws.region):
            self._note(minute, "schedule", f"{fired.schedule} is looked at")
            self._wait(minute, fired.execution_arn)

    def _follow(self, minute: float, deliveries: Iterable[Delivery]) -> None:
        """What came of an event: executions, or dead letters."""
        for delivery in deliveries:
            if delivery.execution_arn:
                self._wait(minute, delivery.execution_arn)
            else:
                self._note(minute, "event", f"not delivered by {delivery.rule}: {delivery.error}")

    def _wait(self, minute: float, execution_arn: str) -> None:
        self._note(minute, "execution", _path(wait_for(execution_arn)))
        self._hear(minute)

    def _hear(self, minute: float) -> None:
        """The messages published since the last time."""
        everything = published(region=self._aws.region)
        for message in everything[self._heard :]:
            told = Notification.of(minute, message.message, message.subject, message.attributes, message.recipients)
            self._result.notifications.append(told)
            self._note(minute, "message", f"{told.subject} -> {', '.join(told.recipients) or 'nobody'}")
        self._heard = len(everything)


def _path(execution: Execution) -> str:
    cause = f" ({execution.cause})" if execution.cause else ""
    return f"{execution.status}: {' > '.join(execution.states)}{cause}"
