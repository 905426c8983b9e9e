"""The workflows match GitHub's schema and a linter, contain no scripts, and have only the permissions they use."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from components.paths import PROJECT
from tools.operations.github import GitHubError, description_of_pull_request
from tools.plan_review.allowances import allowances_in

FOLDER = PROJECT / ".github"
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.yml"))
ACTIONS = sorted((FOLDER / "actions").glob("*/action.yml"))
TOOLS = Path(sys.executable).parent


def loaded(path: Path) -> dict[str, Any]:
    """A workflow as GitHub reads it: `on` is a string, not a boolean."""
    from ruamel.yaml import YAML  # noqa: PLC0415  slow, and only these tests read YAML

    content: dict[str, Any] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return content


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = loaded(path)["jobs"]
    return found


def test_workflows_are_check_deploy_drift_and_plan() -> None:
    assert [path.stem for path in WORKFLOWS] == ["check", "deploy", "drift", "plan"]


@pytest.mark.parametrize(
    ("schema", "paths"),
    [("vendor.github-workflows", WORKFLOWS), ("vendor.github-actions", ACTIONS)],
    ids=["workflows", "actions"],
)
def test_files_match_githubs_schema(schema: str, paths: list[Path]) -> None:
    done = subprocess.run(
        [TOOLS / "check-jsonschema", "--builtin-schema", schema, *paths], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_workflow_linter_finds_nothing() -> None:
    done = subprocess.run(
        [TOOLS / "zizmor", "--offline", "--no-progress", "--format", "plain", FOLDER],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: path.parent.name + "/" + path.name)
def test_actions_are_pinned_by_digest_with_their_release(path: Path) -> None:
    uses = re.findall(r"^ +(?:- )?uses: (\S+)(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    for action, rest in uses:
        if not action.startswith("./"):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", rest), action


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_step_runs_one_command_without_expressions(path: Path) -> None:
    for job in jobs(path).values():
        for step in job["steps"]:
            if "run" in step:
                assert re.match(r"(make setup|\.ci/run|(exec )?\.venv/bin/media-workflow [a-z-]+ )", step["run"]), step
                assert "\n" not in step["run"].strip()
                assert "${{" not in step["run"], "an expression in a script is run as what somebody wrote into it"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_command_and_its_options_exist(path: Path) -> None:
    from typer.main import get_command  # noqa: PLC0415

    from tools.cli.__main__ import app  # noqa: PLC0415

    commands: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
    for job in jobs(path).values():
        for step in job["steps"]:
            if "media-workflow " in step.get("run", ""):
                name, *arguments = step["run"].split("media-workflow ")[1].split(" >>")[0].split()
                options = {option for parameter in commands[name].params for option in parameter.opts}
                assert {argument for argument in arguments if argument.startswith("--")} <= options


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_jobs_have_only_the_permissions_they_name(path: Path) -> None:
    content = loaded(path)
    assert content["permissions"] == {}
    for job in content["jobs"].values():
        writes = {name for name, access in job["permissions"].items() if access == "write"}
        assert writes <= {"id-token", "pull-requests", "issues"}


def test_fork_gets_no_role() -> None:
    (job,) = jobs(FOLDER / "workflows" / "plan.yml").values()
    assert job["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    assert "pull_request_target" not in "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)


def test_only_deploy_has_an_environment_and_the_apply_role() -> None:
    for path in WORKFLOWS:
        text = json.dumps(jobs(path))
        assert ("AWS_APPLY_ROLE" in text) is (path.stem == "deploy")
        assert ('"environment": "${{ inputs.environment }}"' in text) is (path.stem == "deploy")


def test_command_that_locks_state_is_not_cancelled() -> None:
    """A killed plan keeps the lock; a runner interrupts only the shell of a step, which forwards nothing."""
    for path in WORKFLOWS:
        steps = [step.get("run", "") for job in jobs(path).values() for step in job["steps"]]
        holding = [run for run in steps if re.search(r"media-workflow (plan|apply|deploy|destroy|bootstrap) ", run)]
        if holding:
            assert loaded(path)["concurrency"]["cancel-in-progress"] is False, path.name
            assert all(run.startswith("exec ") for run in holding)


def test_variables_and_arguments_have_bounded_size() -> None:
    """Linux starts no program with a variable of 131,072 bytes; 65,536 characters of a description can be more."""
    for path in WORKFLOWS:
        assert not re.search(r"\$\{\{[^}]*\b(body|message|description)\b", path.read_text(encoding="utf-8")), path.name


def test_pull_request_description_of_any_size_is_read(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    text = "あ" * 65_000 + "\nallow aws_sns_topic.this:delete\n"
    for body, allowed in ((text, ["aws_sns_topic.this:delete"]), (None, [])):
        event.write_text(json.dumps({"pull_request": {"body": body}}), encoding="utf-8")
        found = description_of_pull_request({"GITHUB_EVENT_PATH": str(event)})
        assert allowances_in(found) == allowed


@pytest.mark.parametrize("content", [None, "", "{}", '{"pull_request": null}', "[]"])
def test_missing_pull_request_event_is_refused(tmp_path: Path, content: str | None) -> None:
    event = tmp_path / "event.json"
    if content is not None:
        event.write_text(content)
    with pytest.raises(GitHubError, match="holds no event of a pull request"):
        description_of_pull_request({"GITHUB_EVENT_PATH": str(event)} if content is not None else {})


def test_check_runs_the_same_command_as_a_laptop() -> None:
    (job,) = jobs(FOLDER / "workflows" / "check.yml").values()
    assert job["steps"][-1]["run"] == ".ci/run"


def test_every_supported_python_is_checked() -> None:
    (job,) = jobs(FOLDER / "workflows" / "check.yml").values()
    checked = job["strategy"]["matrix"]["python"]
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == f">={checked[0]}"
    assert loaded(FOLDER / "actions" / "ready" / "action.yml")["inputs"]["python-version"]["default"] == checked[-1]
