"""Plays a scenario on a stage, moment by moment, on the scenario's own clock.

What the stream does is put in; alarms, events, schedules, state machine and functions answer by themselves. Nothing of
this waits for real time but the functions' own work. A minute has one datapoint a metric and ends with a look at the
alarms; where alarms have shorter periods, their metrics have one for each of those, and alarms are looked at within.
"""

import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from moto.cloudwatch.models import cloudwatch_backends
from moto.mediaconnect.models import mediaconnect_backends

from components.health_rules import WHOLE_MINUTE, health_rules
from tools.local_aws import ACCOUNT_ID, clock, faults, resource_faults, service_metrics
from tools.local_aws.alarms import BEYOND, changes
from tools.local_aws.deliveries import published
from tools.local_aws.eventbridge import LOST, Delivery, deliver, event
from tools.local_aws.executions import Execution, wait_for
from tools.local_aws.forget import forget_what_happened
from tools.local_aws.gaps import mediaconnect_messages
from tools.local_aws.gaps.cloudwatch_metrics import MEDIACONNECT, arriving
from tools.local_aws.gaps.lambda_invocation import INVOCATIONS, Invocation
from tools.local_aws.gaps.mediaconnect_flow_status import set_flow_status
from tools.local_aws.scheduler import fire_schedules
from tools.rehearsal.assignment import Assignment
from tools.rehearsal.collect import collect
from tools.rehearsal.deployment import Deployment
from tools.rehearsal.metrics import emits
from tools.rehearsal.scenario import BREAKS, Event, Fault, Phase
from tools.rehearsal.timeline import Kind, Moment, Notification, Result

LOOK_SECONDS: Final = 10
"""How often CloudWatch evaluates an alarm whose period is shorter than a minute."""
EVENTS_OF: Final = {
    "flow_events": {"aws.mediaconnect"},
    "alarm_events": {"aws.cloudwatch"},
    "eventbridge": {"aws.mediaconnect", "aws.cloudwatch"},
    "schedule": set[str](),
}
"""The sources of events that a fault lets get lost."""


def play(
    assignment: Assignment,
    deployment: Deployment,
    *,
    evidence: bool = False,
    beyond: int = BEYOND,
    enough: Callable[[Sequence[Notification]], bool] = lambda _: False,
) -> Result:
    """Play a scenario on a flow of the stage; what happened and what was told.

    All that happened on the stage before is forgotten. A broken chain is not raised but seen in the result.

    Args:
        assignment: the scenario and its flow.
        deployment: the environment, applied.
        evidence: also keep what a report draws.
        beyond: periods of an alarm's evaluation range beyond its evaluation periods; AWS documents no number.
        enough: whether the notifications so far answer the question, so that the rest need not be played.
    """
    begun = time.monotonic()
    result = _Play(assignment, deployment, beyond).result(enough)
    if evidence:
        result.evidence = collect(assignment, deployment)
    result.seconds = time.monotonic() - begun
    return result


