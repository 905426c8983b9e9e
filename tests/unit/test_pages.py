"""What pages name exists: files, sections, commands, options, targets of make, calls of the AWS CLI, settings.

`tests/local/test_pages.py` runs their commands; here is what also holds for those that are not run.
"""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache

import botocore.session
import hcl2
import pytest
import typer
from botocore import xform_name
from typer.main import get_command

from components.paths import PROJECT
from settings import CiAccess, Environment
from tests.local.pages import SHELL, Block, blocks
from tools.cli.__main__ import app

PAGES = sorted(
    path.relative_to(PROJECT).as_posix()
    for path in (*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md"), *(PROJECT / "modules").glob("*/README.md"))
)
HISTORY = {"CHANGELOG.md"}
"""What it names may be gone."""


def text_of(page: str) -> str:
    return (PROJECT / page).read_text(encoding="utf-8")


def anchors(page: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(page: str) -> Iterator[list[str]]:
    """Each command that a page names, in blocks and inline, as words."""
    inline = re.findall(r"`((?:make|media-workflow|aws) [^`]+)`", text_of(page))
    for text in [block.commands for block in blocks(page) if block.language in SHELL] + inline:
        for line in re.split(r"\n|&&|;|\$\(", text.replace("\\\n", " ")):
            words = shlex.split(line.rstrip(")").replace('"', " ").replace("'", " "), comments=True)
            words = words[next((n for n, word in enumerate(words) if "=" not in word), 0) :]
            if words and words[0] in {"make", "media-workflow", "aws"}:
                yield words


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", text_of(page)):
        path = (PROJECT / page).parent / target if target else PROJECT / page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path.resolve().relative_to(PROJECT).as_posix()), (target, anchor)


@pytest.mark.parametrize("page", [page for page in PAGES if page not in HISTORY])
def test_files_that_a_page_names_exist(page: str) -> None:
    folders = "components|docs|environments|lambda_src|modules|settings|slim_bindings|stacks|tests|tools"
    for name in re.findall(rf"`((?:{folders})/[\w./-]+\.\w+)`", text_of(page)):
        if "NAME" not in name:
            assert (PROJECT / name).exists(), name


def test_files_that_the_architecture_names_shortly_exist() -> None:
    here = {
        path.name
        for folder in ("components", "lambda_src", "settings", "stacks", "tools")
        for path in (PROJECT / folder).rglob("*.py")
    }
    named = re.findall(r"[`\[/](\w+\.py)\b", text_of("docs/architecture.md"))
    assert len(named) > 30
    assert {*named} - here - {"main.py"} == set()


@cache
def options() -> dict[str, set[str]]:
    """The options of each command of the command line."""
    context = typer.Context(get_command(app))
    found = get_command(app).commands  # type: ignore[attr-defined]
    return {
        name: {option for parameter in command.get_params(context) for option in parameter.opts}
        for name, command in found.items()
    }


@cache
def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("page", [page for page in PAGES if page not in HISTORY])
def test_commands_and_their_options_exist(page: str) -> None:
    for program, first, *rest in (words for words in commands(page) if len(words) > 1):
        if program == "make":
            assert first in targets() or "=" in first or first == "...", first
        elif program == "media-workflow" and not first.startswith(("-", "COMMAND", "{")):
            given = {word.partition("=")[0] for word in rest if word.startswith("--")}
            assert given <= options()[first] | {"--help"}, (first, given)


@pytest.mark.parametrize("page", PAGES)
def test_calls_of_the_aws_cli_exist(page: str) -> None:
    session = botocore.session.get_session()
    for words in commands(page):
        if words[0] == "aws" and words[1:3] not in (["logs", "tail"], ["sso", "login"], ["configure", "list-profiles"]):
            model = session.get_service_model(words[1])
            (operation,) = (name for name in model.operation_names if xform_name(name, "-") == words[2])
            shape = model.operation_model(operation).input_shape
            named = {f"--{xform_name(name, '-')}" for name in (shape.members if shape else ())}
            given = {word.replace("--no-", "--") for word in words[3:] if word.startswith("--")}
            assert given <= named | {"--query", "--output"}, words


@pytest.mark.parametrize(
    "block", [block for page in PAGES for block in blocks(page)], ids=lambda block: f"{block.page}:{block.line}"
)
def test_block_can_be_read(block: Block) -> None:
    assert block.language in {*SHELL, "", "toml", "hcl", "mermaid", "text"}
    assert not block.note.startswith("not run:") or len(block.not_run) > 10
    if block.language == "toml":
        given = tomllib.loads(block.text)
        known = {
            *Environment.model_fields,
            "title",
            "environment",
            "flow",
            "start",
            "phase",
            "event",
            "fault",
            "expect",
        }
        assert set(given) <= known
        assert set(given.get("ci", {})) <= set(CiAccess.model_fields)
    elif block.language == "hcl" and not block.page.startswith("modules/"):  # there also types, which are no file
        assert hcl2.loads(block.text)
    elif block.language in SHELL:
        done = subprocess.run(["bash", "-n"], input=block.commands, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_pre_commit_runs_what_make_lint_runs() -> None:
    assert "entry: make lint\n" in text_of(".pre-commit-config.yaml")
