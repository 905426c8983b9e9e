"""Takes the name of the package index out of `Pipfile.lock`, so that each machine's own configured one is used.

Run by `make lock`; standard library only, because it runs before anything is installed.
"""

import json
import sys
from pathlib import Path


def without_index(lock: str) -> str:
    """The lock file's text with no source and no package tied to one. Hashes stay, so what is installed stays."""
    content = json.loads(lock)
    content["_meta"]["sources"] = []
    for section in ("default", "develop"):
        for package in content[section].values():
            package.pop("index", None)
    return json.dumps(content, indent=4, sort_keys=True) + "\n"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(without_index(path.read_text(encoding="utf-8")), encoding="utf-8")
