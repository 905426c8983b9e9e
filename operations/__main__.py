"""The command line: `python -m operations COMMAND`. Wiring only; exit codes are 0 fine, 1 not fine, 2 wrong input."""

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from operations import deployment
from operations.deployment import StepError
from operations.terraform import TerraformError
from settings import SettingsError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
console = Console(highlight=False)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

EnvironmentName = Annotated[str, typer.Argument(help="environment, as in environments/<name>.toml")]


@contextmanager
def answered() -> Iterator[None]:
    """Turn what is wrong into words and an exit code; no traceback reaches the operator."""
    from rehearsal.scenario import ScenarioError  # noqa: PLC0415  only rehearsals need it

    try:
        yield
    except (SettingsError, ScenarioError) as error:
        errors.print(str(error), markup=False)
        raise typer.Exit(2) from error
    except TerraformError as error:
        errors.print(str(error), markup=False)
        raise typer.Exit(1) from error
    except StepError as error:
        raise typer.Exit(error.code) from error


@app.command()
def rehearse(
    scenarios: Annotated[list[str] | None, typer.Argument(help="scenario files or names of shipped ones")] = None,
) -> None:
    """Deploy to an AWS on this machine, play a scenario, and show what people would be told."""
    from local_aws import LocalAws  # noqa: PLC0415  loads moto
    from rehearsal.run import play  # noqa: PLC0415
    from rehearsal.scenario import find_scenario, load_scenario  # noqa: PLC0415
    from rehearsal.show import show  # noqa: PLC0415
    from rehearsal.stage import Stage  # noqa: PLC0415

    with answered():
        loaded = [load_scenario(find_scenario(name)) for name in scenarios or ["packet_loss"]]
        passed = True
        for scenario in loaded:
            with LocalAws() as aws, tempfile.TemporaryDirectory(prefix="rehearsal-") as folder, _status() as say:
                stage = Stage(aws, scenario.environment, Path(folder), say)
                stage.synthesize()
                stage.initialize()
                stage.apply()
                say("playing the scenario")
                result = play(scenario, aws, flow_arn=stage.flow_arn(scenario.flow))
            show(result, console)
            passed &= result.passed
    raise typer.Exit(0 if passed else 1)


@app.command()
def local(
    port: Annotated[int, typer.Option(help="loopback port; 0 takes a free one")] = 0,
    environment: Annotated[str, typer.Option(help="environment whose state bucket and Region to provide")] = "dev",
) -> None:
    """Run an AWS on this machine until Ctrl-C; prints the exports that point tools at it."""
    from local_aws import LocalAws  # noqa: PLC0415  loads moto
    from operations.terraform import PROJECT, terraform_environment  # noqa: PLC0415
    from settings import load_environment  # noqa: PLC0415

    with answered():
        settings = load_environment(environment, root=PROJECT, environ={}, context={})
        with LocalAws(region=settings.region, port=port) as aws:
            if settings.state_bucket_name:
                aws.client("s3").create_bucket(Bucket=settings.state_bucket_name)
            exports = {**aws.environment(), "CHECKPOINT_DISABLE": "1"}
            if "TF_CLI_CONFIG_FILE" in (found := terraform_environment()):
                exports["TF_CLI_CONFIG_FILE"] = found["TF_CLI_CONFIG_FILE"]
            for name, value in exports.items():
                typer.echo(f"export {name}={value}")
            typer.echo(f"# Local AWS at {aws.endpoint}; the bucket for state is there. Ctrl-C ends it.")
            try:
                threading.Event().wait()
            except KeyboardInterrupt:
                typer.echo("# Stopped; everything in it is gone.")


@app.command()
def replay(
    environment: EnvironmentName,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only list what waits")] = False,  # noqa: FBT002
) -> None:
    """Hand what could not be handled, and waits in the dead-letter queue, to the workflow again."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  only replays talk to AWS themselves

    from operations.replay import ReplayError  # noqa: PLC0415
    from operations.replay import replay as run  # noqa: PLC0415

    with answered():
        try:
            left = run(environment, dry_run=dry_run, say=lambda text: console.print(text, markup=False, soft_wrap=True))
        except (ReplayError, BotoCoreError, ClientError) as error:
            errors.print(str(error), markup=False)
            raise typer.Exit(1) from error
    raise typer.Exit(1 if left else 0)


def _for_environment(step: Callable[[str], None]) -> None:
    def run(environment: EnvironmentName) -> None:
        with answered():
            step(environment)

    app.command(step.__name__, help=step.__doc__)(run)


for step in (deployment.bootstrap, deployment.plan, deployment.deploy, deployment.destroy):
    _for_environment(step)


@contextmanager
def _status() -> Iterator[Callable[[str], None]]:
    """Shows what is being done; on a terminal as a spinner, elsewhere line by line."""
    if not console.is_terminal:
        yield lambda text: console.print(f"... {text}", markup=False)
        return
    with console.status("starting a local AWS") as status:
        yield status.update


if __name__ == "__main__":
    app()
