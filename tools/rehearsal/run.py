"""Plays a scenario on a deployment, on the scenario's own clock.

The stream's status, metrics and events, and the faults, come from the scenario; everything else follows by itself, see
`tools.rehearsal.driver`. Nothing of this waits for real time but the functions' own work. A minute has one datapoint a
metric; where alarms have shorter periods, their metrics have one for each of those.
"""

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from components.health_rules import WHOLE_MINUTE, health_rules
from tools.local_aws import faults, resource_faults
from tools.local_aws.alarms import BEYOND
from tools.local_aws.eventbridge import LOST
from tools.local_aws.gaps import mediaconnect_messages
from tools.local_aws.gaps.cloudwatch_metrics import arriving
from tools.rehearsal.assignment import Assignment
from tools.rehearsal.collect import collect
from tools.rehearsal.deployment import Deployment
from tools.rehearsal.driver import SOURCE, TEN_SECONDS, Driver
from tools.rehearsal.metrics import emits
from tools.rehearsal.record import Recorder
from tools.rehearsal.scenario import BREAKS, Event, Fault, Phase
from tools.rehearsal.timeline import Result

EVENTS_OF: Final = {
    "flow_events": {SOURCE},
    "alarm_events": {"aws.cloudwatch"},
    "eventbridge": {SOURCE, "aws.cloudwatch"},
    "schedule": set[str](),
}
"""The sources of the events that get lost while a target is "lost"."""
FAULT_ENDS, FAULT_STARTS, STREAM, EVENT = range(4)
"""Their order at one moment; faults come before the alarms and schedules that are due then, the others after."""

Action = tuple[float, int, Callable[[], None]]
"""A minute, its place in the order, and what happens."""


def play(assignment: Assignment, deployment: Deployment, *, evidence: bool = False, beyond: int = BEYOND) -> Result:
    """Play a scenario on a flow of the deployment; returns what happened and the notifications.

    Everything that happened on the deployment before is cleared. A failure of the monitoring is not raised; the result
    shows it.

    Args:
        assignment: the scenario and its flow.
        deployment: the environment, applied.
        evidence: also keep what a report draws.
        beyond: periods of an alarm's evaluation range beyond its evaluation periods; AWS documents no number.
    """
    started = time.monotonic()
    result = _Play(assignment, deployment, beyond).result()
    if evidence:
        result.evidence = collect(assignment, deployment)
    result.seconds = time.monotonic() - started
    return result


