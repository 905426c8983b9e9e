"""Names, files and ports that a command cannot use are refused before minutes of work."""

import socket
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tools.cli.__main__ import app
from tools.operations.outputs import exports

RUN = CliRunner()


def refused(*arguments: str) -> str:
    done = RUN.invoke(app, [*arguments])
    assert done.exit_code == 2, done.output
    assert "..." not in done.output, "a rehearsal says what it does; it has begun"
    assert "Traceback" not in done.output
    return " ".join(done.output.split())


@pytest.mark.parametrize(
    ("given", "near"), [("packetloss", "packet_loss"), ("packet-los", "packet_loss"), ("flaping", "flapping")]
)
def test_mistyped_scenario_lists_similar_names(given: str, near: str) -> None:
    line = refused("rehearse", given)
    assert f"{given} cannot be read (No such file or directory). Did you mean {near}" in line
    assert "Shipped scenarios: alarm_events_lost" in line


def test_unknown_rehearsal_environment_lists_the_existing_ones() -> None:
    assert "does not exist; environments: dev, prod, staging. Did you mean prod?" in refused(
        "rehearse", "packet_loss", "--environment", "prdo"
    )


@pytest.mark.parametrize("option", ["--json", "--report"])
@pytest.mark.parametrize("path", ["file/under/it", "/proc/nothing/here", "closed/out"])
def test_unwritable_output_is_refused_before_deploying(tmp_path: Path, option: str, path: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "closed").symlink_to("/proc/1")  # not even root may make a file there
    line = refused("rehearse", "packet_loss", option, str(tmp_path / path))
    assert line.startswith(f"{option} {tmp_path / path} cannot be written (")


def test_unwritable_output_names_the_reason(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    assert "cannot be written (Is a directory)" in refused("rehearse", "--json", str(tmp_path / "folder"))
    assert "cannot be written (part of the path is a file)" in refused("rehearse", "--report", str(tmp_path / "file"))


def test_existing_output_file_is_kept_when_refused(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text("{}", encoding="utf-8")
    refused("rehearse", "packet_loss", "--json", str(kept), "--report", "/proc/nothing")
    assert kept.read_text(encoding="utf-8") == "{}"
    refused("rehearse", "packet_loss", "--json", str(tmp_path / "new.json"), "--report", "/proc/nothing")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.json"]


def test_port_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        line = refused("local", "--port", str(port))
    assert line == (
        f"Port {port} of 127.0.0.1 cannot be used (Address already in use). Give another --port; 0 takes a free one."
    )
    assert "--port" in refused("local", "--port", "70000")


def test_exports_are_quoted_for_a_shell() -> None:
    value = "/home/me/my checkout/it's $HOME/terraform.rc"
    pasted = f'{exports({"A": value, "B": "x"})}\nprintf %s "$A"'
    assert subprocess.run(["/bin/sh", "-c", pasted], capture_output=True, text=True, check=True).stdout == value


def test_comment_that_is_not_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_REPOSITORY", "GITHUB_TOKEN"):
        monkeypatch.setenv(name, "owner/name")
    path = tmp_path / "comment.md"
    path.write_bytes(b"\xff")
    result = CliRunner().invoke(app, ["comment", str(path), "--number", "1"])
    assert result.exit_code == 2
    assert "comment.md is not UTF-8 text" in " ".join(result.output.split())
