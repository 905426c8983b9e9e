"""Retired names of settings, and their replacements. Add a row here when a setting is renamed.

A retired name works, with a warning, until the release that its row names. With that release, empty `removed_in`: the
name is refused, and the error still suggests the new one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from settings.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """A retired name and its replacement, both of the tables at `place`, such as `("flows", "source")`."""

    place: tuple[str, ...] = ()
    old: str
    new: str
    removed_in: str


RENAMED: Final = (Renamed(old="function_concurrency", new="reserved_concurrency", removed_in="1.0.0"),)


def rename(raw: dict[str, Any], file: str, renamed: Sequence[Renamed] = RENAMED) -> tuple[list[str], list[Problem]]:
    """Replace retired names in `raw`; returns a warning for each, and a problem where both names are given."""
    warnings, problems = [], []
    for row in renamed:
        for key, table in _tables(raw, row.place):
            if not row.removed_in or row.old not in table:
                continue
            old, new = key + row.old, key + row.new
            if row.new in table:
                rule = f"is the old name of {new}, which is given too; remove {row.old}"
                problems.append(Problem(place=file, key=old, value=None, rule=rule))
            else:
                table[row.new] = table[row.old]
                until = f"The old name stops working in release {row.removed_in}: rename it."
                warnings.append(f"{file}: {old} is now called {new}. {until}")
            del table[row.old]
    return warnings, problems


def replacement(key: str, allowed: Sequence[str]) -> str | None:
    """The new name of a retired one, if it is among those that are allowed."""
    return next((row.new for row in RENAMED if row.old == key and row.new in allowed), None)


def _tables(raw: Any, place: tuple[str, ...], key: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The tables at a place, through lists, each with the key that precedes its settings."""
    if isinstance(raw, list):
        for number, part in enumerate(raw, start=1):
            name = part.get("name", f"#{number}") if isinstance(part, dict) else f"#{number}"
            yield from _tables(part, place, f"{key}{name}.")
    elif isinstance(raw, dict) and place:
        yield from _tables(raw.get(place[0]), place[1:], f"{key}{place[0]}.")
    elif isinstance(raw, dict):
        yield key, raw
