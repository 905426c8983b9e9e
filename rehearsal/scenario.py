"""Scenario files: what happens to a flow minute by minute, and which messages must follow.

Pure. Playing a scenario is `rehearsal.run`'s business.
"""

import math
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

LIBRARY: Final = Path(__file__).resolve().parent / "scenarios"
Severity = Literal["CRITICAL", "HIGH", "MEDIUM", "INFO"]
WORST_FIRST: Final = ("CRITICAL", "HIGH", "MEDIUM", "INFO")
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
    "none",
]
Minute = Annotated[float, Field(ge=0)]


class ScenarioError(ValueError):
    """A scenario file that cannot be used; the message names the file, each key and what is allowed."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Phase(_Part):
    """From this minute until the next phase: the flow's status and one datapoint a minute for each metric."""

    minute: int = Field(ge=0)
    status: Literal["STANDBY", "STARTING", "ACTIVE", "STOPPING", "UPDATING", "ERROR"] = "ACTIVE"
    metrics: dict[str, float] = {}


class Event(_Part):
    """An event of MediaConnect's own, delivered at this minute."""

    minute: Minute
    detail_type: str = Field(alias="detail-type")
    detail: dict[str, Any]


class Expectation(_Part):
    """A message that must be sent, or with kind "none" a span in which none of that severity may be."""

    kind: Kind
    severity: Severity = "INFO"
    start: Minute = Field(default=0, alias="from")
    until: Minute | None = None
    by: Minute | None = None

    @property
    def end(self) -> float:
        """The last minute that counts."""
        return next((limit for limit in (self.by, self.until) if limit is not None), math.inf)

    def words(self) -> str:
        """The expectation as a person would say it."""
        span = f"between minute {self.start:g} and {self.end:g}"
        if self.kind == "none":
            return f"no message of {self.severity} or worse {span}"
        return f"a message of kind {self.kind}, {self.severity} or worse, {span}"


class Scenario(_Part):
    """One incident."""

    title: str
    environment: str = "dev"
    flow: str
    start: AwareDatetime
    phases: tuple[Phase, ...] = Field(alias="phase", min_length=1)
    events: tuple[Event, ...] = Field(default=(), alias="event")
    expectations: tuple[Expectation, ...] = Field(alias="expect", min_length=1)

    @property
    def minutes(self) -> int:
        """How long it takes: until the last thing that happens or is expected."""
        moments: list[float] = [phase.minute + 1 for phase in self.phases]
        moments += [event.minute for event in self.events]
        moments += [limit for item in self.expectations for limit in (item.by, item.until) if limit is not None]
        return math.ceil(max(moments))

    def at(self, minute: float) -> datetime:
        """The moment of a minute of the scenario."""
        return self.start + timedelta(minutes=minute)

    def phase_at(self, minute: int) -> Phase:
        """The phase that holds in a minute."""
        return max((phase for phase in self.phases if phase.minute <= minute), key=lambda phase: phase.minute)

    def events_in(self, minute: int) -> Iterator[Event]:
        """The events of a minute, in their order."""
        yield from sorted(
            (event for event in self.events if minute <= event.minute < minute + 1), key=lambda event: event.minute
        )


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        ScenarioError: with every mistake in the file.
    """
    try:
        scenario = Scenario.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        known = ", ".join(sorted(found.stem for found in LIBRARY.glob("*.toml")))
        raise ScenarioError(f"{path} cannot be read ({error.strerror}); shipped scenarios are: {known}") from error
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        lines = [
            f"{path}: {'.'.join(map(str, mistake['loc']))}: {mistake['msg']}, got {mistake['input']!r}"
            for mistake in error.errors()
        ]
        raise ScenarioError("\n".join(lines)) from error
    if min(phase.minute for phase in scenario.phases) > 0:
        raise ScenarioError(f"{path}: the first phase must begin at minute 0")
    return scenario


def find_scenario(name: str) -> Path:
    """The file of a scenario given by its path or by the name of a shipped one."""
    shipped = LIBRARY / f"{name}.toml"
    return shipped if shipped.is_file() else Path(name)
