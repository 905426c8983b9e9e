"""What a report shows besides the timeline: graphs and the workflow. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Point = tuple[float, float]
"""Minute of the scenario, and value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series of a graph."""

    label: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A line across a graph."""

    label: str
    value: float
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A graph: lines and thresholds. `note` says why it is empty or cannot be drawn."""

    title: str
    lines: tuple[Line, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    note: str = ""

    @property
    def empty(self) -> bool:
        """Whether no line has a point."""
        return not any(line.points for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Graphs of the alarmed metrics and of the dashboard, and the state machine."""

    metrics: tuple[Graph, ...]
    dashboard: tuple[Graph, ...]
    definition: Mapping[str, Any]
