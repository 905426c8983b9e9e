"""Explain pydantic's validation errors: where, which value, what is allowed instead."""

import difflib
from collections.abc import Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from settings.model import Environment
from settings.renamed import replacement

Location = tuple[str | int, ...]


def explained(error: ErrorDetails, raw: dict[str, Any]) -> tuple[Location, str | None, str]:
    """Location, value and rule of an error that pydantic reports of `raw`."""
    location = _untagged(error["loc"], raw)
    kind = error["type"]
    if kind == "union_tag_not_found":
        return (*location, "protocol"), None, "is required"
    if kind == "union_tag_invalid":
        protocol = value_at(raw, location)["protocol"]
        return (*location, "protocol"), shown(protocol), f"use {_either(error['ctx']['expected_tags'])}"
    if kind == "missing":
        return location, None, _needed(location, raw)
    if kind == "extra_forbidden":
        return _unknown(location, error["input"], raw)
    return location, shown(error["input"]), _rule(error)


def innermost(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Drop errors that only say that something inside them is wrong."""
    places = [tuple(error["loc"]) for error in errors]
    return [
        error
        for error, place in zip(errors, places, strict=True)
        if not any(other != place and other[: len(place)] == place for other in places)
    ]


def key_of(location: Location, raw: dict[str, Any]) -> str:
    """A location as a dotted key: flows by name, other list entries counted from one."""
    words: list[str] = []
    for depth, step in enumerate(location):
        if not isinstance(step, int):
            words.append(step if step != "[key]" else "(name)")
        elif location[:depth] == ("flows",) and exists(raw, (*location[: depth + 1], "name")):
            words.append(str(value_at(raw, (*location[: depth + 1], "name"))))
        else:
            words[-1] += f" #{step + 1}"
    return ".".join(words)


def shown(value: object) -> str | None:
    """A value as written in TOML; "a table" or "a list" for those."""
    if value is None or isinstance(value, dict | list | tuple):
        return None if value is None else f"a {'table' if isinstance(value, dict) else 'list'}"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def exists(raw: Any, location: Location) -> bool:
    """Whether there is a value at a location."""
    try:
        value_at(raw, location)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def value_at(raw: Any, location: Location) -> Any:
    """The value at a location."""
    for step in location:
        raw = raw[step]
    return raw


def _untagged(location: Location, raw: Any) -> Location:
    """A location without the protocol that pydantic inserts after each source and output."""
    kept: list[str | int] = []
    tagged = True
    for step in location:
        if not tagged and isinstance(raw, dict) and step == raw.get("protocol"):
            tagged = True
            continue
        kept.append(step)
        raw = raw[step] if exists(raw, (step,)) else None
        tagged = False
    return tuple(kept)


def _needed(location: Location, raw: dict[str, Any]) -> str:
    """Say that a setting is missing, and what its protocol needs it for."""
    model, _ = _models(location[:-1], raw)
    what = model.model_fields[str(location[-1])].description
    return f"is missing; {value_at(raw, location[:-1])['protocol']} needs {what}" if what else "is required"


def _unknown(location: Location, value: object, raw: dict[str, Any]) -> tuple[Location, str | None, str]:
    """Explain a key that is not a setting, or not one of this protocol."""
    model, others = _models(location[:-1], raw)
    key = str(location[-1])
    if having := [name for other in others if key in other.model_fields for name in _protocols(other)]:
        protocol = value_at(raw, location[:-1])["protocol"]
        rule = f"{protocol} has none; leave it out, or use a protocol that has it: {_either(', '.join(having))}"
        return location, shown(value), rule
    known = sorted(model.model_fields)
    near = replacement(key, known) or next(iter(difflib.get_close_matches(key, known, n=1)), None)
    hint = f"did you mean {near}? " if near else ""
    return location, None, f"is not a setting; {hint}Allowed here: {', '.join(known)}"


def _rule(error: ErrorDetails) -> str:
    """What is allowed instead of a wrong value."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"use {context['expected']}"
    return f"should be {error['msg'].removeprefix('Input should be ').removeprefix('Value should be ')}"


def _either(values: str) -> str:
    """A list with "or" before its last value."""
    return " or ".join(values.rsplit(", ", 1))


def _models(location: Location, raw: dict[str, Any]) -> tuple[type[BaseModel], list[type[BaseModel]]]:
    """The model at a location, chosen by the protocol there, and all models that are possible."""
    models: list[type[BaseModel]] = [Environment]
    is_name = False
    for step in location:
        fields = [model.model_fields[step] for model in models if step in model.model_fields]
        if isinstance(step, int) or is_name or not fields:
            is_name = False
            continue
        models = [model for field in fields[:1] for model in _models_in(field.annotation)]
        is_name = get_origin(fields[0].annotation) is dict
    if len(models) == 1:
        return models[0], models
    protocol = value_at(raw, location)["protocol"]
    return next(model for model in models if protocol in _protocols(model)), models


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _protocols(model: type[BaseModel]) -> tuple[str, ...]:
    """The source or output protocols that a model is for."""
    return get_args(model.model_fields["protocol"].annotation) if "protocol" in model.model_fields else ()
