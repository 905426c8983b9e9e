"""Removes the package index from `Pipfile.lock`, so that each machine uses its own configured one.

Run by `make lock`. Standard library only, because it runs before anything is installed.
"""

import json
import sys
from pathlib import Path


def without_index(lock: str) -> str:
    """The lock file's text with no package source. Hashes stay, so the same packages are installed."""
    content = json.loads(lock)
    content["_meta"]["sources"] = []
    for section in ("default", "develop"):
        for package in content[section].values():
            package.pop("index", None)
    return json.dumps(content, indent=4, sort_keys=True) + "\n"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(without_index(path.read_text(encoding="utf-8")), encoding="utf-8")
