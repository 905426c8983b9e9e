"""A missing or old prerequisite is one line: what is needed, what was found, how to get it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from components.paths import PROJECT
from tools.operations import deployment
from tools.operations.deployment import PLAN_FILE
from tools.operations.drift import find_drift
from tools.operations.reviewed import RECORD, apply_plan, deploy, make_plan
from tools.terraform.binary import TerraformError

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "operations" / "prerequisites.sh"
NOBODY = 65534
GOOD = {"python3": "3.13.1", "node": "v22.1.0", "terraform": '{"terraform_version": "1.11.4"}'}


def install(tools: Path, **versions: str | None) -> None:
    """Install only programs of these versions."""
    for name in ("awk", "sed", "tr"):
        (tools / name).symlink_to(str(shutil.which(name)))
    for name, version in {**GOOD, **versions}.items():
        if version is not None:
            (tools / name).write_text(f"#!/bin/sh\necho '{version}'\n")
            (tools / name).chmod(0o755)


def run(
    tools: Path, folder: Path = PROJECT, *, script: Path = SCRIPT, user: int | None = None
) -> tuple[int, list[str]]:
    """Exit code and lines of the script in a folder."""
    done = subprocess.run(
        ["/bin/sh", str(script), "python3"],
        cwd=folder,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
        user=user,
    )
    return done.returncode, done.stderr.splitlines()


def result(tools: Path, **versions: str | None) -> tuple[int, list[str]]:
    """Exit code and lines of the script where only these programs are installed."""
    install(tools, **versions)
    return run(tools)


def test_complete_prerequisites_print_nothing(tmp_path: Path) -> None:
    assert result(tmp_path) == (0, [])


@pytest.mark.parametrize(
    ("program", "version", "words"),
    [
        ("python3", "3.10.14", "Python >= 3.11 is needed, 3.10.14 was found: install it"),
        ("python3", None, "Python >= 3.11 is needed, none was found: install it"),
        ("node", "v18.20.4", "Node.js >= 20 is needed, 18.20.4 was found: install it"),
        ("node", None, "Node.js >= 20 is needed, none was found: install it"),
        ("terraform", '{"terraform_version": "1.9.8"}', "Terraform >= 1.10 is needed, 1.9.8 was found: install it"),
        ("terraform", None, "Terraform >= 1.10 is needed, none was found: install it"),
    ],
)
def test_missing_or_old_prerequisite_is_one_line(tmp_path: Path, program: str, version: str | None, words: str) -> None:
    code, (line,) = result(tmp_path, **{program: version})
    assert code == 2
    assert line.startswith(words)


def test_all_missing_prerequisites_are_reported_together(tmp_path: Path) -> None:
    code, lines = result(tmp_path, python3=None, node="v18.0.0", terraform=None)
    assert (code, len(lines)) == (2, 3)


@pytest.mark.parametrize("version", ["3.11.0", "3.11.15", "3.14.0", "4.0.0"])
def test_versions_are_compared_as_numbers(tmp_path: Path, version: str) -> None:
    assert result(tmp_path, python3=version) == (0, [])


def apply_saved(environment: str) -> None:
    """Apply a saved plan, which need not be valid: nothing reads it."""
    folder = PROJECT / ".build" / "saved"
    folder.mkdir(parents=True, exist_ok=True)
    record = {"environment": environment, "blocked": False, "plan_sha256": "", "configuration_sha256": ""}
    (folder / RECORD).write_text(json.dumps({**record, "state_lineage": None, "state_serial": None}))
    (folder / PLAN_FILE).touch()
    try:
        apply_plan(environment, folder)
    finally:
        shutil.rmtree(folder)


def rehearsed(environment: str) -> None:
    from tools.local_aws import LocalAws  # noqa: PLC0415  loads moto
    from tools.rehearsal.deployment import deploy as deploy_to_local_aws  # noqa: PLC0415

    deploy_to_local_aws(LocalAws(), [environment], PROJECT / "never", print)


ENTRIES: list[Callable[[str], object]] = [
    *(apply_saved, find_drift, make_plan, rehearsed),
    lambda name: deploy(name, allow=(), agreed=True, say=print),
    lambda name: deployment.access(name, agreed=True, warn=print),
    lambda name: deployment.bootstrap(name, agreed=True),
    lambda name: deployment.destroy(name, agreed=True),
]


def installed(tools: Path, **versions: str | None) -> None:
    for name, version in versions.items():
        if version is not None:
            (tools / name).write_text(f"#!/bin/sh\necho '{version}'\n")
            (tools / name).chmod(0o755)


@pytest.mark.parametrize("entry", ENTRIES)
def test_missing_programs_are_reported_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], entry: Callable[[str], object]
) -> None:
    installed(tmp_path, terraform='{"terraform_version": "1.9.8"}')
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TerraformError) as refused:
        entry("dev")
    terraform, node = str(refused.value).splitlines()
    assert terraform.startswith("Terraform >= 1.10 is needed, 1.9.8 was found: install it")
    assert node.startswith("Node.js >= 20 is needed, none was found: install it")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("version", "found"), [("v18.20.4", "18.20.4"), (None, "none")])
def test_synthesis_reports_missing_programs(tmp_path: Path, version: str | None, found: str) -> None:
    installed(tmp_path, node=version)
    done = synthesized(PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Node.js >= 20 is needed, {found} was found: install it")
    assert len(done.stderr.splitlines()) == 1


def test_synthesis_names_an_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        done = synthesized(CDKTF_OUTDIR=str(folder))
        (line,) = done.stderr.splitlines()
        assert done.returncode == 2
        assert " cannot be written (" in line
        assert str(folder) in line


def synthesized(**environ: str) -> subprocess.CompletedProcess[str]:
    """`main.py` by itself."""
    return subprocess.run(
        [sys.executable, str(PROJECT / "main.py")],
        env={**os.environ, "TF_WORKSPACE": "dev", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_python_without_venv_is_one_line(tmp_path: Path) -> None:
    tools, folder = tmp_path / "tools", tmp_path / "a checkout"
    tools.mkdir()
    folder.mkdir()
    install(tools)
    assert run(tools, folder) == (0, [])
    (tools / "python3").write_text("#!/bin/sh\ncase $2 in *venv*) exit 1;; esac\necho 3.13.1\n")
    code, (line,) = run(tools, folder)
    assert code == 2
    assert line.startswith("Python lacks its venv module: install it")
    (folder / ".tools").mkdir()
    assert run(tools, folder) == (0, [])


@pytest.mark.parametrize("closed", [".", "cdktf.out", ".build"])
def test_unwritable_folder_is_one_line(closed: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        above, folder = Path(name), Path(name) / "a checkout"
        for path in (above, above / "tools", folder, folder / ".tools", folder / "cdktf.out", folder / ".build"):
            path.mkdir(exist_ok=True)
            path.chmod(0o755 if path.name == "tools" or path == above else 0o777)
        install(above / "tools")
        shutil.copyfile(SCRIPT, above / "prerequisites.sh")
        (folder / closed).chmod(0o555)
        user = NOBODY if os.geteuid() == 0 else None  # root may write anywhere
        code, (line,) = run(above / "tools", folder, script=above / "prerequisites.sh", user=user)
    assert code == 2
    assert line.startswith(f"{(folder / closed).resolve()} is not writable: change its permissions")
