"""The ranks of live impact, worst first, and a finding. Decides nothing."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from tools.plan_review.plan import Cause


class Rank(IntEnum):
    """What a change means for viewers and for those on call; the lowest number is the worst."""

    OFF_AIR = 1
    NOBODY_NOTIFIED = 2
    UNWATCHED = 3
    INTERRUPTED = 4
    AT_RISK = 5
    ACCESS = 6
    PROTECTION = 7
    RETENTION = 8
    CODE = 9
    CHANGED = 10

    @property
    def title(self) -> str:
        """The rank in a verdict."""
        return TITLES[self]

    @property
    def key(self) -> str:
        """The rank in the JSON form: an interface, which keeps its names."""
        return "nobody_told" if self is Rank.NOBODY_NOTIFIED else self.name.lower()

    @property
    def blocks(self) -> bool:
        """Whether a protected environment needs an allowance for it."""
        return self <= Rank.UNWATCHED


TITLES: Final = {
    Rank.OFF_AIR: "Off air",
    Rank.NOBODY_NOTIFIED: "Nobody is notified",
    Rank.UNWATCHED: "Unwatched",
    Rank.INTERRUPTED: "May interrupt",
    Rank.AT_RISK: "Weaker safety net",
    Rank.ACCESS: "More access",
    Rank.PROTECTION: "Less protection",
    Rank.RETENTION: "Shorter retention",
    Rank.CODE: "New code",
    Rank.CHANGED: "Other change",
}
Impact = tuple[Rank, str]
"""Rank and sentence of one change. The sentence has no full stop and no sensitive value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The live impact of one or more changes.

    Attributes:
        rank: how bad it is.
        sentence: what happens, and to whom. Has no sensitive value.
        causes: address and action of each change that together cause it.
    """

    rank: Rank
    sentence: str
    causes: tuple[Cause, ...]
