"""Commands that review, apply what was reviewed, look for drift, and start and stop flows. Wiring only."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import boto3
import typer

from components.paths import PROJECT
from settings import Environment, Problem, SettingsError
from tools.cli.answers import agree
from tools.operations import deployment, flows
from tools.operations.account import check_account, settings_of

Answered = Callable[[], AbstractContextManager[None]]
Name = Annotated[str, typer.Argument(help="environment, as in environments/<name>.toml")]
Flow = Annotated[str | None, typer.Argument(help="name of a flow")]
Every = Annotated[bool, typer.Option("--all", help="every flow of the environment")]
Yes = Annotated[bool, typer.Option("--yes", help="agree without being asked")]
Allowed = Annotated[list[str] | None, typer.Option("--allow", help="ADDRESS:ACTION that may be bad; repeatable")]
Agreed = Annotated[bool, typer.Option("--yes", help="apply without asking")]
DRIFT_FOUND: Final = 3
ONLY_NAMES: Final = (
    "[ci] has no owner_id and repository_id, so the roles will refuse {repository} if it was created, renamed or "
    "transferred since 2026-07-15, or uses immutable subjects. To let them in as well: "
    "media-workflow github-ids {environment}"
)


def register(app: typer.Typer, answered: Answered) -> None:
    """Add the commands of this file to the command line."""
    _register_reviews(app, answered)
    _register_pipeline(app, answered)
    _register_access(app, answered)
    _register_flows(app, answered)


def _register_reviews(app: typer.Typer, answered: Answered) -> None:
    from tools.operations.github import description_of_pull_request  # noqa: PLC0415
    from tools.operations.review import review_file  # noqa: PLC0415  reads the functions' package
    from tools.operations.reviewed import apply_plan, make_plan  # noqa: PLC0415
    from tools.operations.reviewed import deploy as run_deploy  # noqa: PLC0415
    from tools.plan_review import as_text  # noqa: PLC0415
    from tools.plan_review.allowances import allowances_in  # noqa: PLC0415

    @app.command("review-plan")
    def review_plan(
        plan: Annotated[Path, typer.Argument(help="output of `terraform show -json PLANFILE`; - for standard input")],
        environment: Annotated[str | None, typer.Option(help="environment whose protection counts")] = None,
        allow: Allowed = None,
        form: Annotated[Literal["markdown", "json", "text"], typer.Option("--format", help="for whom")] = "markdown",
    ) -> None:
        """Say what a plan means on air, worst first; 1 if it may not be applied, 2 if it cannot be read."""
        with answered():
            text, blocked = review_file(plan, environment=environment, allow=allow or (), form=form)
        typer.echo(text)
        raise typer.Exit(1 if blocked else 0)

    @app.command()
    def plan(
        environment: Name,
        *,
        allow: Allowed = None,
        allow_in: Annotated[
            str | None, typer.Option(help="variable with a text whose lines `allow ADDRESS:ACTION` count")
        ] = None,
        allow_in_pull_request: Annotated[
            bool,
            typer.Option(
                "--allow-in-pull-request",
                help="count the lines `allow ADDRESS:ACTION` of the description of the pull request that a GitHub "
                "workflow runs for",
            ),
        ] = False,
        save: Annotated[Path | None, typer.Option(help="folder to keep the plan and its review in")] = None,
    ) -> None:
        """Show what would change and its live impact; 1 if it may not be applied."""
        with answered():
            text = os.environ.get(allow_in, "") if allow_in else ""
            if allow_in_pull_request:
                text = f"{text}\n{description_of_pull_request(os.environ)}"
            found = make_plan(environment, allow=[*(allow or ()), *allowances_in(text)], save=save)
        typer.echo(f"\n{as_text(found)}")
        raise typer.Exit(1 if found.blocked else 0)

    @app.command()
    def apply(
        environment: Name,
        folder: Annotated[Path, typer.Argument(help="where `plan --save` kept the reviewed plan")],
    ) -> None:
        """Apply exactly the plan that was reviewed; refuses if plan, configuration or state have moved on."""
        with answered():
            apply_plan(environment, folder)

    @app.command()
    def deploy(environment: Name, *, allow: Allowed = None, yes: Agreed = False) -> None:
        """Plan, show the review, ask, and apply exactly that plan; 1 if it may not be applied."""
        with answered():
            run_deploy(environment, allow=allow or (), agreed=yes, say=typer.echo)


def _register_pipeline(app: typer.Typer, answered: Answered) -> None:
    from tools.operations import protection  # noqa: PLC0415
    from tools.operations.drift import drift as look  # noqa: PLC0415
    from tools.operations.drift import explained  # noqa: PLC0415
    from tools.operations.github import Repository  # noqa: PLC0415
    from tools.plan_review import as_markdown, as_text  # noqa: PLC0415

    @app.command()
    def drift(
        environment: Name,
        *,
        issue: Annotated[bool, typer.Option("--issue", help="say it in an issue on GitHub")] = False,
    ) -> None:
        """Look whether what is deployed is what is configured: 0 it is, 3 it is not, 1 it could not be seen.

        With --issue a difference opens or updates one issue and ends with 0; no difference closes it.
        """
        with answered():
            repository = Repository.of_workflow(os.environ) if issue else None
            found = look(environment)
            settings, clients = _environment(environment)
            lines = protection.differences(clients, settings)
            if repository:
                told = [*([explained(found, as_markdown(found))] if found else []), *(f"- {line}" for line in lines)]
                repository.tell_drift(environment, "\n".join(told) or None)
        typer.echo(explained(found, as_text(found)) if found else f"{environment} is deployed as it is configured.")
        for line in lines:
            typer.echo(f"Protection: {line}. `media-workflow deploy {environment}` sets it.")
        raise typer.Exit(DRIFT_FOUND if (found or lines) and not issue else 0)

    @app.command()
    def comment(
        text: Annotated[Path, typer.Argument(help="the comment; its first line marks it")],
        number: Annotated[int, typer.Option(help="number of the pull request")],
    ) -> None:
        """Write a comment on a pull request on GitHub, over the one with the same first line."""
        with answered():
            Repository.of_workflow(os.environ).comment_once(number, text.read_text(encoding="utf-8"))

    @app.command("reviewed-run")
    def reviewed_run(commit: Annotated[str, typer.Argument(help="commit on the default branch")]) -> None:
        """Find the workflow run that planned the pull request of a commit, as an output of a workflow's step."""
        with answered():
            typer.echo(f"run-id={Repository.of_workflow(os.environ).run_of_plan(commit)}")

    @app.command()
    def bootstrap(environment: Name, *, yes: Agreed = False) -> None:
        """Create the bucket for Terraform's state, or adopt the one that is there. Safe to run again."""
        with answered():
            deployment.bootstrap(environment, agreed=yes)


