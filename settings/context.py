"""The context of a synthesis: that of `cdktf.json`, overridden by what the CDKTF command line passes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read_context(environ: Mapping[str, str], *, root: Path) -> dict[str, Any]:
    """Return the context by key.

    Args:
        environ: environment variables; CDKTF sets `CDKTF_CONTEXT_JSON`.
        root: the folder with `cdktf.json`.
    """
    written = json.loads((root / "cdktf.json").read_text(encoding="utf-8")).get("context", {})
    return {**written, **json.loads(environ.get("CDKTF_CONTEXT_JSON", "{}"))}
