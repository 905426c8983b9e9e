"""Plan, apply and destroy of an environment with plain terraform, in the user's own terminal and account.

Decides nothing about what is deployed. Terraform shows its plans, the question whether to apply one is asked here, and
exactly that plan is applied. The state's bucket is made by `bootstrap`, once for an account and Region.
"""

import fcntl
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Final

import typer

from components.paths import PROJECT
from settings import Problem, SettingsError, load_environment
from tools.operations import protection, state_bucket
from tools.operations.errors import InputError
from tools.terraform.binary import TerraformError, initialize, shown, terraform, terraform_environment
from tools.terraform.binary import ready as terraform_ready
from tools.terraform.processes import StepError, interruptible, run_to_its_end

OUTPUT: Final = PROJECT / "cdktf.out" / "stacks"
FOLDER: Final = OUTPUT / "media-workflow"
PLAN_FILE: Final = "media-workflow.tfplan"
LOCK: Final = PROJECT / ".build" / "lock"
CHANGES: Final = 2
"""Terraform's exit code of `plan -detailed-exitcode` where there are changes."""


def bootstrap(environment: str, *, agreed: bool = False) -> None:
    """Create the bucket for Terraform's state, or adopt the one that is there. Safe to run again."""
    settings = load_environment(environment, root=PROJECT, environ=os.environ, context={})
    if settings.state_bucket_name is None:
        rule = "without an account, state is kept on this machine and needs no bucket; name it to have one"
        place = f"environments/{environment}.toml"
        raise SettingsError([Problem(place=place, key="allowed_account_ids", value="empty", rule=rule)])
    with (
        _synthesized(environment, "bootstrap", agreed=agreed) as environ,
        state_bucket.adopted(OUTPUT / "state-backend", settings, settings.state_bucket_name),
    ):
        _apply_alone("state-backend", environment, environ, agreed=agreed)


def access(environment: str, *, agreed: bool = False) -> None:
    """Create or update the roles of a pipeline for `environment`. Safe to run again."""
    with _synthesized(environment, "ci-access", agreed=agreed) as environ:
        _apply_alone("ci-access", environment, environ, agreed=agreed)


def destroy(environment: str, *, agreed: bool = False) -> None:
    """Remove the environment, after the plan for it was agreed to.

    Raises:
        ProtectionError: a flow of the state, in the settings or not, is not stopped; nothing was changed.
    """
    with prepared(environment, "destroy", agreed=agreed) as environ:

        def guarded() -> AbstractContextManager[None]:
            state = json.loads(terraform("show", "-json", folder=FOLDER, environ=environ).stdout)
            return protection.around(environment, protection.in_state(state))

        what = f"destroy {environment}"
        _plan_and_apply("-destroy", folder=FOLDER, environ=environ, what=what, agreed=agreed, guarded=guarded)


def ready(*, agreed: bool = True) -> None:
    """Make sure that a command can do its work, before any of it.

    Args:
        agreed: nothing will be asked; otherwise a terminal is needed.

    Raises:
        TerraformError: a program is missing or too old.
        InputError: there is nobody to ask.
    """
    terraform_ready()
    if not _is_agreed(agreed=agreed) and not sys.stdin.isatty():
        raise InputError(
            "This command asks before it changes anything, and there is no terminal to ask at. Run it on a terminal, "
            "or with --yes to agree beforehand."
        )


@contextmanager
def prepared(environment: str, command: str, *, agreed: bool = True) -> Iterator[dict[str, str]]:
    """Synthesize and initialise; meanwhile, `FOLDER` is this command's own.

    Args:
        environment: as in `environments/<name>.toml`.
        command: for whoever else wants the folder.
        agreed: as `ready`.

    Yields:
        The environment to run terraform in.

    Raises:
        StepError: one of both failed.
        TerraformError: as `ready`, or another command works in this clone.
        InputError: as `ready`.
        CancelledError: a signal arrived.
    """
    with _synthesized(environment, command, agreed=agreed) as found:
        environ = {**found, "TF_WORKSPACE": environment}
        initialize(environment, folder=FOLDER, environ=environ, run=shown)
        yield environ


def agree(what: str, *, agreed: bool) -> None:
    """Ask whether to apply the plan that was shown, unless it is agreed already.

    Args:
        what: what is agreed to: `deploy prod`.
        agreed: do not ask.

    Raises:
        StepError: no; that nothing was changed has been said.
    """
    if _is_agreed(agreed=agreed):
        return
    # On standard error, where it is seen although the output goes to a file.
    answer = typer.prompt(
        f"\nApply this plan ({what})? Only 'yes' is accepted", default="", show_default=False, err=True
    )
    if answer.strip() != "yes":
        typer.echo("Nothing was changed.", err=True)
        raise StepError(1)


def apply(environ: Mapping[str, str], *, folder: Path = FOLDER) -> None:
    """Apply the plan file in `folder`.

    Raises:
        StepError: terraform failed and has said why.
    """
    shown("apply", "-input=false", PLAN_FILE, folder=folder, environ=environ)


def _is_agreed(*, agreed: bool) -> bool:
    """Whether to apply without asking: Terraform's own way to say so counts, too."""
    given = shlex.split(os.environ.get("TF_CLI_ARGS_apply", ""))  # noqa: SIM112  its name
    return agreed or "-auto-approve" in given


@contextmanager
def _synthesized(environment: str, command: str, *, agreed: bool) -> Iterator[dict[str, str]]:
    with interruptible():
        ready(agreed=agreed)
        with _alone_in_clone(f"{command} {environment}"):
            environ = terraform_environment()
            synthesis = {**os.environ, "TF_WORKSPACE": environment, "CDKTF_OUTDIR": str(OUTPUT.parent)}
            done = run_to_its_end(
                [sys.executable, str(PROJECT / "main.py")], folder=PROJECT, environ=synthesis, capture=False
            )
            if done.returncode:
                raise StepError(done.returncode)
            yield environ


@contextmanager
def _alone_in_clone(what: str) -> Iterator[None]:
    """Keep other commands out of `cdktf.out`, which holds one environment at a time. Ends with this process."""
    try:
        LOCK.parent.mkdir(exist_ok=True)
        file = LOCK.open("a+", encoding="utf-8")
    except OSError as error:
        raise TerraformError(
            f"{LOCK} cannot be written ({error.strerror}). The commands need to write to {PROJECT}: use a clone of "
            "your own."
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise TerraformError(
                f"Another command works in {PROJECT}: {file.read()}. Wait until it has ended, or use another clone."
            ) from error
        file.truncate(0)
        file.write(f"{what} (process {os.getpid()})")
        file.flush()
        yield


def _apply_alone(stack: str, environment: str, environ: Mapping[str, str], *, agreed: bool) -> None:
    """Apply a stack that knows no workspaces."""
    unbound = {key: value for key, value in environ.items() if key != "TF_WORKSPACE"}
    shown("init", "-reconfigure", folder=OUTPUT / stack, environ=unbound)
    _plan_and_apply(folder=OUTPUT / stack, environ=unbound, what=f"{stack} of {environment}", agreed=agreed)


def _plan_and_apply(
    *arguments: str,
    folder: Path,
    environ: Mapping[str, str],
    what: str,
    agreed: bool,
    guarded: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> None:
    """Plan, ask if there are changes, and apply exactly that plan inside of `guarded`."""
    plan = ("plan", *arguments, "-detailed-exitcode", f"-out={PLAN_FILE}")
    if shown(*plan, folder=folder, environ=environ, accept=(0, CHANGES)) == CHANGES:
        agree(what, agreed=agreed)
    with guarded():
        apply(environ, folder=folder)