def _register_access(app: typer.Typer, answered: Answered) -> None:
    from tools.operations.identity import write_ids  # noqa: PLC0415

    @app.command("ci-access")
    def ci_access(environment: Name, *, yes: Agreed = False) -> None:
        """Make the roles that a pipeline plans and applies an environment with."""
        with answered():
            settings, _ = _environment(environment)
            if settings.ci is None:
                rule = 'is missing; give the repository as in [ci] repository = "owner/name"'
                raise SettingsError(
                    [Problem(place=f"environments/{environment}.toml", key="ci", value=None, rule=rule)]
                )
            if settings.ci.repository_id is None:
                typer.echo(ONLY_NAMES.format(repository=settings.ci.repository, environment=environment), err=True)
            deployment.access(environment, agreed=yes)

    @app.command("github-ids")
    def github_ids(environment: Name) -> None:
        """Look up the ids of the repository and of its owner on GitHub, and write them into the settings."""
        with answered():
            found = write_ids(environment, root=PROJECT, environ=os.environ)
        typer.echo(
            f"environments/{environment}.toml: owner_id = {found.owner_id}, repository_id = {found.repository_id} "
            f"({found.name}). To let the roles trust them: media-workflow ci-access {environment}"
        )


def _bring(environment: str, flow: str | None, verb: Literal["start", "stop"], *, every: bool, yes: bool) -> None:
    """Start or stop one flow or all, after asking where that can hurt."""
    settings, clients = _environment(environment)
    name = flows.one_or_all(settings, flow, every=every)
    found = flows.chosen(flows.states(clients, settings), name, environment=environment)
    if name is None and verb == "start":
        found = [item for item in found if not item.removed]
    reasons = list(flows.reasons_to_ask(settings, found, protected=flows.is_protected(clients, settings)))
    if reasons:
        agree(f"{' '.join(reasons)} {verb.capitalize()} {flows.listed(found)}?", yes=yes)
    (flows.start if verb == "start" else flows.stop)(clients, found, say=typer.echo)


