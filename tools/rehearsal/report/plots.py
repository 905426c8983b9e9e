"""The plots of a report as Vega-Lite specifications. Pure.

Metrics, alarms and moments are on one time axis; all plots of a scenario have the same span and the same left edge.
Colours are the page's CSS variables, so that each plot is light or dark with it. Rows are named inside the plot, which
leaves a phone its width.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise, zip_longest
from typing import Any, Final, Literal

from tools.rehearsal.evidence import Graph, Point
from tools.rehearsal.timeline import Moment, Result

Spec = dict[str, Any]

INK, FAINT, GRID = "var(--ink)", "var(--faint)", "var(--grid)"
SEVERITIES: Final = {
    "CRITICAL": "var(--critical)",
    "HIGH": "var(--high)",
    "MEDIUM": "var(--medium)",
    "INFO": "var(--info)",
}
LINES: Final = ("var(--line-1)", "var(--line-2)", "var(--line-3)", "var(--line-4)", "var(--line-5)", "var(--line-6)")
STATES: Final = {"OK": "var(--ok)", "ALARM": "var(--critical)", "INSUFFICIENT_DATA": "var(--unknown)"}
TIME: Final[Spec] = {"field": "time", "type": "temporal"}
"""The time axis of the layers above the first, which styles it."""
LANES: Final = ("faults", "events", "schedule", "executions", "messages")
LANE_OF: Final = {
    "fault": "faults",
    "event": "events",
    "schedule": "schedule",
    "execution": "executions",
    "message": "messages",
}
AMOUNT: Final = "datum.value < 1000 ? format(datum.value, '~g') : format(datum.value, '~s')"
"""8M of 8,000,000, but 0.1 and not 100m."""
ROW: Final = 30
"""Height of a row with its name above the band, in pixels."""

CONFIG: Final[Spec] = {
    "background": None,
    "font": "inherit",
    "view": {"stroke": None},
    "axis": {
        "labelColor": FAINT,
        "titleColor": FAINT,
        "gridColor": GRID,
        "domainColor": GRID,
        "tickColor": GRID,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "labelFont": "inherit",
        "titleFont": "inherit",
        "titleFontWeight": "normal",
    },
    "axisY": {"minExtent": 44, "maxExtent": 44, "tickCount": 3, "domain": False, "ticks": False},
    "axisX": {"grid": True, "tickCount": 6, "labelFlush": True, "labelOverlap": "greedy", "labelSeparation": 8},
    "legend": {
        "labelColor": FAINT,
        "labelFont": "inherit",
        "title": None,
        "offset": 4,
        "labelLimit": 280,
        "symbolType": "stroke",
    },
    "text": {"font": "inherit"},
}


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a scenario takes."""

    start: datetime
    minutes: int

    def ms(self, minute: float) -> int:
        """A minute as Vega counts time."""
        return round((self.start + timedelta(minutes=minute)).timestamp() * 1000)

    def clock(self, minute: float) -> str:
        """A minute as a person reads it."""
        return (self.start + timedelta(minutes=minute)).strftime("%H:%M:%S")

    def axis(self, **more: Any) -> Spec:
        """The time axis."""
        return {
            "field": "time",
            "type": "temporal",
            "scale": {"type": "utc", "domain": [self.ms(0), self.ms(self.minutes)]},
            "axis": {"format": "%H:%M", "title": None, **more},
        }


def _plot(height: int, layers: Sequence[Spec]) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": "container",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"left": 0, "right": 6, "top": 4, "bottom": 0},
        "layer": list(layers),
    }


def metric(graph: Graph, span: Span) -> Spec:
    """The curve of one metric, with the thresholds that its alarms have."""
    return _plot(96, [*_curves(graph, span, legend="top" if len(graph.lines) > 1 else None), *_thresholds(graph, span)])


def widget(graph: Graph, span: Span) -> Spec:
    """A graph of the dashboard with its data; an empty one keeps its axes and says so."""
    layers = [*_curves(graph, span, legend="bottom"), *_thresholds(graph, span)]
    if graph.empty:
        layers.append(
            {
                "data": {"values": [{}]},
                "mark": {"type": "text", "text": "no data", "fontSize": 20, "fontWeight": "bold", "color": FAINT},
            }
        )
    return _plot(130, layers)


