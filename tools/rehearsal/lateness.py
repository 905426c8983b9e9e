"""The lateness table: what is notified, and when, while metrics are late. Pure.

`measurement` plays it. A cell has a lateness, a check interval, a protocol and a trial, which is a healthy hour, an
outage or a breached rule.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from components.health_rules import HealthRule, health_rules
from settings import WORST_FIRST, Environment, Flow
from tools.rehearsal.metrics import EMITTED
from tools.rehearsal.scenario import PRESENCE, Scenario
from tools.rehearsal.timeline import Notification

CHECKS: Final = (1, 5)
"""Minutes between two scheduled checks."""
PROTOCOLS: Final = ("rtp", "srt")
LATENESS: Final[Mapping[str, Any]] = {
    **{str(seconds): seconds for seconds in (0, 30, 60, 90, 120, 150, 180, 210, 240)},
    **{f"0..240 #{seed}": {"min": 0, "max": 240, "seed": seed} for seed in (1, 2, 3)},
    **{f"60..180 #{seed}": {"min": 60, "max": 180, "seed": seed} for seed in (1, 2, 3)},
}
START: Final = datetime(2026, 11, 23, 20, tzinfo=UTC)
HOUR: Final = 60
FAULT_AT: Final = 6
"""The minute at which a fault starts: all data before it is healthy, and some of it has arrived."""
WAIT: Final = 15
"""Minutes for which a fault with a target is played beyond the lateness: evaluation periods and a check interval."""
SECOND: Final = 1 / 60
EVENT_TARGET_SECONDS: Final = 5
OUTAGE_TARGET_MINUTES: Final = {"zeros": 2, "silence": 4}
"""Minutes from an outage without an event to its notification, less the lateness."""

HEALTHY: Final[Mapping[str, float]] = {
    **dict.fromkeys(EMITTED, 0.0),
    **dict.fromkeys(
        ("ConnectedOutputs", "OutputConnected", "MergeActive", "SourceConnected", "SourceMergeActive"), 1.0
    ),
    "SourceBitRate": 8e6,
    "SourceJitter": 5.0,
    "SourceLatency": 20.0,
    "SourceRoundTripTime": 30.0,
    "SourceSelected": 1.0,
    "SourceTotalPackets": 60_000.0,
}

Metrics = dict[str, float | list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What a cell shows; `missed` where it has a target and does not meet it."""

    text: str
    missed: bool = False

    def shown(self) -> str:
        """The text, marked where the target is missed."""
        return f"!{self.text}" if self.missed else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The conditions of a trial: a key of `LATENESS`, minutes between checks, and the protocol."""

    lateness: str
    checks: int
    protocol: str

    @property
    def latest(self) -> float:
        """The longest lateness in minutes."""
        given = LATENESS[self.lateness]
        return float(given["max"] if isinstance(given, dict) else given) / 60


Judge = Callable[[Sequence[Notification], Conditions], Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A column of the table: what happens from `FAULT_AT` on, and how it is judged."""

    name: str
    flow: Flow
    judge: Judge
    severity: str = ""
    """Of the incident that must be opened."""
    metrics: Metrics | None = None
    """What the flow emits from `FAULT_AT` on, if something else than before."""
    source_metadata: str | None = None
    event: Mapping[str, Any] | None = None
    outage_minutes: int = 0
    """How long no metric arrives."""

    def scenario(self, conditions: Conditions) -> Scenario:
        """The scenario of a cell."""
        healthy = _healthy(self.flow)
        phases: list[dict[str, Any]] = [{"minute": 0, "metrics": healthy}]
        if self.metrics is not None:
            answer = {"source_metadata": self.source_metadata} if self.source_metadata else {}
            phases.append({"minute": FAULT_AT, "metrics": self.metrics, **answer})
        faults = (
            [{"from": FAULT_AT, "until": FAULT_AT + self.outage_minutes, "target": "metrics", "error": "late"}]
            if self.outage_minutes
            else []
        )
        to_the_end = self.metrics is None or self.source_metadata
        end = HOUR if to_the_end else FAULT_AT + WAIT + conditions.latest
        return Scenario.model_validate(
            {
                "title": self.name,
                "flow": self.flow.name,
                "start": START,
                "lateness": LATENESS[conditions.lateness],
                "phase": phases,
                "event": [self.event] if self.event else [],
                "fault": faults,
                "expect": [{"kind": "none", "until": end}],  # only sets how long it is played
            }
        ).named(self.name, {})


