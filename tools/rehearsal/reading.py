"""Reads scenario files; all errors are reported together, with line and key."""

import difflib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tools.rehearsal.scenario import Event, Expectation, Fault, Lateness, Needs, Phase, Scenario, ScenarioError

LIBRARY: Final = Path(__file__).resolve().parent / "scenarios"
PARTS: Final[dict[str, type[BaseModel]]] = {
    "phase": Phase,
    "event": Event,
    "fault": Fault,
    "expect": Expectation,
    "needs": Needs,
    "lateness": Lateness,
}


def shipped() -> list[str]:
    """The names of the scenarios of the library."""
    return sorted(path.stem for path in LIBRARY.glob("*.toml"))


def find_scenario(name: str) -> Path:
    """The file of a scenario given by its path or by the name of a shipped one."""
    path = LIBRARY / f"{name}.toml"
    return path if path.is_file() else Path(name)


def load_scenarios(names: Sequence[str]) -> list[Scenario]:
    """Read scenarios given by path or by name, or without any all that are shipped.

    Raises:
        ScenarioError: with every error in every file.
    """
    loaded, problems = [], []
    for name in names or shipped():
        try:
            loaded.append(load_scenario(find_scenario(name)))
        except ScenarioError as error:
            problems.append(str(error))
    if problems:
        raise ScenarioError("\n".join(problems))
    return loaded


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        ScenarioError: with every error in the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
        given = tomllib.loads(text)
        places = {key: f"{path}:{line_of(text, (key,))}" for key in given}
        return Scenario.model_validate(given).named(path.stem, places)
    except OSError as error:
        near = difflib.get_close_matches(path.stem.lower().replace("-", "_"), shipped(), n=3, cutoff=0.5)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise ScenarioError(
            f"{path} cannot be read ({error.strerror}).{hint} Shipped scenarios: {', '.join(shipped())}."
        ) from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path} is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        raise ScenarioError("\n".join(_lines(path, text, error))) from error


def _lines(path: Path, text: str, error: ValidationError) -> list[str]:
    """Each error once, in the order of the file."""
    found: dict[tuple[int, tuple[int | str, ...]], ErrorDetails] = {}
    for mistake in error.errors():
        there = _existing(tomllib.loads(text), mistake["loc"])
        wanted = mistake["loc"][: len(there) + 1] if mistake["type"] == "missing" else there
        found.setdefault((line_of(text, there), wanted), mistake)
    return [
        f"{path}:{line}: {_explained(mistake, location)}"
        for (line, location), mistake in sorted(found.items(), key=lambda item: item[0][0])
    ]


def line_of(text: str, location: Sequence[int | str]) -> int:
    """The line, counted from 1, on which the value at a location starts.

    That is the line after the longest readable part of the file's start that lacks it.
    """
    lines, last = text.splitlines(), 0
    for count in range(1, len(lines) + 1):
        try:
            head = tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue
        if len(_existing(head, location)) == len(location):
            return last + 1
        last = count
    return len(lines)


def _existing(value: Any, location: Sequence[int | str]) -> tuple[int | str, ...]:
    """The part of a location that is in the file; pydantic adds the branches of its unions."""
    for depth, step in enumerate(location):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return tuple(location[:depth])
    return tuple(location)


def _explained(mistake: ErrorDetails, location: Sequence[int | str]) -> str:
    """An error in our words; items of lists are counted from 1."""
    kind, context = mistake["type"], mistake.get("ctx", {})
    key = (
        "".join(f" #{step + 1}" if isinstance(step, int) else f".{step}" for step in location).strip(".") or "the file"
    )
    if kind == "missing":
        return f"{key} is required."
    if kind == "extra_forbidden":
        known = sorted(_keys(location[:-1]))
        near = difflib.get_close_matches(str(location[-1]), known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return f"{key} is not a key of a scenario.{hint} Allowed here: {', '.join(known)}."
    evident = isinstance(mistake["input"], dict | list | tuple) or mistake["input"] == location[-1]
    shown = "" if evident else f" is {_shown(mistake['input'])}"
    if kind == "value_error":
        return f"{key}{shown}: {context['error']}."
    if kind == "timezone_aware":
        return f"{key}{shown}: needs an offset, such as 2026-11-23T20:00:00Z."
    if kind == "literal_error":
        return f"{key}{shown}: use {context['expected']}."
    words = mistake["msg"].removeprefix("Input should be ").removeprefix("Value should be ")
    return f"{key}{shown}: should be {words[:1].lower()}{words[1:]}."


def _keys(location: Sequence[int | str]) -> set[str]:
    model: type[BaseModel] = PARTS.get(str(location[0]), Scenario) if location else Scenario
    return {field.alias or name for name, field in model.model_fields.items()}


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
