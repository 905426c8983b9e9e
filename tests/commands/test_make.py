"""`make` refuses a wrong command in one line with the right spelling, before anything runs."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from components.paths import PROJECT

CHANGES = ("bootstrap", "deploy", "destroy", "plan", "replay")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The Makefile and the environments, in a path with a space; so that files which `make` writes are seen."""
    found = tmp_path / "a checkout"
    found.mkdir()
    shutil.copyfile(PROJECT / "Makefile", found / "Makefile")
    shutil.copytree(PROJECT / "environments", found / "environments")
    (found / "prod").touch()  # a file of that name must not make the word a target
    return found


def make(folder: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Exit code and output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "ENV", "ARGS"))}
    done = subprocess.run(
        ["make", *arguments], cwd=folder, env={**kept, **(environ or {})}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def refused(folder: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> str:
    """The one line that refuses a command; nothing was done."""
    before = sorted(folder.rglob("*"))
    code, printed = make(folder, *arguments, environ=environ)
    assert (code, sorted(folder.rglob("*"))) == (2, before), printed
    (line,) = printed.splitlines()
    return line


def would_run(*arguments: str) -> str:
    """The last command that a target would run in the project itself."""
    code, printed = make(PROJECT, "--just-print", *arguments)
    assert code == 0, printed
    return printed.splitlines()[-1]


@pytest.mark.parametrize("target", CHANGES)
def test_environment_has_no_default(folder: Path, target: str) -> None:
    line = refused(folder, target)
    assert f"make {target} needs one environment. Write: make {target} ENV=NAME" in line
    assert "dev, prod, staging" in line


@pytest.mark.parametrize("target", [*CHANGES, "synth"])
@pytest.mark.parametrize("words", [("prod",), ("ENV=prod", "prod"), ("ENV=prod", "--", "prod")])
def test_environment_as_a_word_is_refused(folder: Path, target: str, words: tuple[str, ...]) -> None:
    assert f"Write: make {target} ENV=prod" in refused(folder, target, *words)


@pytest.mark.parametrize(
    ("words", "right"),
    [
        (("replay", "ENV=dev", "dry-run"), "make replay ENV=dev ARGS='dry-run'"),
        (("replay", "prod", "dry-run"), "make replay ENV=prod ARGS='dry-run'"),
        (("destroy", "dry-run", "prod"), "make destroy ENV=prod ARGS='dry-run'"),
        (("deploy", "prdo"), "make deploy ENV=prdo"),
        (("synth", "ENV=dev", "fast"), "make synth ENV=dev"),
    ],
)
def test_suggestion_keeps_every_argument(folder: Path, words: tuple[str, ...], right: str) -> None:
    assert refused(folder, *words).endswith(f"Write: {right}.  Stop.")


@pytest.mark.parametrize("variable", ["env", "Env", "environment", "ENVIRONMENT"])
def test_misspelled_variable_is_refused(folder: Path, variable: str) -> None:
    assert "Write: make deploy ENV=prod" in refused(folder, "deploy", f"{variable}=prod")
    assert "Write: make deploy ENV=prod" in refused(folder, "deploy", "ENV=dev", f"{variable}=prod")
    assert "Write: make replay ARGS='--dry-run'" in refused(folder, "replay", "ENV=prod", "args=--dry-run")


@pytest.mark.parametrize("target", [*CHANGES, "synth"])
@pytest.mark.parametrize("flags", [(), ("--environment-overrides",), ("--keep-going",), ("--jobs=4",)])
def test_variable_of_the_shell_is_refused(folder: Path, target: str, flags: tuple[str, ...]) -> None:
    line = refused(folder, *flags, target, environ={"ENV": "prod"})
    assert "ENV=prod comes from your shell" in line
    assert f"make {target} ENV=prod" in line
    assert "unset ARGS" in refused(folder, *flags, "destroy", "ENV=dev", environ={"ARGS": "--yes"})


@pytest.mark.parametrize("value", ["", " ", "dev prod"])
def test_environment_is_one_word(folder: Path, value: str) -> None:
    assert "make deploy needs one environment" in refused(folder, "deploy", f"ENV={value}")


def test_variable_that_a_target_ignores_is_refused(folder: Path) -> None:
    assert "make rehearse ARGS='packet_loss'" in refused(folder, "rehearse", "packet_loss")
    assert "ARGS='--environment prod'" in refused(folder, "rehearse", "ENV=prod")
    assert "make check takes no ENV" in refused(folder, "check", "ENV=prod")
    assert "make lint takes no ARGS" in refused(folder, "lint", "ARGS=--fix")


@pytest.mark.parametrize("target", CHANGES)
def test_arguments_reach_the_command(target: str) -> None:
    command = f".venv/bin/media-workflow {target} 'prod' --one 'two three'"
    assert would_run(target, "ENV=prod", "ARGS=--one 'two three'") == command


@pytest.mark.parametrize("target", ["rehearse", "local", "bench", "unit", "pytest"])
def test_arguments_reach_a_command_without_environment(target: str) -> None:
    assert would_run(target, "ARGS=--one 'two three'").endswith(" --one 'two three'")


def test_setting_on_the_make_command_line_is_accepted() -> None:
    assert would_run("plan", "ENV=trial", "FLOW_NAME=x").strip() == ".venv/bin/media-workflow plan 'trial'"


def test_synth_has_a_default_and_takes_another() -> None:
    assert "TF_WORKSPACE='dev'" in would_run("synth")
    assert "TF_WORKSPACE='prod'" in would_run("synth", "ENV=prod")


def test_every_target_is_listed_with_what_it_takes() -> None:
    """A target that is not listed would ignore its ENV and ARGS."""
    text = (PROJECT / "Makefile").read_text(encoding="utf-8")
    lists = dict(re.findall(r"^((?:NEEDS|TAKES)_\w+) := (.*)$", text, re.MULTILINE))
    known = {name for value in lists.values() for name in value.split() if not name.startswith("$")}
    targets = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))
    assert targets == known
    for target in targets:
        recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)*)", text, re.MULTILINE)
        assert recipe is not None
        takes_args = target in f"{lists['NEEDS_ENV']} {lists['TAKES_ARGS']}".split() and target != "help"
        takes_env = target in f"{lists['NEEDS_ENV']} {lists['TAKES_ENV']}".split() and target != "help"
        assert ("$(ARGS)" in recipe[1]) is takes_args, target
        assert ("(ENV)" in recipe[1] or "(or $(ENV)" in recipe[1]) is takes_env, target


def test_help_names_environments_and_what_takes_arguments(folder: Path) -> None:
    code, printed = make(folder, "help")
    assert code == 0
    assert "one of dev, prod, staging" in printed
    assert "no default where AWS is read or changed" in printed


def test_interpreter_in_a_path_with_a_space_is_found(tmp_path: Path) -> None:
    python = tmp_path / "my tools" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    assert make(PROJECT, "--silent", "prerequisites", f"PYTHON={python}") == (0, "")
