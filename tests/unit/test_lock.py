"""The lock file ties nobody to one package index."""

import json
from pathlib import Path

from operations.lock import without_index

PROJECT = Path(__file__).resolve().parents[2]


def test_an_index_is_taken_out_and_hashes_stay() -> None:
    lock = {
        "_meta": {"sources": [{"name": "pypi", "url": "https://index.example.com"}], "hash": {"sha256": "1"}},
        "default": {"boto3": {"hashes": ["sha256:2"], "index": "pypi", "version": "==1"}},
        "develop": {},
    }
    cleaned = without_index(json.dumps(lock))
    assert "example.com" not in cleaned
    assert json.loads(cleaned)["default"]["boto3"] == {"hashes": ["sha256:2"], "version": "==1"}


def test_the_committed_lock_file_names_no_index() -> None:
    committed = (PROJECT / "Pipfile.lock").read_text()
    assert without_index(committed) == committed
