"""`media-workflow status`."""

import typer

from tools.cli.shared import EnvironmentName, FlowName


def status(environment: EnvironmentName, flow: FlowName = None) -> None:
    """Show whether each flow is on air."""
    from tools.operations.flows import status_lines

    for line in status_lines(environment, flow):
        typer.echo(line)
