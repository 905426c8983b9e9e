"""Scenarios: what happens to a flow minute by minute, and which messages must follow. Pure.

`reading` reads the file, `assignment` decides on which flow it is played, and `run` plays it.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    model_validator,
)

from settings import OperatorError, Severity
from tools.rehearsal.metrics import known

Kind = Literal[
    "opened",
    "escalated",
    "reminded",
    "recovered",
    "flow-stopped",
    "flow-started",
    "maintenance",
    "blind",
    "chain-alarm",
    "metrics-late",
    "metrics-recovered",
    "none",
]
Minute = Annotated[float, Field(ge=0)]
SourceMetadata = Literal["present", "absent", "unavailable"]
# As in `tools.local_aws.faults`, which would load all of moto.
Target = Literal[
    "stream_monitor",
    "alert_handler",
    "sns",
    "dynamodb",
    "cloudwatch",
    "mediaconnect",
    "ssm",
    "sqs",
    "eventbridge",
    "subscriber",
]
Error = Literal["throttled", "timeout", "crash", "access-denied"]
Resource = Literal["key", "topic_policy", "self_monitoring_topic_policy"]
"""Deployed resources that a fault can break: the environment's key, and the policies of its two topics."""
Broken = Literal["disabled", "pending-deletion", "statement-deleted", "denied"]
BREAKS: Final[Mapping[str, tuple[str, ...]]] = {
    "key": ("disabled", "pending-deletion", "statement-deleted"),
    "topic_policy": ("statement-deleted", "denied"),
    "self_monitoring_topic_policy": ("statement-deleted", "denied"),
}
"""How each of them can be broken; done by `tools.local_aws.resource_faults`."""
Silent = Literal["flow_events", "alarm_events", "schedule"]
"""What can only be lost: MediaConnect's own events, those of alarms, and scheduled checks."""
SILENT: Final = get_args(Silent)
ERRORS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(get_args(Target), get_args(Error)),
    "eventbridge": (*get_args(Error), "lost"),
    **dict.fromkeys(SILENT, ("lost",)),
    **BREAKS,
    "metrics": ("late",),
}
"""How each target of a fault can fail."""

LATEST: Final = 3600
"""Seconds. The most by which `lateness` delays a datapoint; a fault of `metrics` delays longer."""
LATENESS_NEEDED: Final = f"use seconds from 0 to {LATEST}, or {{ min = ..., max = ..., seed = ... }} for random ones"


PRESENCE: Final = ("SourceBitRate", "SourceConnected", "SourceTotalPackets")
"""Metrics that are zero where a source sends nothing."""


class ScenarioError(OperatorError):
    """A scenario that cannot be used; the message names file, line, keys and what is allowed."""

    exit_code = 2


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Ramp(_Part):
    """A value that changes evenly from the first datapoint of a phase to its last."""

    start: float = Field(alias="from")
    end: float = Field(alias="to")

    def at(self, part: float) -> float:
        """The value at a part of the phase between 0 and 1."""
        return self.start + (self.end - self.start) * part


def _ramps(given: object) -> tuple[Ramp, ...]:
    """A metric's values, one for each source."""
    values = given if isinstance(given, list) else [given]
    return tuple(_ramp(value) for value in values) if values else _ramp_needed()


def _ramp(value: object) -> Ramp:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Ramp.model_validate({"from": value, "to": value})
    if isinstance(value, dict) and set(value) == {"from", "to"}:
        ends = [value["from"], value["to"]]
        if all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
            return Ramp.model_validate(value)
    return _ramp_needed()[0]


def _ramp_needed() -> tuple[Ramp, ...]:
    raise ValueError("use a number, { from = ..., to = ... } for a ramp, or a list of these with one for each source")


Metric = Annotated[str, AfterValidator(known)]
Values = Annotated[tuple[Ramp, ...], BeforeValidator(_ramps)]


Seconds = Annotated[float, Field(strict=True, ge=0, le=LATEST, allow_inf_nan=False)]


class Lateness(_Part):
    """Seconds from the end of a period to its datapoint's arrival; random if they differ."""

    least: Seconds = Field(alias="min")
    most: Seconds = Field(alias="max")
    seed: Annotated[int, Field(strict=True)]

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.most < self.least:
            raise ValueError(f"max is {self.most:g}, which is less than min, {self.least:g}")
        return self

    def seconds(self, series: str, minute: int) -> float:
        """The lateness of the datapoints of a series in a minute; the same in every process."""
        digest = hashlib.sha256(f"{self.seed} {minute} {series}".encode()).digest()
        return self.least + (self.most - self.least) * int.from_bytes(digest[:6]) / 2**48


