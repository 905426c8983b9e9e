"""Plan, deploy, operate and rehearse environments.

Exit codes: 0 fine, 1 not fine, 2 wrong input, 3 drift; 128 plus the signal if interrupted.
"""

import threading
from typing import Annotated

import typer

from tools.cli import adoption
from tools.cli.answers import answered, console, errors
from tools.cli.lateness import lateness
from tools.cli.rehearse import rehearse
from tools.operations.account import check_first
from tools.operations.outputs import exports, free_port

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
app.command()(rehearse)
app.command()(lateness)

EnvironmentName = Annotated[str, typer.Argument(help="environment, as in environments/<name>.toml")]


@app.command()
def local(
    port: Annotated[int, typer.Option(min=0, max=65535, help="loopback port; 0 takes a free one")] = 0,
    environment: Annotated[str, typer.Option(help="environment whose state bucket and Region to provide")] = "dev",
) -> None:
    """Run a local AWS until Ctrl-C; prints the exports that point tools at it."""
    with answered():
        free_port(port)
    from components.paths import PROJECT  # noqa: PLC0415
    from settings import load_environment  # noqa: PLC0415
    from tools.local_aws import LocalAws  # noqa: PLC0415  loads moto
    from tools.terraform.binary import terraform_environment  # noqa: PLC0415

    with answered():
        settings = load_environment(environment, root=PROJECT, environ={}, context={})
        with LocalAws(region=settings.region, port=port) as aws:
            if settings.state_bucket_name:
                aws.client("s3").create_bucket(Bucket=settings.state_bucket_name)
            variables = {**aws.environment(), "CHECKPOINT_DISABLE": "1"}
            if "TF_CLI_CONFIG_FILE" in (found := terraform_environment()):
                variables["TF_CLI_CONFIG_FILE"] = found["TF_CLI_CONFIG_FILE"]
            typer.echo(exports(variables))
            typer.echo(f"# Local AWS at {aws.endpoint}; the bucket for state is there. Ctrl-C ends it.")
            try:
                threading.Event().wait()
            except KeyboardInterrupt:
                typer.echo("# Stopped; everything in it is gone.")


@app.command()
def replay(
    environment: EnvironmentName,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only list what waits")] = False,  # noqa: FBT002
    discard: Annotated[
        str | None, typer.Option(metavar="MESSAGE_ID", help="delete this message, which can never be handled")
    ] = None,
) -> None:
    """Re-run the workflow for what waits in the dead-letter queue, until a message cannot be handled."""
    from tools.operations.replay import ReplayError, UnknownLetterError  # noqa: PLC0415
    from tools.operations.replay import replay as run  # noqa: PLC0415

    with answered():
        try:
            left = run(
                environment,
                dry_run=dry_run,
                discard=discard,
                say=lambda text: console.print(text, markup=False, soft_wrap=True),
            )
        except UnknownLetterError as error:
            errors.print(str(error), markup=False)
            raise typer.Exit(2) from error
        except ReplayError as error:
            errors.print(str(error), markup=False)
            raise typer.Exit(1) from error
    raise typer.Exit(1 if left else 0)


adoption.register(app, answered)
check_first(app)


if __name__ == "__main__":
    app()
