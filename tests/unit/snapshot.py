"""Compares a text with a file beside the tests; `WRITE_SNAPSHOTS=1` writes the file instead, for a person to review."""

import os
from pathlib import Path


def same_as_file(path: Path, text: str) -> None:
    """Fail unless the file holds exactly this text."""
    if os.environ.get("WRITE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path.name} differs; see WRITE_SNAPSHOTS in {__name__}"