def _register_flows(app: typer.Typer, answered: Answered) -> None:
    @app.command()
    def status(environment: Name, flow: Flow = None) -> None:
        """Show whether each flow is on air."""
        with answered():
            settings, clients = _environment(environment)
            found = flows.states(clients, settings)
            named = [item for item in found if flow in {None, item.name}]
            for item in named or flows.chosen(found, flow, environment=environment):
                typer.echo(f"{item.name}: {item.status}" + (", no longer in the settings" if item.removed else ""))

    @app.command()
    def preflight(environment: Name) -> None:
        """Check the account's quotas before a deployment. Changes nothing; exit 1 if something would be refused."""
        from tools.operations.preflight import checks  # noqa: PLC0415  only this command needs it

        with answered():
            settings, clients = _environment(environment)
            found = checks(clients, settings)
        for check in found:
            typer.echo(str(check))
        raise typer.Exit(1 if any(check.fine is False for check in found) else 0)

    @app.command()
    def start(environment: Name, flow: Flow = None, *, every: Every = False, yes: Yes = False) -> None:
        """Start a flow, or every flow with --all, and wait until it is on air.

        Asks first if the environment is protected or the flow is always on air.
        """
        with answered():
            _bring(environment, flow, "start", every=every, yes=yes)

    @app.command()
    def stop(environment: Name, flow: Flow = None, *, every: Every = False, yes: Yes = False) -> None:
        """Stop a flow, or every flow with --all, and wait until it is off air.

        Asks first if the environment is protected or the flow is always on air.
        """
        with answered():
            _bring(environment, flow, "stop", every=every, yes=yes)

    @app.command()
    def close(
        environment: Name,
        flow: Annotated[str, typer.Argument(help="flow whose incident to close; may be no longer in the settings")],
        reason: Annotated[str, typer.Option(help="why; goes into the history and the notification")],
    ) -> None:
        """Close the open incident of a flow by hand, and notify its recipients.

        A check that finds a problem afterwards opens a new incident.
        """
        from tools.operations.close import close as run  # noqa: PLC0415  reads the functions' source

        with answered():
            settings, clients = _environment(environment)
            run(clients, settings, flow, reason=reason, account=check_account(settings), say=typer.echo)

    @app.command()
    def destroy(
        environment: Name,
        *,
        stop_flows: Annotated[bool, typer.Option("--stop-flows", help="stop what is on air first")] = False,
        yes: Agreed = False,
    ) -> None:
        """Remove the environment, if nothing is on air and no incident is open; shows the plan and asks."""
        with answered():
            deployment.ready(agreed=yes)  # before a flow is stopped
            settings, clients = _environment(environment)
            flows.ready_to_destroy(
                clients,
                settings,
                stop_flows=stop_flows,
                say=typer.echo,
                agreed=lambda question: agree(question, yes=yes),
            )
            deployment.destroy(environment, agreed=yes)


def _environment(name: str) -> tuple[Environment, Callable[[str], Any]]:
    settings = settings_of(name)
    make: Any = boto3.client  # its types list every service by name
    return settings, lambda service: make(service, region_name=settings.region)
