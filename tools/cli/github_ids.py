"""`media-workflow github-ids`."""

import os

import typer

from tools.cli.shared import EnvironmentName


def github_ids(environment: EnvironmentName) -> None:
    """Look up the ids of the pipeline's repository and its owner on GitHub, and write them into the settings."""
    from components.paths import PROJECT
    from tools.operations.identity import write_ids

    found = write_ids(environment, root=PROJECT, environ=os.environ)
    typer.echo(
        f"environments/{environment}.toml: owner_id = {found.owner_id}, repository_id = {found.repository_id} "
        f"({found.name}). To let the roles trust them: media-workflow ci-access {environment}"
    )
