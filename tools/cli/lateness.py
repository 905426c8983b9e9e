"""The command `lateness`: plays outages and breached rules while metrics are late, and shows what is notified when.

Wiring only; what is played, and the target of each cell, is in `tools.rehearsal.lateness`.
"""

from typing import Annotated

import typer

from tools.cli.answers import answered, console, progress

LATENESS_HELP = "play only these rows, such as 180 or '60..180 #1' (repeatable)"


def lateness(
    rows: Annotated[list[str] | None, typer.Option("--lateness", help=LATENESS_HELP)] = None,
    beyond: Annotated[
        int, typer.Option(min=0, help="periods of each alarm's evaluation range beyond its evaluation periods")
    ] = 2,
) -> None:
    """Show which notifications come, and when, while metrics are up to four minutes late.

    Exits with 0 if every cell meets its target, and with 1 if one does not; those are marked with an exclamation mark.
    """
    from tools.rehearsal.lateness import LATENESS, conditions, missed, text  # noqa: PLC0415
    from tools.rehearsal.measurement import measure_in_processes  # noqa: PLC0415  loads moto

    if unknown := sorted(set(rows or []) - set(LATENESS)):
        raise typer.BadParameter(f"no row {', '.join(unknown)}. Rows: {', '.join(LATENESS)}", param_hint="--lateness")
    played = {}
    with answered():
        wanted = conditions(rows or list(LATENESS))
        with progress() as say:
            say(f"deploying environments to play {len(wanted)} rows on")
            for row, cells in measure_in_processes(wanted, beyond=beyond):
                played[row] = cells
                say(f"played {row.protocol}, a check every {row.checks} min, lateness {row.lateness}")
        console.print(text({row: played[row] for row in wanted}), markup=False, soft_wrap=True)
    raise typer.Exit(1 if missed(played) else 0)
