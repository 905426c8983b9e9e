"""`media-workflow bench`."""

from typing import Annotated

import typer


def bench(
    sections: Annotated[
        list[str] | None, typer.Argument(help="synthesis, growth, functions, detection, plan; by default all")
    ] = None,
) -> None:
    """Measure synthesis, growth, functions, detection and planning; writes .build/bench.json."""
    from tools.bench.__main__ import main

    raise typer.Exit(main(sections or []))
