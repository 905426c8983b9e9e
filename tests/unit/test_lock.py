"""The lock file names no package index."""

import json
from pathlib import Path

import pytest
from packaging.markers import Marker

from tools.operations.lock import without_index

PROJECT = Path(__file__).resolve().parents[2]


def test_index_is_removed_and_hashes_stay() -> None:
    lock = {
        "_meta": {"sources": [{"name": "pypi", "url": "https://index.example.com"}], "hash": {"sha256": "1"}},
        "default": {"boto3": {"hashes": ["sha256:2"], "index": "pypi", "version": "==1"}},
        "develop": {},
    }
    cleaned = without_index(json.dumps(lock))
    assert "example.com" not in cleaned
    assert json.loads(cleaned)["default"]["boto3"] == {"hashes": ["sha256:2"], "version": "==1"}


def test_committed_lock_file_names_no_index() -> None:
    committed = (PROJECT / "Pipfile.lock").read_text()
    assert without_index(committed) == committed


@pytest.mark.parametrize("python", ["3.11", "3.14"])
def test_locked_packages_install_on_every_supported_python(python: str) -> None:
    lock = json.loads((PROJECT / "Pipfile.lock").read_text())
    running = {"python_version": python, "python_full_version": f"{python}.0"}
    left_out = [
        name
        for section in ("default", "develop")
        for name, package in lock[section].items()
        if "markers" in package and not Marker(package["markers"]).evaluate(running)
    ]
    assert left_out == []