def trials(environment: Environment, protocol: str) -> list[Trial]:
    """The columns of a protocol; rules of two sources are on the flow that has two."""
    flow, pair = (_flow(environment, name) for name in (protocol, f"{protocol}-pair"))
    dead: dict[str, Metrics] = {"zeros": dict.fromkeys(PRESENCE, 0.0), "silence": {}}
    found = [Trial(name="healthy hour", flow=flow, judge=_nothing)]
    found += [
        Trial(name=f"{how}, {name}", flow=flow, judge=_by_event, severity="CRITICAL", metrics=metrics, event=event)
        for name, event in _events(flow).items()
        for how, metrics in dead.items()
    ]
    found += [
        Trial(
            name=how,
            flow=flow,
            judge=partial(_by_metrics, target=OUTAGE_TARGET_MINUTES[how]),
            severity="CRITICAL",
            metrics=metrics,
        )
        for how, metrics in dead.items()
    ]
    found.append(Trial(name="metrics outage", flow=flow, judge=_metrics_late, outage_minutes=10))
    found += [
        Trial(
            name=f"{how}, {answer}",
            flow=flow,
            judge=partial(_by_metrics, target=None),
            severity="CRITICAL",
            metrics=metrics,
            source_metadata=answer,
        )
        for how, metrics in dead.items()
        for answer in ("present", "unavailable")
    ]
    rules = {rule.key: (flow, rule) for rule in health_rules(flow, environment.thresholds_of(flow))}
    for rule in health_rules(pair, environment.thresholds_of(pair)):
        rules.setdefault(rule.key, (pair, rule))
    found += [
        Trial(
            name=key, flow=on, judge=partial(_by_rule, rule=rule), severity=rule.severity, metrics=_breaching(on, rule)
        )
        for key, (on, rule) in rules.items()
    ]
    return found


def conditions(lateness: Sequence[str]) -> list[Conditions]:
    """The rows of all tables, for these keys of `LATENESS`."""
    return [
        Conditions(lateness=one, checks=checks, protocol=protocol)
        for protocol in PROTOCOLS
        for checks in CHECKS
        for one in lateness
    ]


def missed(rows: Mapping[Conditions, Mapping[str, Cell]]) -> int:
    """How many cells miss their target."""
    return sum(cell.missed for cells in rows.values() for cell in cells.values())


