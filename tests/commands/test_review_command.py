"""`media-workflow review-plan`: output and exit codes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.lambda_package import lambda_package
from tests.plans.plans import plan_text
from tools.cli.__main__ import app
from tools.operations.review import package_files

RUN = CliRunner()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    path.write_text(plan_text("flow_renamed_prod"), encoding="utf-8")
    return path


def test_blocked_plan_exits_1_and_shows_what_goes_off_air(file: Path) -> None:
    done = RUN.invoke(app, ["review-plan", str(file), "--environment", "prod"])
    assert done.exit_code == 1
    assert "channel-one goes off air: its flow is deleted" in done.output


def test_allowed_plan_exits_0(file: Path) -> None:
    found = json.loads(RUN.invoke(app, ["review-plan", str(file), "--format", "json"]).output)
    blocked = [finding["causes"] for finding in found["findings"] if finding["blocked"]]
    allow = [
        part for causes in blocked for cause in causes for part in ("--allow", f"{cause['address']}:{cause['action']}")
    ]
    assert RUN.invoke(app, ["review-plan", str(file), *allow]).exit_code == 0


def test_plan_without_changes_exits_0(file: Path) -> None:
    file.write_text(plan_text("nothing"), encoding="utf-8")
    done = RUN.invoke(app, ["review-plan", str(file)])
    assert (done.exit_code, "Nothing changes in dev" in done.output) == (0, True)


def test_plan_is_read_from_standard_input(file: Path) -> None:
    assert RUN.invoke(app, ["review-plan", "-"], input=plan_text("nothing")).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.json"], "cannot be read as text"),
        (["{file}", "--environment", "dev"], "This is a plan for prod, not for dev"),
        (["{file}", "--environment", "nowhere"], "This is a plan for prod, not for nowhere"),
        (["{file}", "--allow", "all"], "give the exact address of a resource"),
    ],
)
def test_wrong_input_exits_2_with_the_reason(file: Path, arguments: list[str], words: str) -> None:
    done = RUN.invoke(app, ["review-plan", *(argument.format(file=file) for argument in arguments)])
    assert done.exit_code == 2
    assert words in done.output.replace("\n", " ")
    assert "Traceback" not in done.output


def test_binary_plan_file_is_refused(file: Path) -> None:
    file.write_bytes(b"PK\x03\x04\xff")
    done = RUN.invoke(app, ["review-plan", str(file)])
    assert done.exit_code == 2
    assert "not the plan file itself" in done.output.replace("\n", " ") or "terraform show -json" in done.output


def test_files_of_current_code_are_found_by_digest() -> None:
    found = package_files(lambda_package().digest)
    assert found is not None
    assert "stream_monitor/health.py" in found
    assert package_files("0" * 64) is None
