"""Load an environment: file, `cdktf.json` context, environment variables; later ones override earlier ones.

Reads files below `environments/` only. `settings.model` and `settings.rules` decide which values are allowed, and
`settings.explain` turns their answers into sentences.
"""

import copy
import difflib
import functools
import logging
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from settings.errors import Problem, SettingsError
from settings.explain import Location, exists, explained, innermost, key_of, shown, value_at
from settings.model import Environment
from settings.renamed import rename
from settings.rules import broken_rules

log = logging.getLogger(__name__)

FLOW: Final = ("flows", 0)


@dataclass(frozen=True, slots=True)
class Override:
    """A setting that can also be given outside the file, by these names."""

    variable: str
    context: str
    location: Location

    @property
    def of_one_flow(self) -> bool:
        """Whether it belongs to a flow; then it is ambiguous in an environment with several."""
        return self.location[0] == "flows"


OVERRIDES: Final = (
    Override("FLOW_NAME", "flowName", (*FLOW, "name")),
    Override("SOURCE_WHITELIST_CIDR", "sourceWhitelistCidr", (*FLOW, "source", "allowed_cidr")),
    Override("PRIMARY_OUTPUT_DESTINATION", "primaryOutputDestination", (*FLOW, "outputs", "primary", "destination")),
    Override("BACKUP_OUTPUT_DESTINATION", "backupOutputDestination", (*FLOW, "outputs", "backup", "destination")),
    Override("PACKET_LOSS_THRESHOLD", "packetLossThreshold", (*FLOW, "thresholds", "packet_loss_percent")),
    Override("JITTER_THRESHOLD", "jitterThreshold", (*FLOW, "thresholds", "jitter_ms")),
    Override("NOTIFICATION_EMAIL", "notificationEmail", ("notifications", 0, "endpoint")),
)
NEEDED_WITHOUT_FILE: Final = ("SOURCE_WHITELIST_CIDR", "PRIMARY_OUTPUT_DESTINATION")
OUTPUT_PORTS: Final = {"primary": 5001, "backup": 5002}


@dataclass(frozen=True, slots=True)
class _Given:
    """A value from outside the file, and where it comes from, in words."""

    override: Override
    value: Any
    place: str


def load_environment(
    name: str, *, root: Path, environ: Mapping[str, str], context: Mapping[str, object]
) -> Environment:
    """Load and validate the settings of an environment.

    Args:
        name: the environment; its file is `environments/<name>.toml` below `root`.
        root: the project folder.
        environ: environment variables.
        context: the `context` of `cdktf.json`.

    Raises:
        SettingsError: lists all problems, each with place, key, value and rule.
    """
    given = [item for override in OVERRIDES if (item := _given(override, environ, context))]
    path = root / "environments" / f"{name}.toml"
    file = f"environments/{name}.toml"
    raw = _read(path, file) if path.is_file() else _without_file(name, path, environ, given)
    warnings, problems = rename(raw, file)
    for warning in warnings:
        _warn(warning)
    misplaced, applied = _apply(given, raw, file)
    problems += misplaced
    if path.is_file() and raw.get("allowed_account_ids") == []:
        rule = 'is empty; name the account that may be changed, such as ["123456789012"]'
        problems.append(Problem(place=file, key="allowed_account_ids", value=None, rule=rule))
    raw["name"] = name
    places = {key_of(item.override.location, raw): item.place for item in applied}
    environment, found = checked(raw)
    for location, value, rule in found:
        key = key_of(location, raw)
        problems.append(Problem(place=places.get(key, file), key=key, value=value, rule=rule))
    if problems or environment is None:
        raise SettingsError(problems)
    return environment


@functools.cache
def _warn(text: str) -> None:
    """Log a warning once in a process, however often settings are read. Without a handler it goes to standard error."""
    log.warning(text)


def trial_notice(name: str, *, root: Path, environ: Mapping[str, str], context: Mapping[str, object]) -> str:
    """Say what the settings of an environment without a file come from; empty if it has a file.

    Args: as for `load_environment`.
    """
    path = root / "environments" / f"{name}.toml"
    if path.is_file():
        return ""
    given = [item for override in OVERRIDES if (item := _given(override, environ, context))]
    names: dict[str, list[str]] = {}
    for item in given:
        kind, _, source = item.place.rpartition(" ")
        names.setdefault(kind, []).append(source)
    sources = " and ".join(
        f"{kind}{'s' if len(found) > 1 and kind.endswith('variable') else ''} {', '.join(found)}"
        for kind, found in names.items()
    )
    return f'Note: environment "{name}" has no file; using a trial from {sources}.{_near(name, path)}'


def _known(path: Path) -> list[str]:
    """Names of the environments that have a file in the same folder."""
    return sorted(other.stem for other in path.parent.glob("*.toml"))


def _near(name: str, path: Path) -> str:
    """Suggest the environment that is probably meant; empty if no name is similar."""
    given, known = name.lower(), _known(path)
    part = [other for other in known if given and (given.startswith(other) or other.startswith(given))]
    near = part or difflib.get_close_matches(given, known, n=1)
    return f" Did you mean {near[0]}?" if near else ""


