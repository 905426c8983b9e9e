"""The timeline of a rehearsal and its messages. Pure data, shown by `show` and `report`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from settings import WORST_FIRST
from tools.rehearsal.assignment import Assignment
from tools.rehearsal.evidence import Evidence
from tools.rehearsal.scenario import Expectation

Kind = Literal["stream", "fault", "alarm", "event", "schedule", "execution", "function", "message"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing that happened at a minute of the scenario: in words, and as facts for programs."""

    minute: float
    kind: Kind
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As in the JSON of a run."""
        return {"minute": self.minute, "kind": self.kind, "text": self.text, **self.facts}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A published message and its recipients. `texts` are those of protocols with their own."""

    minute: float
    kind: str
    severity: str
    subject: str
    text: str
    recipients: Sequence[str]
    texts: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(
        minute: float,
        message: str,
        subject: str,
        attributes: Mapping[str, str],
        to: Sequence[str],
        *,
        texts: Mapping[str, str] | None = None,
    ) -> "Notification":
        """From a published message; self-monitoring alarms carry no attributes."""
        return Notification(
            minute=minute,
            kind=attributes.get("kind", "chain-alarm"),
            severity=attributes.get("severity", "CRITICAL"),
            subject=subject,
            text=message,
            recipients=tuple(to),
            texts=dict(texts or {}),
        )

    def as_json(self) -> dict[str, Any]:
        """As in the JSON of a run."""
        return {
            "minute": self.minute,
            "kind": self.kind,
            "severity": self.severity,
            "subject": self.subject,
            "text": self.text,
            "recipients": list(self.recipients),
            "texts": dict(self.texts),
        }


@dataclass(slots=True)
class Result:
    """A scenario that was played: its timeline, messages and missed expectations.

    `seconds` is real time. `evidence` is what a report draws beside the timeline.
    """

    assignment: Assignment
    timeline: list[Moment] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    seconds: float = 0
    evidence: Evidence | None = None

    @property
    def missed(self) -> list[str]:
        """Expectations that do not hold, with what was seen instead."""
        wanted = self.assignment.scenario.expectations
        return [line for item in wanted if (line := missed(item, self.notifications))]

    @property
    def passed(self) -> bool:
        """Whether every expectation holds."""
        return not self.missed

    @property
    def delivered(self) -> list[Notification]:
        """The messages that somebody received."""
        return [message for message in self.notifications if message.recipients]

    def as_json(self) -> dict[str, Any]:
        """As in the JSON of a run."""
        return {
            "name": self.assignment.scenario.name,
            "title": self.assignment.scenario.title,
            "environment": self.assignment.environment,
            "flow": self.assignment.flow.name,
            "start": self.assignment.scenario.start.isoformat(),
            "passed": self.passed,
            "seconds": round(self.seconds, 3),
            "notifications": [message.as_json() for message in self.notifications],
            "timeline": [moment.as_json() for moment in self.timeline],
            "missed": self.missed,
        }


def missed(wanted: Expectation, sent: Sequence[Notification]) -> str | None:
    """What is wrong with the messages, as a sentence; None if the expectation holds.

    A message that reaches nobody counts as not sent.
    """
    bad_enough = WORST_FIRST[: WORST_FIRST.index(wanted.severity) + 1]
    fitting = [
        message
        for message in sent
        if message.recipients and message.severity in bad_enough and wanted.start <= message.minute <= wanted.end
    ]
    if wanted.kind == "none":
        return _unlike(wanted, fitting) if fitting else None
    if wanted.count == 0:
        of_kind = [message for message in fitting if message.kind == wanted.kind]
        return _unlike(wanted, of_kind) if of_kind else None
    in_all = [message for message in sent if message.recipients and message.kind == wanted.kind]
    held = any(message.kind == wanted.kind for message in fitting)
    if held and (wanted.count is None or len(in_all) <= wanted.count):
        return None
    return _unlike(wanted, in_all if held else sent)


def _unlike(wanted: Expectation, found: Sequence[Notification]) -> str:
    seen = "; ".join(
        f"minute {message.minute:g}: {message.kind} {message.severity}"
        + ("" if message.recipients else " to nobody: no subscription lets it through")
        for message in found
    )
    return f"expected {wanted.words()}; seen {seen or 'no message'}"
