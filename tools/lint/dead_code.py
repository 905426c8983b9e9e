"""Finds unused code with vulture, as set in pyproject.toml: `python -m tools.lint.dead_code`. Exits 1 if there is any.

Fields of typed classes do not count: data is read by key, or by iterating over the fields of its model.
"""

import ast
import sys
import tomllib
from functools import cache
from pathlib import Path

from vulture.core import Vulture  # type: ignore[import-untyped]

from components.paths import PROJECT


def main() -> int:
    """Print what is unused; the exit code."""
    given = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["vulture"]
    vulture = Vulture(ignore_names=given["ignore_names"], ignore_decorators=given["ignore_decorators"])
    vulture.scavenge([str(PROJECT / path) for path in given["paths"]])
    unused = [
        item
        for item in vulture.get_unused_code(min_confidence=given["min_confidence"])
        if item.typ != "variable" or item.first_lineno not in fields(Path(item.filename))
    ]
    for item in unused:
        sys.stdout.write(f"{item.get_report()}\n")
    return 1 if unused else 0


@cache
def fields(path: Path) -> frozenset[int]:
    """The lines on which a class declares a field with its type."""
    classes = (node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.ClassDef))
    return frozenset(line.lineno for node in classes for line in node.body if isinstance(line, ast.AnnAssign))


if __name__ == "__main__":
    sys.exit(main())