def _given(override: Override, environ: Mapping[str, str], context: Mapping[str, object]) -> _Given | None:
    if environ.get(override.variable):
        return _Given(override, environ[override.variable], f"environment variable {override.variable}")
    if override.context in context:
        return _Given(override, context[override.context], f"cdktf.json context {override.context}")
    return None


def _read(path: Path, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([Problem(place=file, key="", value=None, rule=f"is not TOML: {error}")]) from error


def _without_file(name: str, path: Path, environ: Mapping[str, str], given: Sequence[_Given]) -> dict[str, Any]:
    """Settings of a trial, before those from outside: one RTP flow."""
    there = {item.override.variable for item in given}
    missing = [variable for variable in NEEDED_WITHOUT_FILE if variable not in there]
    if missing:
        known = ", ".join(_known(path)) or "none"
        rule = (
            f"does not exist; environments: {known}.{_near(name, path)} Use one of them, create the file, or, for a "
            f"trial of a single flow without a file, also set {', '.join(missing)}"
        )
        raise SettingsError([Problem(place=f"environments/{name}.toml", key="", value=None, rule=rule)])
    return {
        "region": environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1",
        "allowed_account_ids": [],
        "flows": [{"name": "live-stream", "source": {"name": "encoder", "protocol": "rtp", "port": 5000}}],
    }


def _apply(given: Sequence[_Given], raw: dict[str, Any], file: str) -> tuple[list[Problem], list[_Given]]:
    """Put the values from outside into `raw`; returns problems with ambiguous ones, and those that were applied."""
    problems, applied = [], []
    flows = raw.get("flows", [])
    for item in given:
        if item.override.of_one_flow and isinstance(flows, list) and len(flows) != 1:
            names = ", ".join(str(flow.get("name", "?")) for flow in flows if isinstance(flow, dict)) or "none"
            rule = f"is ambiguous: {file} has the flows {names}. Set the value there, in the table of the flow"
            problems.append(Problem(place=item.place, key=item.override.variable, value=shown(item.value), rule=rule))
            continue
        if _put(raw, item.override, item.value):
            applied.append(item)
    return problems, applied


def _put(raw: dict[str, Any], override: Override, value: object) -> bool:
    """Put a value into `raw`; False where the file has no table or list for it, which is a problem of the file."""
    location = override.location
    if override.variable == "NOTIFICATION_EMAIL":
        listed = raw.get("notifications", [])
        if not isinstance(listed, list):
            return False
        others = [entry for entry in listed if not isinstance(entry, dict) or entry.get("protocol") != "email"]
        raw["notifications"] = [{"protocol": "email", "endpoint": value}, *others]
        return True
    target: Any = raw
    for step in location[:-1]:
        if isinstance(target, list) and isinstance(step, int):
            target = target[step]
        else:
            target = target.setdefault(step, {}) if isinstance(target, dict) and isinstance(step, str) else None
    if not isinstance(target, dict):
        return False
    if location[2:3] == ("outputs",):
        target.setdefault("protocol", "rtp")
        target.setdefault("port", OUTPUT_PORTS[str(location[3])])
    target[location[-1]] = value
    return True


def checked(raw: dict[str, Any]) -> tuple[Environment | None, list[tuple[Location, str | None, str]]]:
    """The environment, or None, and all errors: location, value and rule of each.

    Invalid values are removed, so that the rules between settings are checked on the rest: all errors are reported
    together.
    """
    found: list[tuple[Location, str | None, str]] = []
    rest: dict[str, Any] | None = copy.deepcopy(raw)
    environment: Environment | None = None
    first = True
    while environment is None and rest is not None:
        try:
            environment = Environment.model_validate(rest)
        except ValidationError as error:
            wrong = [explained(each, rest) for each in innermost(error.errors(include_url=False))]
            if first:
                found += wrong
            first = False
            rest = _without(rest, [location for location, _, _ in wrong])
    if raw.get("flows") == []:
        found.append((("flows",), None, "is empty; an environment needs at least one [[flows]]"))
    if environment is not None:
        found += [((key,), shown(value), rule) for key, value, rule in broken_rules(environment)]
    return (environment if not found else None), found


def _without(raw: dict[str, Any], locations: Sequence[Location]) -> dict[str, Any] | None:
    """`raw` without invalid parts, nor what lacks a required part; None if nothing is left."""
    rest = copy.deepcopy(raw)
    doomed: set[Location] = set()
    for location in locations:
        where: Location = location
        while where and not exists(rest, where):
            where = where[:-1]
        if not where:
            return None
        doomed.add(where)
    for where in sorted(doomed, key=str, reverse=True):
        if exists(rest, where):
            parent = value_at(rest, where[:-1])
            if isinstance(parent, list):
                parent[int(where[-1])] = None
            else:
                del parent[where[-1]]
    return _compact(rest)


def _compact(raw: dict[str, Any]) -> dict[str, Any]:
    """Drop the list entries that were removed."""
    return {
        key: [entry for entry in value if entry is not None] if isinstance(value, list) else value
        for key, value in raw.items()
    }
