"""`media-workflow preflight`."""

import typer

from tools.cli.shared import EnvironmentName


def preflight(environment: EnvironmentName) -> None:
    """Check the account's quotas before a deployment. Changes nothing; exit 1 if something would be refused."""
    from tools.operations.account import open_environment
    from tools.operations.preflight import checks

    settings, clients = open_environment(environment)
    found = checks(clients, settings)
    for check in found:
        typer.echo(str(check))
    raise typer.Exit(1 if any(check.fine is False for check in found) else 0)
