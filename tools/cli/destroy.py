"""`media-workflow destroy`."""

from typing import Annotated

import typer

from tools.cli.shared import EnvironmentName, Yes


def destroy(
    environment: EnvironmentName,
    *,
    stop_flows: Annotated[bool, typer.Option("--stop-flows", help="stop the flows that are on air first")] = False,
    yes: Yes = False,
) -> None:
    """Remove an environment, after showing the plan and asking.

    Refuses while the environment is protected, a flow is not stopped or an incident is open.
    """
    from tools.operations.destruction import destroy as run

    run(environment, stop_flows=stop_flows, agreed=yes, say=typer.echo)
