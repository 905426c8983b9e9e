"""`media-workflow lateness`."""

from typing import Annotated

import typer

from tools.cli.shared import print_line, progress

ROWS_HELP = "play only these rows, such as 180 or '60..180 #1' (repeatable)"


def lateness(
    rows: Annotated[list[str] | None, typer.Option("--lateness", help=ROWS_HELP)] = None,
    beyond: Annotated[
        int, typer.Option(min=0, help="periods of each alarm's evaluation range beyond its evaluation periods")
    ] = 2,
) -> None:
    """Show which notifications arrive, and when, while metrics are up to four minutes late.

    Exit 0 if every cell meets its target, 1 if one does not; those are marked with an exclamation mark.
    """
    from tools.rehearsal.lateness import LATENESS, conditions, missed, text
    from tools.rehearsal.measurement import measure_in_processes

    if unknown := sorted(set(rows or []) - set(LATENESS)):
        raise typer.BadParameter(f"no row {', '.join(unknown)}. Rows: {', '.join(LATENESS)}", param_hint="--lateness")
    played = {}
    wanted = conditions(rows or list(LATENESS))
    with progress() as say:
        say(f"deploying environments to play {len(wanted)} rows on")
        for row, cells in measure_in_processes(wanted, beyond=beyond):
            played[row] = cells
            say(f"played {row.protocol}, a check every {row.checks} min, lateness {row.lateness}")
    print_line(text({row: played[row] for row in wanted}))
    raise typer.Exit(1 if missed(played) else 0)
