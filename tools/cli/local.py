"""`media-workflow local`."""

from typing import Annotated

import typer

from tools.cli.shared import wait_for_interrupt


def local(
    port: Annotated[int, typer.Option(min=0, max=65535, help="loopback port; 0 takes a free one")] = 0,
    environment: Annotated[str, typer.Option(help="environment whose state bucket and Region to provide")] = "dev",
) -> None:
    """Run a local AWS until Ctrl-C, and print the exports that point tools at it."""
    from tools.operations.outputs import exports, free_port

    free_port(port)
    from components.paths import PROJECT
    from settings import load_environment
    from tools.local_aws import LocalAws
    from tools.terraform.binary import terraform_environment

    settings = load_environment(environment, root=PROJECT, environ={}, context={})
    with LocalAws(region=settings.region, port=port) as aws:
        if settings.state_bucket_name:
            aws.client("s3").create_bucket(Bucket=settings.state_bucket_name)
        variables = {**aws.environment(), "CHECKPOINT_DISABLE": "1"}
        if "TF_CLI_CONFIG_FILE" in (found := terraform_environment()):
            variables["TF_CLI_CONFIG_FILE"] = found["TF_CLI_CONFIG_FILE"]
        typer.echo(exports(variables))
        wait_for_interrupt(f"Local AWS at {aws.endpoint}, with the bucket for state. Stop it with Ctrl-C.")
