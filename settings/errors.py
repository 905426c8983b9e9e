"""Errors in settings, as sentences for the person who wrote them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One wrong setting.

    Attributes:
        place: where the value comes from: a file, an environment variable, the context.
        key: the setting, with the name of its flow or output instead of a position.
        value: the value as the operator wrote it; None if there is none.
        rule: what is allowed and why, and how to fix it; completes the sentence "KEY is VALUE: ...".
    """

    place: str
    key: str
    value: str | None
    rule: str

    def __str__(self) -> str:
        found = f"{self.key} is {self.value}" if self.value is not None else self.key
        return f"{self.place}: {found}: {self.rule}."


class SettingsError(ValueError):
    """Settings that cannot be used. The text lists all problems, one per line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = f"{len(problems)} settings cannot be used" if len(problems) > 1 else "A setting cannot be used"
        super().__init__("\n".join([f"{count}:", *(f"  {problem}" for problem in problems)]))
