"""`media-workflow close`."""

from typing import Annotated

import typer

from tools.cli.shared import EnvironmentName


def close(
    environment: EnvironmentName,
    flow: Annotated[str, typer.Argument(help="flow whose incident to close; may be removed from the settings")],
    reason: Annotated[str, typer.Option(help="why; goes into the history and the notification")],
) -> None:
    """Close the open incident of a flow by hand, and notify its recipients.

    A check that finds a problem afterwards opens a new incident.
    """
    from tools.operations.account import check_account, open_environment
    from tools.operations.close import close as run

    settings, clients = open_environment(environment)
    run(clients, settings, flow, reason=reason, account=check_account(settings), say=typer.echo)
