"""`media-workflow deploy`."""

import typer

from tools.cli.shared import Allowed, EnvironmentName, Yes


def deploy(environment: EnvironmentName, *, allow: Allowed = None, yes: Yes = False) -> None:
    """Plan, show the review, ask, and apply exactly that plan; exit 1 if the review blocks it."""
    from tools.operations import reviewed

    reviewed.deploy(environment, allow=allow or (), agreed=yes, say=typer.echo)
