"""The deployed state machine as a drawing, with the paths that a scenario took. Pure.

Each state is one layer below the last state that leads to it; states that no execution entered are faint.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from markupsafe import escape

from tools.rehearsal.timeline import Result

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 150, 40, 26, 44, 8
ENDS: Final = {"Succeed": "good", "Fail": "bad"}

Definition = Mapping[str, Any]
Edge = tuple[str, str]


def draw(definition: Definition, result: Result) -> str:
    """The drawing as SVG; each state says how often it was entered."""
    paths = [moment.facts["states"] for moment in result.timeline if moment.kind == "execution"]
    entered = Counter(state for path in paths for state in path)
    taken = Counter(edge for path in paths for edge in pairwise(path))
    states: Definition = definition["States"]
    places, (width, height) = _places(definition)
    edges = list(dict.fromkeys((name, to) for name, state in states.items() for to in _following(state)))
    parts = [_edge(edge, places, taken[edge]) for edge in sorted(edges, key=lambda edge: taken[edge] > 0)]
    parts += [_state(name, states[name], places[name], entered[name]) for name in states]
    label = f"State machine: {len(paths)} execution(s)"
    return (
        f'<svg class="workflow" viewBox="0 0 {width} {height}" role="img" aria-label="{label}"'
        f' style="max-width:{width}px">{"".join(parts)}</svg>'
    )


def _following(state: Definition) -> Iterator[str]:
    """Where a state leads to."""
    for choice in state.get("Choices", ()):
        yield choice["Next"]
    for way in (state.get("Default"), state.get("Next")):
        if way:
            yield way
    for caught in state.get("Catch", ()):
        yield caught["Next"]


def _layers(definition: Definition) -> list[list[str]]:
    """The states by their longest distance from the first, without going in circles."""
    states: Definition = definition["States"]
    depth = {str(definition["StartAt"]): 0}

    def visit(name: str, seen: Sequence[str]) -> None:
        for to in _following(states[name]):
            if to not in seen and depth.get(to, -1) < depth[name] + 1:
                depth[to] = depth[name] + 1
                visit(to, [*seen, to])

    visit(str(definition["StartAt"]), [str(definition["StartAt"])])
    rows: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in states:
        rows[depth.get(name, 0)].append(name)
    return rows


def _places(definition: Definition) -> tuple[dict[str, tuple[float, float]], tuple[int, int]]:
    """The middle of each state, and the size of all."""
    rows = _layers(definition)
    widest = max(len(row) for row in rows)
    width = widest * WIDTH + (widest - 1) * GAP_X + 2 * MARGIN
    places = {}
    for depth, row in enumerate(rows):
        left = (width - len(row) * WIDTH - (len(row) - 1) * GAP_X) / 2
        for index, name in enumerate(row):
            x = left + index * (WIDTH + GAP_X) + WIDTH / 2
            places[name] = (x, MARGIN + depth * (HEIGHT + GAP_Y) + HEIGHT / 2)
    return places, (width, len(rows) * (HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN)


def _edge(edge: Edge, places: Mapping[str, tuple[float, float]], times: int) -> str:
    (x1, y1), (x2, y2) = (places[name] for name in edge)
    start, end = y1 + HEIGHT / 2, y2 - HEIGHT / 2 - 5
    # A longer way bends outward, so that it does not run through what lies between.
    bend = 0 if y2 - y1 <= HEIGHT + GAP_Y else (70 if x1 <= x2 else -70)
    curve = f"M{x1:g},{start:g} C{x1 + bend:g},{start + 30:g} {x2 + bend:g},{end - 30:g} {x2:g},{end:g}"
    tip = f"M{x2 - 4:g},{end:g} L{x2 + 4:g},{end:g} L{x2:g},{end + 5:g} Z"
    kind = "edge taken" if times else "edge"
    return f'<g class="{kind}"><path class="way" d="{curve}"/><path class="tip" d="{tip}"/></g>'


def _state(name: str, state: Definition, place: tuple[float, float], times: int) -> str:
    x, y = place
    kind = f"state {ENDS.get(str(state['Type']), '')} {'taken' if times else ''}"
    count = f'<text class="times" x="{x:g}" y="{y + 13:g}">{times}x</text>' if times else ""
    corner = f'x="{x - WIDTH / 2:g}" y="{y - HEIGHT / 2:g}"'
    return (
        f'<g class="{kind}"><rect {corner} width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
        f'<text x="{x:g}" y="{y - 1 if times else y + 4:g}">{escape(name)}</text>{count}</g>'
    )
