"""`media-workflow replay`."""

from typing import Annotated

import typer

from tools.cli.shared import EnvironmentName, print_line


def replay(
    environment: EnvironmentName,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only list the dead letters")] = False,
    discard: Annotated[
        str | None, typer.Option(metavar="MESSAGE_ID", help="delete this dead letter, which can never be handled")
    ] = None,
) -> None:
    """Re-run the workflow for everything in the dead-letter queue; stop at the first failure.

    Exit 1 if dead letters are left.
    """
    from tools.operations.replay import replay as run

    left = run(environment, dry_run=dry_run, discard=discard, say=print_line)
    raise typer.Exit(1 if left else 0)
