"""`media-workflow apply`."""

from pathlib import Path
from typing import Annotated

import typer

from tools.cli.shared import EnvironmentName


def apply(
    environment: EnvironmentName,
    folder: Annotated[Path, typer.Argument(help="where `plan --save` kept the reviewed plan")],
) -> None:
    """Apply exactly the plan that was reviewed.

    Refuses if plan, configuration or state have changed since.
    """
    from tools.operations.reviewed import apply_plan

    apply_plan(environment, folder)
