"""What a change means: the ranks from worst to harmless, and one finding. No decision is taken here."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Rank(IntEnum):
    """What a change means for viewers and for those on call; the lowest number is the worst."""

    OFF_AIR = 1
    NOBODY_TOLD = 2
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
        """The rank in the words of a verdict."""
        return TITLES[self]

    @property
    def blocks(self) -> bool:
        """Whether a protected environment takes it only when it is allowed by address and action."""
        return self <= Rank.UNWATCHED


TITLES: Final = {
    Rank.OFF_AIR: "Off air",
    Rank.NOBODY_TOLD: "Nobody is notified",
    Rank.UNWATCHED: "Unwatched",
    Rank.INTERRUPTED: "May interrupt",
    Rank.AT_RISK: "Weaker safety net",
    Rank.ACCESS: "More access",
    Rank.PROTECTION: "Less protection",
    Rank.RETENTION: "Shorter retention",
    Rank.CODE: "New code",
    Rank.CHANGED: "Other change",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One sentence for a person.

    Attributes:
        rank: how bad it is.
        sentence: what happens, and to whom. Holds no sensitive value.
        causes: address and action of each change that together bring it about.
    """

    rank: Rank
    sentence: str
    causes: tuple[tuple[str, str], ...]
