"""`media-workflow stop`."""

import typer

from tools.cli.shared import AllFlows, EnvironmentName, FlowName, Yes


def stop(environment: EnvironmentName, flow: FlowName = None, *, every: AllFlows = False, yes: Yes = False) -> None:
    """Stop a flow, or every flow with --all, and wait until it is off air.

    Asks first if the environment is protected or the flow is always on air.
    """
    from tools.operations.start_stop import stop_named

    stop_named(environment, flow, every=every, agreed=yes, say=typer.echo)
