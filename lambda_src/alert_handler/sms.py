"""Short texts for phones: one billed part where that is enough, and never more than SNS delivers. Pure."""

import unicodedata
from collections.abc import Iterable
from typing import Final

PART: Final = 140
"""Bytes of one part. It holds 160 characters of GSM-7, but 140 fit in whichever of its encodings SNS sends a text."""
LIMIT: Final = 1600
"""Bytes that SNS takes for one text; a longer one is not delivered."""
ROOM: Final = 60
"""Bytes that must be left for the issue after the names; if fewer are left, the text takes a second part."""

GSM: Final = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 \n!\"#%&'()*+,-./:;<=>?_@£$¥¤§¡¿"
    "èéùìòÇØøÅåÆæßÉÄÖÑÜäöñüàΔΦΓΛΩΠΨΣΘΞ"
)
"""The basic characters of GSM-7: one that is not among them makes the whole text UCS-2, with 70 characters a part."""
INSTEAD: Final = {
    "|": "/",
    "~": "-",
    "^": "'",
    "\\": "/",
    "`": "'",
    "€": "EUR",
    "→": "->",
    "≥": ">=",
    "≤": "<=",
    "µ": "u",
}
INSTEAD_OF_KIND: Final = {"Pd": "-", "Pi": "'", "Pf": "'", "Ps": "(", "Pe": ")"}
"""Equivalents in GSM-7, also for characters that take two of its places; by character, and for dashes, quotation
marks and brackets by Unicode's category."""


def plain(text: str) -> str:
    """The text on one line in characters of GSM-7; only letters and digits that it lacks are kept as they are."""
    return " ".join("".join(map(_plain, text)).split())


def _plain(letter: str) -> str:
    if letter in GSM:
        return letter
    base = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    if letter not in INSTEAD and base and set(base) <= GSM:
        return base
    kind = unicodedata.category(letter)
    return INSTEAD.get(letter) or INSTEAD_OF_KIND.get(kind) or (letter if kind[0] in "LMN" else " ")


def size(text: str) -> int:
    """How many bytes a text takes on its way, at least as many as SNS and the phone network count."""
    encoded = len(text.encode())
    return encoded if set(text) <= GSM else max(encoded, len(text.encode("utf-16-be")))


def cut(text: str, limit: int) -> str:
    """The text, or as much of its beginning as fits with "..." after a whole word."""
    if size(text) <= limit:
        return text
    kept = text[:limit]
    while kept and size(f"{kept}...") > limit:
        kept = kept[:-1]
    words, space, _ = kept.rpartition(" ")
    return f"{(words if space and text[len(kept) : len(kept) + 1] != ' ' else kept).rstrip(' ,:;.')}..."


def short(names: str, what: str, more: Iterable[str]) -> str:
    """A text for a phone: the names and what is wrong always, and of `more` what still fits into the part.

    Args:
        names: severity, flow and environment.
        what: what is wrong.
        more: sentences in the order of their worth.
    """
    head = plain(names)
    text = cut(f"{head} {plain(what)}", min(LIMIT, max(PART, size(head) + ROOM)))
    for sentence in more:
        longer = f"{text} {plain(sentence)}"
        text = longer if size(longer) <= PART else text
    return text