def _curves(graph: Graph, span: Span, *, legend: Literal["top", "bottom"] | None) -> Iterator[Spec]:
    values = [
        {"time": span.ms(minute), "clock": span.clock(minute), "value": value, "series": line.label}
        for line in graph.lines
        for minute, value in _with_gaps(line.points)
    ]
    names = [line.label for line in graph.lines]
    yield {
        "data": {"values": values},
        "mark": {"type": "line", "interpolate": "step-after", "point": {"size": 14}, "strokeWidth": 1.8},
        "encoding": {
            "x": span.axis(),
            "y": {
                "field": "value",
                "type": "quantitative",
                "scale": {"zero": True, "nice": True, **({} if values or graph.thresholds else {"domain": [0, 1]})},
                "axis": {"title": None, "labelExpr": AMOUNT},
            },
            "color": {
                "field": "series",
                "type": "nominal",
                "scale": {"domain": names, "range": [LINES[index % len(LINES)] for index in range(len(names))]},
                "legend": legend and {"orient": legend, "direction": "horizontal" if legend == "top" else "vertical"},
            },
            "tooltip": [
                {"field": "clock", "title": "at"},
                {"field": "series", "title": "statistic"},
                {"field": "value", "title": graph.title},
            ],
        },
    }


def _with_gaps(points: Sequence[Point]) -> Iterator[tuple[float, float | None]]:
    """The points, with None for a gap: a metric that vanishes must not seem to continue."""
    step = min((later - earlier for (earlier, _), (later, _) in pairwise(points)), default=1)
    for (minute, value), following in zip_longest(points, points[1:]):
        yield minute, value
        if following and following[0] - minute > 1.5 * step:  # seconds are no round parts of a minute
            yield minute + step, None


def _thresholds(graph: Graph, span: Span) -> Iterator[Spec]:
    if not graph.thresholds:
        return
    values = [
        {
            "value": line.value,
            "label": line.label,
            "colour": SEVERITIES.get(line.severity, FAINT),
            # Thresholds may be close together: their names are side by side.
            "time": span.ms(span.minutes * 0.25 * index),
        }
        for index, line in enumerate(graph.thresholds)
    ]
    colour = {"field": "colour", "type": "nominal", "scale": None}
    y = {"field": "value", "type": "quantitative"}
    yield {
        "data": {"values": values},
        "mark": {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 1.4},
        "encoding": {"y": y, "color": colour, "tooltip": [{"field": "label"}, {"field": "value"}]},
    }
    yield {
        "data": {"values": values},
        "mark": {"type": "text", "align": "left", "baseline": "bottom", "dx": 4, "dy": -2, "fontSize": 10},
        "encoding": {"x": TIME, "y": y, "text": {"field": "label"}, "color": colour},
    }


def alarms(result: Result, span: Span) -> Spec | None:
    """The state of each alarm that left OK, as a band; None if none did."""
    changes: dict[str, list[Moment]] = {}
    for moment in result.timeline:
        if moment.kind == "alarm":
            changes.setdefault(str(moment.facts["name"]), []).append(moment)
    shown = {name: found for name, found in changes.items() if any(moment.facts["after"] != "OK" for moment in found)}
    if not shown:
        return None
    values = [band for name, found in shown.items() for band in _bands(_short(name, result), found, span)]
    return _rows([_short(name, result) for name in shown], values, span)


def _short(name: str, result: Result) -> str:
    prefix = f"media-workflow-{result.assignment.environment}-"
    return name.removeprefix(prefix).removeprefix(f"{result.assignment.flow.name}/")


def _bands(name: str, found: Sequence[Moment], span: Span) -> Iterator[Spec]:
    start, state = 0.0, str(found[0].facts["before"])
    for end, after in [*((moment.minute, str(moment.facts["after"])) for moment in found), (span.minutes, "")]:
        yield {
            "row": name,
            "time": span.ms(start),
            "until": span.ms(end),
            "words": f"{state} from {span.clock(start)} to {span.clock(end)}",
            "colour": STATES[state],
        }
        start, state = end, after