class _Play:
    """One scenario being played."""

    def __init__(self, assignment: Assignment, deployment: Deployment, beyond: int) -> None:
        self._scenario, self._flow, self._beyond = assignment.scenario, assignment.flow, beyond
        self._region, self._names = deployment.environment.region, deployment.names
        self._check_every_minutes = deployment.environment.check_every_minutes
        self._flow_arn = deployment.flow_arn(assignment.flow.name)
        rules = health_rules(assignment.flow, deployment.environment.thresholds_of(assignment.flow))
        self._fast = {rule.metric: rule.period for rule in rules if rule.period < WHOLE_MINUTE}
        self._result = Result(assignment)
        self._heard = 0
        self._runs = 0
        self._phase: Phase | None = None
        self._lost: set[str] = set()
        self._undo: dict[Fault, Callable[[], None]] = {}
        settings = deployment.environment
        self._resources = resource_faults.Names(
            key=settings.existing_key_arn or self._names.key_alias,
            topic=(settings.existing_topic_arn or self._names.topic).rpartition(":")[2],
            self_monitoring_topic=(settings.existing_topic_arn or self._names.self_monitoring_topic).rpartition(":")[2],
        )

    def result(self, enough: Callable[[Sequence[Notification]], bool]) -> Result:
        try:
            with clock.stopped(self._scenario.start) as set_clock, arriving(self._arrival):
                forget_what_happened(self._region, prefix=self._names.prefix)
                self._check_before()
                for minute, action in self._agenda():
                    set_clock(self._scenario.at(minute))
                    action()
                    if enough(self._result.notifications):
                        break
        finally:
            faults.lift()
            for undo in self._undo.values():
                undo()
            LOST.clear()
            set_flow_status(self._flow_arn, "STANDBY")  # a running one could not be destroyed
        return self._result

    def _check_before(self) -> None:
        """The scheduled check before the scenario starts: a flow that is on air has been checked before."""
        phase = self._scenario.phase_at(0)
        set_flow_status(self._flow_arn, phase.status)
        mediaconnect_messages.set_source_metadata(self._flow_arn, self._scenario.source_metadata_at(0))
        self._look(0, self._scenario.start, minutes=self._check_every_minutes)

    def _agenda(self) -> list[tuple[float, Callable[[], None]]]:
        """All that happens, in order; at one moment faults end and begin, then a minute ends, and the next begins."""
        items: list[tuple[float, int, Callable[[], None]]] = []
        for fault in self._scenario.faults:
            injected: list[faults.Fault] = []
            items.append((fault.start, 1, partial(self._break, fault, injected)))
            items.append((fault.until, 0, partial(self._mend, fault, injected)))
        for minute in range(self._scenario.minutes):
            items.append((minute, 3, partial(self._stream, minute)))
            items += self._within(minute)
            items += [(at, 4, partial(self._event, at, item)) for at, item in self._scenario.events_in(minute)]
            items.append((minute + 1, 2, partial(self._minute_ends, minute + 1)))
        return [(minute, action) for minute, _, action in sorted(items, key=lambda item: item[:2])]

    def _within(self, minute: int) -> Iterator[tuple[float, int, Callable[[], None]]]:
        """What happens between a minute's begin and its end where alarms have shorter periods."""
        for second in range(LOOK_SECONDS, WHOLE_MINUTE, LOOK_SECONDS) if self._fast else ():
            moment = minute + second / WHOLE_MINUTE
            names = {name for name, period in self._fast.items() if second % period == 0}
            yield moment, 2, partial(self._alarms, moment, within_minute=True)
            yield moment, 3, partial(self._emit, moment, names)

    def _note(self, minute: float, kind: Kind, text: str, **facts: Any) -> None:
        self._result.timeline.append(Moment(minute=minute, kind=kind, text=text, facts=facts))

    def _break(self, fault: Fault, injected: list[faults.Fault]) -> None:
        self._note(fault.start, "fault", f"{fault.target}: {fault.error}", target=fault.target, error=fault.error)
        if fault.error == "late":
            return  # each datapoint knows when it arrives
        if fault.error == "lost":
            self._lost.add(fault.target)
            LOST.update(EVENTS_OF[fault.target])
        elif fault.target in BREAKS:
            self._undo[fault] = resource_faults.broken(
                fault.target, fault.error, region=self._region, names=self._resources
            )
        else:
            injected.append(faults.inject(fault.target, fault.error))  # type: ignore[arg-type]  # others are above

    def _mend(self, fault: Fault, injected: list[faults.Fault]) -> None:
        self._note(fault.until, "fault", f"{fault.target}: works again", target=fault.target, error=None)
        for item in injected:
            faults.lift(item)
        self._undo.pop(fault, lambda: None)()
        self._lost.discard(fault.target)
        LOST.clear()
        for target in self._lost:
            LOST.update(EVENTS_OF[target])

    def _stream(self, minute: int) -> None:
        """What the stream does in a minute: the flow's status, and one datapoint a metric."""
        phase = self._scenario.phase_at(minute)
        values = self._values(minute)
        mediaconnect_messages.set_source_metadata(self._flow_arn, self._scenario.source_metadata_at(minute))
        if phase is not self._phase:
            self._phase = phase
            set_flow_status(self._flow_arn, phase.status)
            words = ", ".join(f"{name} {'/'.join(f'{one:g}' for one in many)}" for name, many in values.items())
            self._note(
                minute, "stream", f"{phase.status}: {words or 'no metrics'}", status=phase.status, metrics=values
            )
        self._emit(minute, values)

    def _values(self, minute: float) -> dict[str, tuple[float, ...]]:
        return {name: numbers for name, numbers in self._scenario.values_at(minute).items() if emits(self._flow, name)}

    def _emit(self, minute: float, names: Collection[str]) -> None:
        """One datapoint of each of these metrics that the stream has now."""
        sources = source_arns(self._flow_arn)
        for name, numbers in self._values(minute).items():
            if name not in names:
                continue
            for number in numbers:
                self._put(name, "FlowARN", self._flow_arn, number, minute)
            if len(numbers) == len(sources) and len(sources) > 1:
                for arn, number in zip(sources.values(), numbers, strict=True):
                    self._put(name, "SourceARN", arn, number, minute)

    def _put(self, name: str, dimension: str, arn: str, value: float, minute: float) -> None:
        datum = {
            "MetricName": name,
            "Dimensions": [{"Name": dimension, "Value": arn}],
            "Timestamp": self._scenario.at(minute).replace(tzinfo=None),  # moto's times are UTC, unsaid
            "Value": value,
        }
        cloudwatch_backends[ACCOUNT_ID][self._region].put_metric_data(MEDIACONNECT, [datum])

    def _arrival(self, name: str, dimensions: Mapping[str, str], start: datetime) -> datetime:
        """When a datapoint arrives: its series is named without identifiers, which each deployment has of its own."""
        of = " ".join(f"{key} {arn.rpartition(':')[2]}" for key, arn in dimensions.items())
        minute = round((start - self._scenario.start) / timedelta(minutes=1), 6)
        return self._scenario.arrival(f"{name} {of}", minute, self._fast.get(name, WHOLE_MINUTE))

    def _event(self, minute: float, item: Event) -> None:
        if item.detail_type == "MediaConnect Alert":
            self._alert(item.detail)
        told = event(
            source="aws.mediaconnect",
            detail_type=item.detail_type,
            detail=item.detail,
            resources=[self._flow_arn, *self._part(item)],
            time=self._scenario.at(minute),
            region=self._region,
        )
        lost = "aws.mediaconnect" in LOST
        text = f"{item.detail_type}: {json.dumps(item.detail, sort_keys=True)}{' (lost)' if lost else ''}"
        self._note(minute, "event", text, detail_type=item.detail_type, detail=item.detail, lost=lost)
        self._follow(minute, deliver(told, region=self._region))

    def _alert(self, detail: Mapping[str, Any]) -> None:
        """DescribeFlow shows an alert as long as it lasts, whatever comes of its event."""
        key = str(detail.get("error-id") or detail.get("error-code") or "")
        if detail.get("errored"):
            mediaconnect_messages.raise_error(self._flow_arn, key, str(detail.get("error-message", key)))
        else:
            mediaconnect_messages.clear_error(self._flow_arn, key)

    def _part(self, item: Event) -> list[str]:
        """The ARN of the source or output that an event is about."""
        if item.source is not None:
            return [_named(source_arns(self._flow_arn), item.source)]
        return [_named(_output_arns(self._flow_arn), item.output)] if item.output is not None else []

    def _minute_ends(self, minute: int) -> None:
        """Alarms are evaluated, and the schedule that fell due is fired."""
        now = self._scenario.at(minute)
        self._alarms(minute)
        self._hear(minute)
        if "schedule" not in self._lost:
            self._look(minute, now)
        service_metrics.count_waiting(self._region, now, prefix=self._names.prefix)

    def _alarms(self, minute: float, *, within_minute: bool = False) -> None:
        """Alarms are evaluated, and what comes of a change is waited for."""
        now = self._scenario.at(minute)
        for watched in (f"{self._names.alarm(self._flow.name, '')}", f"{self._names.self_monitoring_alarm('')}"):
            for change in changes(
                now, region=self._region, prefix=watched, within_minute=within_minute, beyond=self._beyond
            ):
                self._note(
                    minute,
                    "alarm",
                    f"{change.alarm_name}: {change.before} -> {change.after}",
                    name=change.alarm_name,
                    before=change.before,
                    after=change.after,
                )
                self._follow(minute, change.deliveries)

    def _look(self, minute: int, now: datetime, *, minutes: int = 1) -> None:
        """Fire the schedule for the minutes before now."""
        mine = f"{self._names.schedule_group}/{self._names.schedule(self._flow.name)}"
        for fired in fire_schedules(now - timedelta(minutes=minutes), now, region=self._region, name=mine):
            self._note(minute, "schedule", f"{self._flow.name} is looked at", name=fired.schedule)
            if fired.execution_arn:
                self._wait(minute, fired.execution_arn)

    def _follow(self, minute: float, deliveries: Sequence[Delivery]) -> None:
        """What came of an event: executions, or dead letters."""
        service_metrics.count_deliveries(deliveries, self._scenario.at(minute), region=self._region)
        for delivery in deliveries:
            if delivery.execution_arn:
                self._wait(minute, delivery.execution_arn)
            else:
                text = f"not delivered by {delivery.rule}: {delivery.error}"
                self._note(minute, "event", text, rule=delivery.rule, error=delivery.error)

    def _wait(self, minute: float, execution_arn: str) -> None:
        ended = wait_for(execution_arn)
        self._note(
            minute,
            "execution",
            _path(ended),
            id=ended.arn,
            status=ended.status,
            states=list(ended.states),
            failures=[{"state": failure.state, "error": failure.error} for failure in ended.failures],
        )
        ran = [run for run in INVOCATIONS[self._runs :] if _execution_of(run) == execution_arn]
        self._runs = len(INVOCATIONS)
        for run in ran:
            self._note(
                minute,
                "function",
                f"{run.function_name}: {_calls(run) or 'no call'}{' and failed' if run.failed else ''}",
                name=run.function_name,
                failed=run.failed,
                seconds=round(run.seconds, 3),
                calls=[f"{call.service}:{call.operation}{' refused' if call.refused else ''}" for call in run.calls],
            )
        service_metrics.count_execution(ended, ran, self._scenario.at(minute))
        self._hear(minute)

    def _hear(self, minute: float) -> None:
        """The messages published since the last time."""
        new = published(region=self._region, since=self._heard)
        self._heard += len(new)
        for message in new:
            told = Notification.of(
                minute, message.message, message.subject, message.attributes, message.recipients, texts=message.texts
            )
            self._result.notifications.append(told)
            to = ", ".join(told.recipients) or "nobody"
            self._note(
                minute,
                "message",
                f"{told.subject} -> {to}",
                subject=told.subject,
                severity=told.severity,
                recipients=list(told.recipients),
            )
            service_metrics.count_message(message, self._scenario.at(minute))


