"""What happened in a rehearsal, in the order in which it did. Pure data; printing is in `rehearsal.show`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rehearsal.scenario import WORST_FIRST, Expectation, Scenario

Kind = Literal["stream", "alarm", "event", "schedule", "execution", "message"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing that happened at a minute of the scenario."""

    minute: float
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A published message and who gets it."""

    minute: float
    kind: str
    severity: str
    subject: str
    text: str
    recipients: Sequence[str]

    @staticmethod
    def of(
        minute: float, message: str, subject: str, attributes: Mapping[str, str], to: Sequence[str]
    ) -> "Notification":
        """From what was published; alarms on the chain carry no attributes."""
        return Notification(
            minute=minute,
            kind=attributes.get("kind", "chain-alarm"),
            severity=attributes.get("severity", "CRITICAL"),
            subject=subject,
            text=message,
            recipients=tuple(to),
        )


@dataclass(slots=True)
class Result:
    """A scenario that was played: its timeline, its messages, and what was expected and did not come."""

    scenario: Scenario
    timeline: list[Moment] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)

    @property
    def missed(self) -> list[str]:
        """Expectations that do not hold, with what was seen instead."""
        return [line for wanted in self.scenario.expectations if (line := missed(wanted, self.notifications))]

    @property
    def passed(self) -> bool:
        """Whether every expectation holds."""
        return not self.missed


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
        found = fitting
        held = not found
    else:
        found = list(sent)
        held = any(message.kind == wanted.kind for message in fitting)
    if held:
        return None
    seen = "; ".join(
        f"minute {message.minute:g}: {message.kind} {message.severity} to {len(message.recipients)}"
        for message in found
    )
    return f"expected {wanted.words()}; seen {seen or 'no message'}"
