"""The prose linter finds what the glossary retires, and nothing else."""

import re
from pathlib import Path

import pytest

from tools.lint import prose

ROWS = """
| Word | Instead of | Meaning |
|---|---|---|
| notify | `told`; `hear of` | Sending a message |
| dead letter | `letters`, but `dead letters`, `lower-case letters` | A message that could not be handled |
| flow | | What carries a stream |
"""


def hits(text: str) -> list[str]:
    """The retired words in a text, in the order of the glossary."""
    return [word.word for word in prose.retired(ROWS) for _ in word.find(text)]


def test_only_words_in_backticks_are_retired() -> None:
    assert [(word.word, word.instead, word.fine) for word in prose.retired(ROWS)] == [
        ("told", "notify", ()),
        ("hear of", "notify", ()),
        ("letters", "dead letter", ("dead letters", "lower-case letters")),
    ]


@pytest.mark.parametrize(
    "text", ["Nobody is told.", "Told twice", "told_twice = 1", "test_a_person_is_told", "f'is told'", "(told)"]
)
def test_whole_word_is_found_in_prose_and_identifiers(text: str) -> None:
    assert hits(text) == ["told"]


def test_phrase_is_found_across_lines_of_a_comment() -> None:
    assert hits("# those who hear\n    # of it") == ["hear of"]


@pytest.mark.parametrize(
    "text", ["untold", "toldest", "dead letters", "dead_letters", "`told`", 'row["told"]', '"a.told"']
)
def test_other_words_and_names_in_quotes_are_fine(text: str) -> None:
    assert hits(text) == []


def test_main_counts_hits_per_file_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad, good = tmp_path / "bad.md", tmp_path / "good.md"
    bad.write_text("One.\nNobody is told, and told again.\n", encoding="utf-8")
    good.write_text("Nobody is notified.\n", encoding="utf-8")
    assert prose.main([str(good)]) == 0
    assert prose.main([str(good), str(bad)]) == 1
    printed = capsys.readouterr().out
    assert re.search(r'bad\.md:2: "told" is retired; write: notify', printed)
    assert re.search(r"^ +2  .*bad\.md$", printed, re.MULTILINE)
