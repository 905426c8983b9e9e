"""Text and values of a plan, safe inside Markdown."""

from typing import Final

VALUE_LIMIT: Final = 120


def cell(text: str) -> str:
    """A text that ends neither the code nor the table cell around it, and is not a tag."""
    return " ".join(text.translate(str.maketrans("`|<>", "'/()")).split())


def value(text: str) -> str:
    """A value as code in one line."""
    flat = cell(" ".join(text.split()))
    return f"`{flat}`" if len(flat) <= VALUE_LIMIT else f"`{flat[:VALUE_LIMIT]}…` ({len(text)} characters)"