def _lateness(given: object) -> object:
    if isinstance(given, dict | Lateness):
        return given
    if isinstance(given, int | float) and not isinstance(given, bool):
        return {"min": given, "max": given, "seed": 0}
    raise ValueError(LATENESS_NEEDED)


class Phase(_Part):
    """The flow's status and metrics from this minute until the next phase.

    Each metric has one datapoint a minute. A list has one value for each source: the flow's own metric carries both,
    and each source's its own. `source_metadata` is what DescribeFlowSourceMetadata answers; without it, what fits the
    metrics.
    """

    minute: int = Field(ge=0)
    status: Literal["STANDBY", "STARTING", "ACTIVE", "STOPPING", "UPDATING", "ERROR"] = "ACTIVE"
    metrics: dict[Metric, Values] = {}
    source_metadata: SourceMetadata | None = None


class Event(_Part):
    """An event of MediaConnect at this minute, with `every` repeated until `until`.

    `source` and `output` are what it is about, by name or counted from 1.
    """

    minute: Minute
    detail_type: str = Field(alias="detail-type", pattern=r"^MediaConnect \S.*$")
    detail: dict[str, Any]
    source: str | Annotated[int, Field(ge=1, le=2)] | None = None
    output: str | Annotated[int, Field(ge=1)] | None = None
    every: Annotated[float, Field(gt=0)] | None = None
    until: Minute | None = None

    @model_validator(mode="after")
    def _repeats(self) -> Self:
        if (self.every is None) is not (self.until is None):
            raise ValueError("a repeating event needs both every and until")
        return self

    @property
    def minutes(self) -> list[float]:
        """When it is delivered."""
        if self.every is None or self.until is None:
            return [self.minute]
        times = math.floor((self.until - self.minute) / self.every + 1e-9) + 1
        return [round(self.minute + self.every * number, 6) for number in range(times)]


class Fault(_Part):
    """Part of the monitoring fails from this minute until before another."""

    start: Minute = Field(default=0, alias="from")
    until: Minute
    target: Target | Silent | Resource | Literal["metrics"]
    error: Error | Broken | Literal["lost", "late"]

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.until <= self.start:
            raise ValueError(f"ends at minute {self.until:g}, which is not after its start at minute {self.start:g}")
        if self.error not in ERRORS_OF[self.target]:
            fitting = [target for target, errors in ERRORS_OF.items() if self.error in errors]
            raise ValueError(
                f"{self.target} can only be {_or(ERRORS_OF[self.target])}, not {self.error}; "
                f"{_or(fitting)} can be {self.error}"
            )
        return self


