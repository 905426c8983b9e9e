"""`media-workflow start`."""

import typer

from tools.cli.shared import AllFlows, EnvironmentName, FlowName, Yes


def start(environment: EnvironmentName, flow: FlowName = None, *, every: AllFlows = False, yes: Yes = False) -> None:
    """Start a flow, or every flow with --all, and wait until it is on air.

    Asks first if the environment is protected or the flow is always on air.
    """
    from tools.operations.start_stop import start_named

    start_named(environment, flow, every=every, agreed=yes, say=typer.echo)
