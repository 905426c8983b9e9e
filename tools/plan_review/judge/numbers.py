"""Numbers as Terraform writes them."""

from typing import Any


def number(value: Any) -> float:
    """A number or a text that holds one; 0 for anything else."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0