def _or(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


class Needs(_Part):
    """What a flow must have for a scenario, besides the sources that the scenario names."""

    on_air: Literal["always", "manual"] | None = None
    sources: Annotated[int, Field(ge=1, le=2)] | None = None
    metrics: tuple[Metric, ...] = ()


class Expectation(_Part):
    """A message that must be sent; or none in a span, of any kind ("none") or one (count 0)."""

    kind: Kind
    severity: Severity = "INFO"
    start: Minute = Field(default=0, alias="from")
    until: Minute | None = None
    by: Minute | None = None
    count: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.by is not None and self.until is not None:
            raise ValueError("by and until mean the same: use one of them")
        if self.end < self.start:
            raise ValueError(f"ends at minute {self.end:g}, before its start at minute {self.start:g}")
        if self.kind == "none" and self.count is not None:
            raise ValueError('kind "none" allows no message at all: remove count')
        return self

    @property
    def end(self) -> float:
        """The last minute that counts."""
        return next((limit for limit in (self.by, self.until) if limit is not None), math.inf)

    def words(self) -> str:
        """The expectation in words."""
        span = (
            f"between minute {self.start:g} and {self.end:g}"
            if self.end < math.inf
            else f"from minute {self.start:g} on"
        )
        if self.kind == "none":
            return f"no message of {self.severity} or worse {span}"
        if self.count == 0:
            return f"no message of kind {self.kind}, {self.severity} or worse, {span}"
        bound = f", and no more than {self.count} of them in all" if self.count else ""
        return f"a message of kind {self.kind}, {self.severity} or worse, {span}{bound}"


def _in_order(phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
    minutes = [phase.minute for phase in phases]
    if not minutes:
        raise ValueError("at least one phase is required: [[phase]] with minute = 0")
    if minutes[0]:
        raise ValueError(f"the first phase must start at minute 0, not {minutes[0]}")
    if sorted(set(minutes)) != minutes:
        raise ValueError(f"each phase must start later than the one before; they start at {minutes}")
    return phases


def _some(expectations: tuple[Expectation, ...]) -> tuple[Expectation, ...]:
    if not expectations:
        raise ValueError('at least one expectation is required: [[expect]]; kind = "none" expects no message')
    return expectations


class Scenario(_Part):
    """One incident."""

    title: Annotated[str, Field(min_length=1)]
    environment: str = "dev"
    flow: str
    start: AwareDatetime
    lateness: Annotated[Lateness, BeforeValidator(_lateness)] = Lateness(min=0, max=0, seed=0)
    needs: Needs = Needs()
    phases: Annotated[tuple[Phase, ...], AfterValidator(_in_order)] = Field(alias="phase")
    events: tuple[Event, ...] = Field(default=(), alias="event")
    faults: tuple[Fault, ...] = Field(default=(), alias="fault")
    expectations: Annotated[tuple[Expectation, ...], AfterValidator(_some)] = Field(alias="expect")

    _name: str = PrivateAttr(default="")
    _places: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of its file."""
        return self._name

    def named(self, name: str, places: Mapping[str, str]) -> Self:
        """Itself, with the name of its file, and the file and line of its top-level keys."""
        self._name, self._places = name, places
        return self

    def place(self, key: str) -> str:
        """File and line of a top-level key."""
        return self._places.get(key, self._name)

    @property
    def minutes(self) -> int:
        """How long it is played: until the last thing that happens or is expected."""
        moments: list[float] = [phase.minute + 1 for phase in self.phases]
        moments += [event.minutes[-1] for event in self.events]
        moments += [fault.until for fault in self.faults]
        moments += [limit for item in self.expectations for limit in (item.by, item.until) if limit is not None]
        return math.ceil(max(moments))

    @property
    def sources(self) -> int:
        """How many sources its flow must have; 0 if any number fits."""
        listed = [len(values) for phase in self.phases for values in phase.metrics.values()]
        counted = [event.source for event in self.events if isinstance(event.source, int)]
        most = max([*listed, *counted], default=0)
        return self.needs.sources or (most if most > 1 else 0)

    def at(self, minute: float) -> datetime:
        """The moment of a minute of the scenario."""
        return self.start + timedelta(minutes=minute)

    def phase_at(self, minute: float) -> Phase:
        """The phase of a minute."""
        return max((phase for phase in self.phases if phase.minute <= minute), key=lambda phase: phase.minute)

    def values_at(self, minute: float) -> dict[str, tuple[float, ...]]:
        """The datapoints of a moment: for each metric one value, or one for each source."""
        phase = self.phase_at(minute)
        end = next((later.minute for later in self.phases if later.minute > phase.minute), self.minutes)
        part = min(1, (minute - phase.minute) / max(1, end - 1 - phase.minute))  # its last minute keeps its last value
        return {name: tuple(round(ramp.at(part), 6) for ramp in ramps) for name, ramps in phase.metrics.items()}

    def source_metadata_at(self, minute: float) -> SourceMetadata:
        """What DescribeFlowSourceMetadata answers: as the phase says, or else as its metrics imply."""
        phase, values = self.phase_at(minute), self.values_at(minute)
        if phase.source_metadata:
            return phase.source_metadata
        signs = [value for name in PRESENCE if name in values for value in values[name]]
        return "present" if any(signs) or (values and not signs) else "absent"

    def arrival(self, series: str, minute: float, period: int) -> datetime:
        """When the datapoint of a period arrives.

        Args:
            series: metric and dimension, as a key of the random lateness.
            minute: when the period starts.
            period: seconds.
        """
        late_by = period + self.lateness.seconds(series, math.floor(minute))
        moment = self.at(minute) + timedelta(seconds=late_by)
        outages = sorted((fault for fault in self.faults if fault.error == "late"), key=lambda fault: fault.start)
        for outage in outages:
            if self.at(outage.start) <= moment < self.at(outage.until):
                moment = self.at(outage.until)
        return moment

    def events_in(self, minute: int) -> Iterator[tuple[float, Event]]:
        """The events of a minute with their moments, in their order."""
        due = [(moment, event) for event in self.events for moment in event.minutes if minute <= moment < minute + 1]
        yield from sorted(due, key=lambda item: item[0])
