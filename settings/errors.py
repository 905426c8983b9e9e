"""Errors that an operator can cause and correct; of settings, each problem with its place and what is allowed."""

from collections.abc import Sequence
from dataclasses import dataclass


class OperatorError(Exception):
    """Base of all errors that an operator can cause and correct. Its text says what is wrong and what to do.

    Attributes:
        exit_code: of the command: 2 if its input is wrong, 1 otherwise.
    """

    exit_code = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One wrong setting.

    Attributes:
        place: where the value comes from: a file, an environment variable, the context.
        key: the setting, with the name of its flow or output instead of a position; empty if the whole file is wrong.
        value: the value as the operator wrote it; None if there is none.
        rule: what is allowed and why, and how to fix it; completes the sentence "KEY is VALUE: ...", or "FILE ...".
    """

    place: str
    key: str
    value: str | None
    rule: str

    def __str__(self) -> str:
        found = f"{self.key} is {self.value}" if self.value is not None else self.key
        text = f"{self.place}: {found}: {self.rule}." if self.key else f"{self.place} {self.rule}."
        return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


class SettingsError(OperatorError):
    """Settings that cannot be used. The text lists all problems, one per line."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = f"{len(problems)} settings cannot be used" if len(problems) > 1 else "A setting cannot be used"
        super().__init__("\n".join([f"{count}:", *(f"  {problem}" for problem in problems)]))