def source_arns(flow_arn: str) -> dict[str, str]:
    """ARN by name of each source of a flow, the primary one first."""
    flow = _flow(flow_arn)
    listed = {source["name"]: source["sourceArn"] for source in [flow.source, *flow.sources] if source}
    return {str(name): str(arn) for name, arn in listed.items()}


def _output_arns(flow_arn: str) -> dict[str, str]:
    return {str(output["name"]): str(output["outputArn"]) for output in _flow(flow_arn).outputs}


def _flow(flow_arn: str) -> Any:
    region = flow_arn.split(":")[3]
    return mediaconnect_backends[ACCOUNT_ID][region]._flows[flow_arn]  # noqa: SLF001  DescribeFlow would let it settle


def _named(arns: dict[str, str], wanted: str | int) -> str:
    """An ARN by name, or counted from 1."""
    return list(arns.values())[wanted - 1] if isinstance(wanted, int) else arns[wanted]


def _execution_of(run: Invocation) -> str:
    return str(run.event.get("execution", "")) if isinstance(run.event, dict) else ""


def _calls(run: Invocation) -> str:
    """What a function asked AWS for, each call once with how often."""
    names = [f"{call.service}:{call.operation}{' refused' if call.refused else ''}" for call in run.calls]
    return ", ".join(_times(name, names.count(name)) for name in dict.fromkeys(names))


def _times(name: str, count: int) -> str:
    return name if count == 1 else f"{count} {name}"


def _path(execution: Execution) -> str:
    failed = _failures(execution)
    cause = f" ({execution.cause})" if execution.cause else ""
    return f"{execution.status}: {' > '.join(execution.states)}{cause}{f'; {failed}' if failed else ''}"


def _failures(execution: Execution) -> str:
    words = [f"{failure.state} met {failure.error}" for failure in execution.failures]
    return ", ".join(
        f"{word}{'' if words.count(word) == 1 else f' {words.count(word)} times'}" for word in _once(words)
    )


def _once(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
