"""What a report shows besides the timeline: graphs and the workflow. Pure data, read by `tools.rehearsal.collect`."""

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
    """A graph: its lines, and the thresholds drawn in. `note` says why it has no data or cannot be drawn."""

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
    """What is deployed, with a scenario's data: a graph for each alarmed metric, the dashboard's, the definition."""

    metrics: tuple[Graph, ...]
    dashboard: tuple[Graph, ...]
    definition: Mapping[str, Any]
