"""A release is one command: it moves the changelog, sets the version, commits and tags, or refuses and changes nothing."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from components.paths import PROJECT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with what a release reads and writes."""
    for name in ("CHANGELOG.md", "pyproject.toml", "Makefile", "tools/release.sh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(PROJECT / name, tmp_path / name)
    changelog = tmp_path / "CHANGELOG.md"
    text = changelog.read_text("utf-8").replace(
        "## [Unreleased]\n", "## [Unreleased]\n\n### Added\n\n- Something.\n", 1
    )
    changelog.write_text(text, "utf-8")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "config", "user.name", "A person")
    git(tmp_path, "config", "user.email", "person@example.com")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "start")
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def release(folder: Path, version: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    command = ["make", "--no-print-directory", "release", f"VERSION={version}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_release_moves_changelog_sets_version_and_tags(clone: Path) -> None:
    before = (clone / "CHANGELOG.md").read_text("utf-8")
    assert release(clone, "7.8.9")[0] == 0
    after = (clone / "CHANGELOG.md").read_text("utf-8")
    assert re.search(
        r"^## \[Unreleased\]\n\n## \[7\.8\.9\] - \d{4}-\d\d-\d\d\n\n### Added\n\n- Something\.$", after, re.MULTILINE
    )
    assert re.sub(r"\n## \[7\.8\.9\] - .*\n", "", after) == before
    assert tomllib.loads((clone / "pyproject.toml").read_text("utf-8"))["project"]["version"] == "7.8.9"
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "describe").strip() == "v7.8.9"
    assert git(clone, "log", "-1", "--format=%s").strip() == "chore: release 7.8.9"


@pytest.mark.parametrize("version", ["", "v1.2.3", "1.2", "1.2.3-rc1"])
def test_other_versions_are_refused(clone: Path, version: str) -> None:
    assert "make release VERSION=1.2.3" in release(clone, version)[1]
    assert git(clone, "log", "-1", "--format=%s").strip() == "start"


def test_uncommitted_change_is_refused(clone: Path) -> None:
    (clone / "new").touch()
    assert "not committed" in release(clone, "7.8.9")[1]
    assert git(clone, "tag") == ""


def test_used_version_and_empty_changelog_are_refused(clone: Path) -> None:
    assert release(clone, "7.8.9")[0] == 0
    assert "is there already" in release(clone, "7.8.9")[1]
    assert "has nothing under" in release(clone, "7.9.0")[1]


def test_version_is_in_one_place() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    for name in ("package.json", "main.py", "README.md", "cdktf.json"):
        assert version not in (PROJECT / name).read_text("utf-8"), name
