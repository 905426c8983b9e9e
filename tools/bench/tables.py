"""Prints figures as tables."""

import sys
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table

console: Final = Console(width=None if sys.stdout.isatty() else 120)


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; all but its first column are figures."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)
