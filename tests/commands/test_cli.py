"""The command line as a whole: its modules, start-up, completion, and how errors end."""

import os
import pkgutil
import re
import subprocess
import sys
import tomllib

import pytest
import typer
from botocore.exceptions import NoCredentialsError
from typer.main import get_command
from typer.testing import CliRunner

import tools.cli
from components.paths import PROJECT
from settings import OperatorError, Problem, SettingsError
from tools.cli.__main__ import COMMANDS, app
from tools.cli.shared import command
from tools.operations.consent import DeclinedError, agree
from tools.operations.errors import InputError
from tools.operations.replay import UnknownDeadLetterError
from tools.plan_review import PlanError
from tools.rehearsal.scenario import ScenarioError
from tools.terraform.binary import TerraformError
from tools.terraform.processes import StepError

RUN = CliRunner()
HEAVY = ("boto3", "botocore", "cdktf", "jsii", "moto", "pydantic", "settings")


def test_each_module_is_one_listed_command() -> None:
    modules = {module.name for module in pkgutil.iter_modules(tools.cli.__path__)} - {"__main__", "shared"}
    listed = [function.__name__ for functions in COMMANDS.values() for function in functions]
    assert sorted(listed) == sorted(modules)
    assert all(
        function.__module__ == f"tools.cli.{function.__name__}" for group in COMMANDS.values() for function in group
    )


def test_every_command_and_parameter_has_a_help_text() -> None:
    context = typer.Context(get_command(app))
    for name, found in get_command(app).commands.items():  # type: ignore[attr-defined]
        assert found.help, name
        for parameter in found.get_params(context):
            assert parameter.help, (name, parameter.name)


def test_programs_are_started_in_one_place() -> None:
    """As the docstring of `tools.terraform` says, which names the exceptions."""
    starts = re.compile(r"\bsubprocess\.(run|Popen|call|check_\w+)\(|\bos\.(system|exec\w+|spawn\w+|popen)\(")
    found = {
        path.relative_to(PROJECT / "tools").parts[0]
        for path in (PROJECT / "tools").rglob("*.py")
        if starts.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"terraform", "local_aws", "bench", "compat"}


def test_startup_imports_nothing_heavy() -> None:
    """Help and shell completion load every command module."""
    program = f"import sys, tools.cli.__main__; print(sorted(set(sys.modules) & set({HEAVY})))"
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(("typed", "completed"), [("sta", {"start", "status"}), ("start pr", {"prod"})])
def test_shell_completion_offers_commands_and_environments(typed: str, completed: set[str]) -> None:
    environ = {"_MEDIA_WORKFLOW_COMPLETE": "complete_bash", "COMP_WORDS": f"media-workflow {typed}"}
    done = subprocess.run(
        [sys.executable, "-m", "tools.cli"],
        cwd=PROJECT,
        env={**os.environ, **environ, "COMP_CWORD": str(len(typed.split()))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(done.stdout.split()) == completed


def test_pipenv_runs_the_same_command_line() -> None:
    scripts = tomllib.loads((PROJECT / "Pipfile").read_text(encoding="utf-8"))["scripts"]
    assert scripts == {"media-workflow": "python -m tools.cli"}


def ending(error: Exception) -> tuple[int, str]:
    """Exit code and output of a command that raises an error."""

    def raising() -> None:
        raise error

    failing = typer.Typer()
    failing.command()(command(raising))
    done = RUN.invoke(failing, [])
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("error", "code", "output"),
    [
        (SettingsError([Problem(place="a", key="b", value="c", rule="d")]), 2, "A setting cannot be used:\n  a: b is c: d.\n"),
        (PlanError("text"), 2, "text\n"),
        (ScenarioError("text"), 2, "text\n"),
        (InputError("[bold]text"), 2, "[bold]text\n"),
        (UnknownDeadLetterError("text"), 2, "text\n"),
        (TerraformError("text"), 1, "text\n"),
        (OperatorError("text"), 1, "text\n"),
        (DeclinedError(), 1, "Nothing was changed.\n"),
        (StepError(3), 3, ""),
        (NoCredentialsError(), 2, 'No AWS credentials. Set AWS_PROFILE or run "aws sso login".\n'),
        (FileNotFoundError(2, "No such file or directory", "terraform"), 1, "terraform: no such file or directory.\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)  # fmt: skip
def test_error_of_an_operator_is_its_text_and_exit_code(error: Exception, code: int, output: str) -> None:
    assert ending(error) == (code, output)


def test_error_of_ours_keeps_its_traceback() -> None:
    def raising() -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        command(raising)()


def test_question_without_a_terminal_is_refused_unless_agreed() -> None:
    agree("Stop it?", agreed=True)
    with pytest.raises(InputError, match=r"^Stop it\? There is no terminal to ask at; --yes agrees"):
        agree("Stop it?", agreed=False)


@pytest.mark.parametrize(
    ("typed", "answer", "agrees"),
    [(False, "y", True), (False, "n", False), (False, "", False), (True, "y", False), (True, "yes", True)],
)
def test_question_that_applies_or_destroys_needs_the_whole_word(
    monkeypatch: pytest.MonkeyPatch, *, typed: bool, answer: str, agrees: bool
) -> None:
    def asking() -> None:
        monkeypatch.setattr("sys.stdin.isatty", lambda: True)
        agree("Do it?", agreed=False, typed=typed)

    asked = typer.Typer()
    asked.command()(command(asking))
    done = RUN.invoke(asked, [], input=f"{answer}\n")
    assert done.exit_code == (0 if agrees else 1), done.output
    assert ("Nothing was changed." in done.output) is not agrees