def moments(result: Result, span: Span) -> Spec:
    """Faults, events, checks, executions and messages, each in its row."""
    bands, points = [], []
    for moment in result.timeline:
        row = LANE_OF.get(moment.kind)
        if row == "faults" and moment.facts["error"]:
            bands.append(_fault(moment, result, span))
        elif row and row != "faults":
            points.append(
                {
                    "row": row,
                    "time": span.ms(moment.minute),
                    "words": f"{span.clock(moment.minute)} {moment.text}",
                    "colour": _colour(moment),
                }
            )
    used = {value["row"] for value in [*bands, *points]}
    return _rows([lane for lane in LANES if lane in used], bands, span, points)


def _fault(moment: Moment, result: Result, span: Span) -> Spec:
    target = moment.facts["target"]
    ends = (
        later.minute
        for later in result.timeline
        if later.kind == "fault"
        and later.facts["target"] == target
        and not later.facts["error"]
        and later.minute > moment.minute
    )
    end = next(ends, float(span.minutes))
    return {
        "row": "faults",
        "time": span.ms(moment.minute),
        "until": span.ms(end),
        "words": f"{moment.text} until {span.clock(end)}",
        "colour": "var(--fault)",
    }


def _colour(moment: Moment) -> str:
    facts: Mapping[str, Any] = moment.facts
    if moment.kind == "message":
        return SEVERITIES[str(facts["severity"])] if facts["recipients"] else FAINT
    if moment.kind == "execution":
        return "var(--line-1)" if facts["status"] == "SUCCEEDED" else "var(--critical)"
    lost = facts.get("lost") or facts.get("error")
    return "var(--critical)" if lost else {"event": "var(--line-3)"}.get(moment.kind, FAINT)


def _rows(names: Sequence[str], bands: Sequence[Spec], span: Span, points: Sequence[Spec] = ()) -> Spec:
    """Rows on the time axis, each with its name above: bands, points, or both."""
    places = {name: index * ROW for index, name in enumerate(names)}
    height = len(names) * ROW
    colour = {"field": "colour", "type": "nominal", "scale": None}
    words = {"field": "words", "type": "nominal", "title": "what"}

    def height_of(field: str) -> Spec:
        return {"field": field, "type": "quantitative"}

    def placed(values: Sequence[Spec]) -> list[Spec]:
        return [{**value, "top": places[value["row"]] + 15, "bottom": places[value["row"]] + 27} for value in values]

    labels = [{"row": name, "top": places[name] + 7, "time": span.ms(0)} for name in names]
    layers: list[Spec] = [
        {
            "data": {"values": labels},
            "mark": {"type": "text", "align": "left", "baseline": "middle", "fontSize": 11, "color": INK},
            "encoding": {
                "x": span.axis(),
                "y": {
                    **height_of("top"),
                    "scale": {"domain": [0, height], "nice": False, "zero": False, "reverse": True},
                    "axis": {"labels": False, "title": None, "grid": False},
                },
                "text": {"field": "row"},
            },
        }
    ]
    if bands:
        layers.append(
            {
                "data": {"values": placed(bands)},
                "mark": {"type": "rect", "cornerRadius": 2},
                "encoding": {
                    "x": TIME,
                    "x2": {"field": "until"},
                    "y": height_of("top"),
                    "y2": {"field": "bottom"},
                    "color": colour,
                    "tooltip": [{"field": "row", "title": "row"}, words],
                },
            }
        )
    if points:
        middle = [{**value, "top": value["top"] + 6} for value in placed(points)]
        layers.append(
            {
                "data": {"values": middle},
                "mark": {"type": "point", "filled": True, "size": 60, "opacity": 0.9},
                "encoding": {"x": TIME, "y": height_of("top"), "color": colour, "tooltip": [words]},
            }
        )
    return _plot(height, layers)
