"""The same commit gives the same bytes: fast or stock bindings, here or elsewhere, before or after the tests."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from slim_bindings import OFF_SWITCH
from tests.synth.conftest import ENVIRONMENTS, PROJECT

SOURCES = (
    "main.py",
    "cdktf.json",
    "settings",
    "environments",
    "components",
    "stacks",
    "lambda_src",
    "modules",
    "slim_bindings",
)


def synthesized(project: Path, output: Path, environment: str, **environ: str) -> dict[str, str]:
    """Digest by file of what `main.py` writes."""
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, str(project / "main.py")],
        env={
            **base,
            "TF_WORKSPACE": environment,
            "CDKTF_OUTDIR": str(output),
            "PYTHONDONTWRITEBYTECODE": "1",
            **environ,
        },
        capture_output=True,
        text=True,
        check=False,
        cwd=output.parent,
    )
    assert done.returncode == 0, done.stderr
    return {
        path.relative_to(output).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(output.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    folder = tmp_path_factory.mktemp("here")
    return {name: synthesized(PROJECT, folder / name, name) for name in ENVIRONMENTS}


def test_synthesizing_twice_gives_the_same_bytes(here: dict[str, dict[str, str]], tmp_path: Path) -> None:
    assert synthesized(PROJECT, tmp_path / "out", "prod") == here["prod"]


def test_another_checkout_zone_locale_and_hash_seed_give_the_same_bytes(
    here: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in SOURCES:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, elsewhere / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, elsewhere / name)
    (elsewhere / "lambda_src" / "__pycache__").mkdir()
    (elsewhere / "lambda_src" / "__pycache__" / "report.cpython-313.pyc").write_bytes(b"cache")
    os.utime(elsewhere / "lambda_src" / "report.py", (1, 1))
    other = synthesized(elsewhere, tmp_path / "out", "prod", TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="7")
    assert other == here["prod"]


def test_stock_bindings_give_the_same_bytes_as_slim_ones(here: dict[str, dict[str, str]], tmp_path: Path) -> None:
    assert synthesized(PROJECT, tmp_path / "out", "prod", **{OFF_SWITCH: "1"}) == here["prod"]


def test_wrong_settings_end_in_words_and_exit_code_2_with_nothing_written(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(PROJECT / "main.py")],
        env={
            "PATH": os.environ["PATH"],
            "TF_WORKSPACE": "dev",
            "CDKTF_OUTDIR": str(tmp_path / "out"),
            "JITTER_THRESHOLD": "-1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "environment variable JITTER_THRESHOLD: flows.live-stream.thresholds.jitter_ms" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