class _Play:
    """One scenario being played."""

    def __init__(self, assignment: Assignment, deployment: Deployment, beyond: int) -> None:
        self._scenario, self._flow = assignment.scenario, assignment.flow
        settings, names = deployment.environment, deployment.names
        self._check_every_minutes = settings.check_every_minutes
        rules = health_rules(assignment.flow, settings.thresholds_of(assignment.flow))
        self._fast = {rule.metric: rule.period for rule in rules if rule.period < WHOLE_MINUTE}
        self._result = Result(assignment)
        self._recorder = Recorder(self._result, lambda: self._driver.now)
        self._driver = Driver(
            deployment,
            assignment.flow.name,
            self._scenario.start,
            observe=self._recorder.observe,
            beyond=beyond,
        )
        self._phase: Phase | None = None
        self._lost: set[str] = set()
        self._undo: dict[Fault, Callable[[], object]] = {}
        self._resources = resource_faults.Names(
            key=settings.existing_key_arn or names.key_alias,
            topic=(settings.existing_topic_arn or names.topic).rpartition(":")[2],
            self_monitoring_topic=(settings.existing_topic_arn or names.self_monitoring_topic).rpartition(":")[2],
        )

    def result(self) -> Result:
        with ExitStack() as stack:
            stack.enter_context(self._driver)
            stack.callback(self._undo_all)
            stack.enter_context(arriving(self._arrival))
            self._check_before()
            for minute, order, action in sorted(self._agenda(), key=lambda item: item[:2]):
                self._driver.advance(self._scenario.at(minute), due=order > FAULT_STARTS)
                action()
            self._driver.advance(self._scenario.at(self._scenario.minutes))
        return self._result

    def _undo_all(self) -> None:
        for undo in self._undo.values():
            undo()

    def _check_before(self) -> None:
        """Run the scheduled check that a flow on air has had before the scenario."""
        self._driver.set_status(self._scenario.phase_at(0).status)
        mediaconnect_messages.set_source_metadata(self._driver.flow_arn, self._scenario.source_metadata_at(0))
        self._driver.check(minutes=self._check_every_minutes)

    def _agenda(self) -> Iterator[Action]:
        """All that the scenario does, in no order."""
        for fault in self._scenario.faults:
            yield fault.start, FAULT_STARTS, partial(self._start_fault, fault)
            yield fault.until, FAULT_ENDS, partial(self._end_fault, fault)
        for minute in range(self._scenario.minutes):
            yield minute, STREAM, partial(self._stream, minute)
            yield from self._within(minute)
            for at, event in self._scenario.events_in(minute):
                yield at, EVENT, partial(self._event, event)

    def _within(self, minute: int) -> Iterator[Action]:
        """The datapoints between two full minutes, of metrics whose alarms have shorter periods."""
        for second in range(TEN_SECONDS.seconds, WHOLE_MINUTE, TEN_SECONDS.seconds) if self._fast else ():
            moment = minute + second / WHOLE_MINUTE
            names = {name for name, period in self._fast.items() if second % period == 0}
            yield moment, STREAM, partial(self._emit, moment, names)

    def _start_fault(self, fault: Fault) -> None:
        self._recorder.note("fault", f"{fault.target}: {fault.error}", target=fault.target, error=fault.error)
        if fault.error == "late":
            return  # each datapoint knows when it arrives
        if fault.error == "lost":
            self._lost.add(fault.target)
            self._lose()
        elif fault.target in BREAKS:
            self._undo[fault] = resource_faults.broken(
                fault.target, fault.error, region=self._driver.region, names=self._resources
            )
        else:
            injected = faults.inject(fault.target, fault.error)  # type: ignore[arg-type]  # others are above
            self._undo[fault] = partial(faults.lift, injected)

    def _end_fault(self, fault: Fault) -> None:
        self._recorder.note("fault", f"{fault.target}: works again", target=fault.target, error=None)
        self._undo.pop(fault, lambda: None)()
        self._lost.discard(fault.target)
        self._lose()

    def _lose(self) -> None:
        """Let get lost what is to be lost now."""
        LOST.clear()
        for target in self._lost:
            LOST.update(EVENTS_OF[target])
        self._driver.checks = "schedule" not in self._lost

    def _stream(self, minute: int) -> None:
        """Put the flow into its status, and emit one datapoint a metric."""
        phase = self._scenario.phase_at(minute)
        values = self._values(minute)
        mediaconnect_messages.set_source_metadata(self._driver.flow_arn, self._scenario.source_metadata_at(minute))
        if phase is not self._phase:
            self._phase = phase
            self._driver.set_status(phase.status)
            words = ", ".join(f"{name} {'/'.join(f'{one:g}' for one in many)}" for name, many in values.items())
            self._recorder.note(
                "stream", f"{phase.status}: {words or 'no metrics'}", status=phase.status, metrics=values
            )
        self._emit(minute, values)

    def _values(self, minute: float) -> dict[str, tuple[float, ...]]:
        return {name: numbers for name, numbers in self._scenario.values_at(minute).items() if emits(self._flow, name)}

    def _emit(self, minute: float, names: Collection[str]) -> None:
        """Emit one datapoint of each of these metrics that the stream has now."""
        sources = self._driver.source_arns()
        at = self._scenario.at(minute)
        for name, numbers in self._values(minute).items():
            if name not in names:
                continue
            for number in numbers:
                self._driver.put(name, number, at=at)
            if len(numbers) == len(sources) and len(sources) > 1:
                for arn, number in zip(sources.values(), numbers, strict=True):
                    self._driver.put(name, number, at=at, dimension="SourceARN", arn=arn)

    def _arrival(self, name: str, dimensions: Mapping[str, str], start: datetime) -> datetime:
        """When a datapoint arrives; its series has no identifiers, which differ by deployment."""
        of = " ".join(f"{key} {arn.rpartition(':')[2]}" for key, arn in dimensions.items())
        minute = round((start - self._scenario.start) / timedelta(minutes=1), 6)
        return self._scenario.arrival(f"{name} {of}", minute, self._fast.get(name, WHOLE_MINUTE))

    def _event(self, event: Event) -> None:
        lost = SOURCE in LOST
        text = f"{event.detail_type}: {json.dumps(event.detail, sort_keys=True)}{' (lost)' if lost else ''}"
        self._recorder.note("event", text, detail_type=event.detail_type, detail=event.detail, lost=lost)
        self._driver.follow(self._driver.send(event.detail_type, event.detail, self._part(event)))

    def _part(self, event: Event) -> str | None:
        """The ARN of the source or output that an event is about."""
        if event.source is not None:
            return _named(self._driver.source_arns(), event.source)
        return _named(self._driver.output_arns(), event.output) if event.output is not None else None


def _named(arns: dict[str, str], wanted: str | int) -> str:
    """An ARN by name, or counted from 1."""
    return list(arns.values())[wanted - 1] if isinstance(wanted, int) else arns[wanted]
