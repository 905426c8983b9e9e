"""Writes the ids of a pipeline's repository and its owner on GitHub into the settings of an environment.

The subject of GitHub's tokens contains these ids for every repository that was created, renamed or transferred since
2026-07-15; a role that trusts names alone refuses such a repository.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from settings import Problem, SettingsError
from tools.operations.github import Identity, Repository

TABLE: Final = re.compile(r"\s*\[\s*(?:ci|\"ci\"|'ci')\s*\]\s*(?:#.*)?")
ANY_TABLE: Final = re.compile(r"\s*\[.*\]\s*(?:#.*)?")


def write_ids(environment: str, *, root: Path, environ: Mapping[str, str]) -> Identity:
    """Look up the ids of the repository in `[ci]`, write them next to it, and return them.

    Args:
        environment: name, as in `environments/<name>.toml`.
        root: the project folder.
        environ: `GITHUB_TOKEN` for a private repository, `GITHUB_API_URL` for another GitHub than github.com.

    Raises:
        SettingsError: the file names no repository, spells it differently from GitHub, or cannot be changed.
        GitHubError: a request to GitHub failed.
    """
    place = f"environments/{environment}.toml"
    path = root / place
    text, repository = _repository(path, place)
    found = Repository.named(repository, environ).identity()
    if found.name != repository:
        rule = f'is "{found.name}" on GitHub and in its tokens; write it like that and run this again'
        raise SettingsError([Problem(place=place, key="ci.repository", value=repository, rule=rule)])
    try:
        _replace(path, with_ids(text, owner_id=found.owner_id, repository_id=found.repository_id))
    except (OSError, ValueError) as error:
        rule = f"add owner_id = {found.owner_id} and repository_id = {found.repository_id} there yourself ({error})"
        raise SettingsError([Problem(place=place, key="ci", value=None, rule=rule)]) from error
    return found


def with_ids(text: str, *, owner_id: int, repository_id: int) -> str:
    """A settings file with both ids in its `[ci]` table, and nothing else changed. Pure.

    Raises:
        ValueError: the table has a form that this function cannot edit.
    """
    wanted = tomllib.loads(text)
    wanted["ci"] |= {"owner_id": owner_id, "repository_id": repository_id}
    lines = text.splitlines(keepends=True)
    start = next((number for number, line in enumerate(lines) if TABLE.fullmatch(line.rstrip("\r\n"))), None)
    if start is None:
        raise ValueError("there is no line [ci]")
    stop = next(
        (number for number in range(start + 1, len(lines)) if ANY_TABLE.fullmatch(lines[number].rstrip("\r\n"))),
        len(lines),
    )
    ending = "\r\n" if lines[start].endswith("\r\n") else "\n"
    table = [line if line.endswith("\n") else line + ending for line in lines[start:stop]]
    after = next((number for number, line in enumerate(table) if _key(line) == "repository"), 0)
    for key, value in (("repository_id", repository_id), ("owner_id", owner_id)):
        there = next((number for number, line in enumerate(table) if _key(line) == key), None)
        if there is None:
            table.insert(after + 1, f"{key} = {value}{ending}")
        else:
            table[there] = re.sub(r"(=\s*)[0-9_]+", rf"\g<1>{value}", table[there], count=1)
    changed = "".join([*lines[:start], *table, *lines[stop:]])
    if tomllib.loads(changed) != wanted:
        raise ValueError("the table has a form that cannot be edited")
    return changed


def _key(line: str) -> str:
    return line.partition("=")[0].strip().strip("\"'") if "=" in line else ""


def _repository(path: Path, place: str) -> tuple[str, str]:
    """The file's text, byte for byte, and the repository that it names. Other settings may be wrong."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
        found: dict[str, Any] = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError([Problem(place=place, key="", value=None, rule=f"cannot be read: {error}")]) from error
    table = found.get("ci")
    repository = table.get("repository") if isinstance(table, dict) else None
    if not isinstance(repository, str) or not re.fullmatch(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", repository):
        rule = 'is needed; give owner/name as in [ci] repository = "owner/name"'
        raise SettingsError([Problem(place=place, key="ci.repository", value=repository, rule=rule)])
    return text, repository


def _replace(path: Path, text: str) -> None:
    """Write a file atomically."""
    unfinished = path.with_suffix(".toml.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
        unfinished.chmod(path.stat().st_mode)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