def text(rows: Mapping[Conditions, Mapping[str, Cell]]) -> str:
    """The tables for people: one for each protocol and check interval."""
    lines: list[str] = []
    for protocol, checks in dict.fromkeys((row.protocol, row.checks) for row in rows):
        found = {row.lateness: cells for row, cells in rows.items() if (row.protocol, row.checks) == (protocol, checks)}
        lines += ["", f"{protocol.upper()}, a check every {checks} min", ""]
        names = list(next(iter(found.values())))
        for part in (names[: len(names) // 2], names[len(names) // 2 :]):
            lines += [*_aligned(["lateness, s", *part], found, part), ""]
    count = missed(rows)
    of = sum(len(cells) for cells in rows.values())
    verb = "misses its" if count == 1 else "miss their"
    lines.append(f"{count} of {of} cells {verb} target, marked with !." if count else "Every cell meets its target.")
    return "\n".join(lines)


def _aligned(head: list[str], rows: Mapping[str, Mapping[str, Cell]], names: Sequence[str]) -> list[str]:
    table = [head, *([lateness, *(cells[name].shown() for name in names)] for lateness, cells in rows.items())]
    widths = [max(len(line[column]) for line in table) for column in range(len(head))]
    return ["  ".join(value.rjust(width) for value, width in zip(line, widths, strict=True)) for line in table]


def _flow(environment: Environment, name: str) -> Flow:
    return next(flow for flow in environment.flows if flow.name == name)


def _healthy(flow: Flow) -> Metrics:
    return {name: _of_sources(flow, name, value, value) for name, value in HEALTHY.items()}


def _breaching(flow: Flow, rule: HealthRule) -> Metrics:
    """What a flow emits while a rule is breached, of one source if that is enough."""
    if rule.comparison.startswith(("Greater", "Increases")):
        value = 1.5 * rule.threshold or 1.0
    else:
        value = rule.threshold / 2 if rule.threshold > 1 else 0.0
    names = PRESENCE if rule.metric in PRESENCE and not value else (rule.metric,)
    one_is_enough = rule.statistic == "Minimum"
    bad = {name: _of_sources(flow, name, HEALTHY[name] if one_is_enough else value, value) for name in names}
    return _healthy(flow) | bad


def _of_sources(flow: Flow, metric: str, first: float, second: float) -> float | list[float]:
    """One value, or two where a flow has two sources and the metric is of each."""
    return [first, second] if flow.backup_source and metric.startswith("Source") else second


def _events(flow: Flow) -> dict[str, dict[str, Any]]:
    """The events of a source that is lost; each alone is enough."""
    minute, name = FAULT_AT + SECOND, flow.source.name
    health = {"current": {"state": "DISCONNECTED"}, "unhealthy": True}
    words = f"Source {name} Stream Error: Timeout."
    alert = {"errored": True, "error-id": "1", "error-code": "SourceStreamError", "error-message": words}
    return {
        "event": {"minute": minute, "detail-type": "MediaConnect Source Health", "detail": health, "source": 1},
        "alert": {"minute": minute, "detail-type": "MediaConnect Alert", "detail": alert},
    }


def _nothing(sent: Sequence[Notification], _: Conditions) -> Cell:
    """Of a healthy stream: how many false notifications."""
    return Cell(text=str(len(sent)), missed=bool(sent))


def _metrics_late(sent: Sequence[Notification], _: Conditions) -> Cell:
    """Of missing metrics: one notification that they are late, at most one of their return."""
    kinds = [message.kind for message in sent]
    fine = kinds in (["metrics-late"], ["metrics-late", "metrics-recovered"])
    return Cell(text="+".join(kinds) or "nothing", missed=not fine)


def _raised(sent: Sequence[Notification], severity: str) -> float | None:
    """Minutes from the fault to the first notification of an incident of this severity."""
    found = [one.minute for one in sent if one.kind in {"opened", "escalated"} and one.severity == severity]
    return round(found[0] - FAULT_AT, 3) if found else None


def _early(sent: Sequence[Notification]) -> bool:
    return any(message.minute < FAULT_AT for message in sent)


def _by_event(sent: Sequence[Notification], _: Conditions) -> Cell:
    """Of an outage with an event: seconds from the event to the notification."""
    minutes = _raised(sent, "CRITICAL")
    if minutes is None or _early(sent):
        return Cell(text="never" if minutes is None else "early", missed=True)
    seconds = round((minutes - SECOND) * 60, 1)
    return Cell(text=f"{seconds:g} s", missed=not 0 <= seconds <= EVENT_TARGET_SECONDS)


def _by_metrics(sent: Sequence[Notification], conditions: Conditions, *, target: float | None) -> Cell:
    """Of an outage without an event: minutes to the notification, less the lateness."""
    minutes = _raised(sent, "CRITICAL")
    if minutes is None or _early(sent):
        return Cell(text="never" if minutes is None else "early", missed=target is not None)
    beyond = round(minutes - conditions.latest, 2)
    return Cell(text=f"{beyond:g} min", missed=target is not None and beyond > target)


def _by_rule(sent: Sequence[Notification], _: Conditions, *, rule: HealthRule) -> Cell:
    """Of a breached rule: minutes to the notification, of its severity and no worse."""
    minutes = _raised(sent, rule.severity)
    worse = WORST_FIRST[: WORST_FIRST.index(rule.severity)]
    if _early(sent) or any(message.severity in worse for message in sent):
        return Cell(text="false", missed=True)
    return Cell(text="never", missed=True) if minutes is None else Cell(text=f"{minutes:g} min")
