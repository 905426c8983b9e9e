"""Refuses the words that docs/glossary.md retires, in all text files: `python -m tools.lint.prose [FILE ...]`.

Prints one line per hit (file, line, word, replacement), and the number of hits per file. Exits 1 if there are any.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from components.paths import PROJECT

GLOSSARY: Final = "docs/glossary.md"
SUFFIXES: Final = (*(".css", ".hcl", ".jinja", ".js", ".json", ".md", ".py", ".sh", ".tf"), *(".toml", ".yaml", ".yml"))
FOLDERS: Final = (
    *(".ci", ".github", "components", "docs", "environments", "lambda_src", "modules", "settings", "slim_bindings"),
    *("stacks", "tests", "tools"),
)
NAMES: Final = ("Makefile", "Pipfile", "run")
EXEMPT: Final = (GLOSSARY, "package-lock.json", "tests/unit/test_prose.py")
GAP: Final = r"(?:[\s#*_]|-)+"
"""Between the words of a phrase: it may be wrapped, also in a comment, or be part of an identifier."""


class Retired(NamedTuple):
    """A retired word, the word to use, and the phrases in which it is fine."""

    word: str
    instead: str
    fine: tuple[str, ...]

    @property
    def first(self) -> str:
        """Its first word, without which there is no hit."""
        return self.word.split()[0]

    def find(self, text: str) -> Iterator[int]:
        """The position of each use that is not fine."""
        spans = [found.span() for phrase in self.fine for found in pattern(phrase).finditer(text)]
        for found in pattern(self.word).finditer(text):
            if not any(start <= found.start() < end for start, end in spans) and not is_name(text, *found.span()):
                yield found.start()


@cache
def pattern(phrase: str) -> re.Pattern[str]:
    """A phrase as whole words in any case; an underscore separates words, too."""
    words = GAP.join(re.escape(word) for word in re.split(r"[ _-]", phrase))
    return re.compile(rf"(?<![A-Za-z]){words}(?![A-Za-z])", re.IGNORECASE)


def is_name(text: str, start: int, end: int) -> bool:
    """Whether this is (part of) one word in quotes, such as a stored key or an address."""
    before = re.search(r"[\"'`]?[^\s\"'`]*$", text[max(0, start - 80) : start])
    after = re.match(r"[^\s\"'`]*[\"'`]?", text[end : end + 80])
    opened, closed = (before[0] if before else ""), (after[0] if after else "")
    return opened[:1] in {'"', "'", "`"} and opened[:1] == closed[-1:]


def retired(glossary: str) -> list[Retired]:
    """The retired words of the glossary's tables."""
    rows = [[cell.strip() for cell in line.split("|")] for line in glossary.splitlines() if line.startswith("| ")]
    entries = [(row[1], entry) for row in rows for entry in row[2].split(";") if "`" in entry]
    found = [(instead, re.findall(r"`([^`]+)`", entry)) for instead, entry in entries]
    return [Retired(word, instead, tuple(fine)) for instead, (word, *fine) in found]


def files() -> list[str]:
    """The text files of the project, relative to it."""
    below = (path for folder in FOLDERS for path in (PROJECT / folder).rglob("*"))
    names = [path.relative_to(PROJECT).as_posix() for path in (*PROJECT.glob("*.*"), PROJECT / "Makefile", *below)]
    return sorted(
        name
        for name in names
        if (name.endswith(SUFFIXES) or Path(name).name in NAMES)
        and name not in EXEMPT
        and ".terraform/" not in name
        and (PROJECT / name).is_file()
    )


def main(names: list[str]) -> int:
    """Check the named files, or all; the exit code."""
    words = retired((PROJECT / GLOSSARY).read_text(encoding="utf-8"))
    hits: Counter[str] = Counter()
    for name in names or files():
        text = (PROJECT / name).read_text(encoding="utf-8")
        lowered = text.lower()
        for word in (word for word in words if word.first in lowered):
            for position in word.find(text):
                hits[name] += 1
                line = text.count("\n", 0, position) + 1
                sys.stdout.write(f'{name}:{line}: "{word.word}" is retired; write: {word.instead}\n')
    for name, count in sorted(hits.items()):
        sys.stdout.write(f"{count:5}  {name}\n")
    return 1 if hits else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
