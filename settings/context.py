"""The context of a synthesis: keys of `cdktf.json`, under what the CDKTF command line passes on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read_context(environ: Mapping[str, str], *, root: Path) -> dict[str, Any]:
    """The context by key.

    Args:
        environ: variables; `CDKTF_CONTEXT_JSON` is CDKTF's own.
        root: the folder with `cdktf.json`.
    """
    written = json.loads((root / "cdktf.json").read_text(encoding="utf-8")).get("context", {})
    return {**written, **json.loads(environ.get("CDKTF_CONTEXT_JSON", "{}"))}
