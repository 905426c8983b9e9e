"""Plan, apply and destroy an environment with plain Terraform, in the operator's terminal and account.

Decides nothing about what is deployed. Terraform shows its plan, the operator is asked, and exactly that plan is
applied. `bootstrap` creates the bucket for the state, once for an account and Region.
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

from components.paths import PROJECT
from settings import Problem, SettingsError, load_environment
from tools.operations import protection, state_bucket
from tools.operations.account import settings_of
from tools.operations.consent import agree, need_terminal
from tools.operations.deletions import deleted_by_destroy
from tools.terraform.binary import TerraformError, initialize, shown, terraform, terraform_environment
from tools.terraform.binary import ready as terraform_ready
from tools.terraform.processes import StepError, interruptible, run_to_its_end

OUTPUT: Final = PROJECT / "cdktf.out" / "stacks"
FOLDER: Final = OUTPUT / "media-workflow"
PLAN_FILE: Final = "media-workflow.tfplan"
LOCK: Final = PROJECT / ".build" / "lock"
CHANGES: Final = 2
"""Terraform's exit code of `plan -detailed-exitcode` where there are changes."""
ONLY_NAMES: Final = (
    "[ci] has no owner_id and repository_id, so the roles will refuse {repository} if it was created, renamed or "
    "transferred since 2026-07-15, or uses immutable subjects. To trust such repositories too, run: "
    "media-workflow github-ids {environment}"
)


def bootstrap(environment: str, *, agreed: bool = False) -> None:
    """Create the bucket for Terraform's state, or adopt the one that exists. Safe to run again."""
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


def access(environment: str, *, warn: Callable[[str], None], agreed: bool = False) -> None:
    """Create or update the roles of a pipeline for `environment`. Safe to run again.

    Raises:
        SettingsError: the environment has no `[ci]`.
    """
    ready(agreed=agreed)
    ci = settings_of(environment).ci
    if ci is None:
        rule = 'is missing; give the repository as in [ci] repository = "owner/name"'
        raise SettingsError([Problem(place=f"environments/{environment}.toml", key="ci", value=None, rule=rule)])
    if ci.repository_id is None:
        warn(ONLY_NAMES.format(repository=ci.repository, environment=environment))
    with _synthesized(environment, "ci-access", agreed=agreed) as environ:
        _apply_alone("ci-access", environment, environ, agreed=agreed)


def destroy(environment: str, *, agreed: bool = False) -> None:
    """Remove the environment, after its plan was agreed to.

    Raises:
        ProtectionError: a flow in the state is not stopped, even if removed from the settings; nothing was changed.
    """
    with prepared(environment, "destroy", agreed=agreed) as environ:

        def guarded() -> AbstractContextManager[None]:
            state = json.loads(terraform("show", "-json", folder=FOLDER, environ=environ).stdout)
            return protection.guarded_environment(environment, deleted_by_destroy(state))

        what = f"destroy {environment}"
        _plan_and_apply("-destroy", folder=FOLDER, environ=environ, what=what, agreed=agreed, guarded=guarded)


def ready(*, agreed: bool = True) -> None:
    """Check, before any work, that a command can do it.

    Args:
        agreed: nothing will be asked, so no terminal is needed.

    Raises:
        TerraformError: a program is missing or too old.
        InputError: there is no terminal to ask at.
    """
    terraform_ready()
    need_terminal(agreed=_is_agreed(agreed=agreed))


@contextmanager
def prepared(environment: str, command: str, *, agreed: bool = True) -> Iterator[dict[str, str]]:
    """Synthesize and initialise, and keep other commands out of `FOLDER` meanwhile.

    Args:
        environment: as in `environments/<name>.toml`.
        command: name shown to another command that needs the folder.
        agreed: as `ready`.

    Yields:
        The environment to run terraform in.

    Raises:
        StepError: synthesis or `terraform init` failed.
        TerraformError: as `ready`, or another command is running in this clone.
        InputError: as `ready`.
        CancelledError: a signal arrived.
    """
    with _synthesized(environment, command, agreed=agreed) as found:
        environ = {**found, "TF_WORKSPACE": environment}
        initialize(environment, folder=FOLDER, environ=environ, run=shown)
        yield environ


def agree_to_plan(what: str, *, agreed: bool) -> None:
    """Ask whether to apply the plan that was shown, unless that is agreed already.

    Args:
        what: what is agreed to: `deploy prod`.
        agreed: do not ask.

    Raises:
        DeclinedError: the person does not agree.
    """
    agree(f"Apply this plan ({what})?", agreed=_is_agreed(agreed=agreed), typed=True)


def apply(environ: Mapping[str, str], *, folder: Path = FOLDER) -> None:
    """Apply the plan file in `folder`.

    Raises:
        StepError: terraform failed and has printed why.
    """
    shown("apply", "-input=false", PLAN_FILE, folder=folder, environ=environ)


def _is_agreed(*, agreed: bool) -> bool:
    """Whether to apply without asking, also by Terraform's own `-auto-approve`."""
    given = shlex.split(os.environ.get("TF_CLI_ARGS_apply", ""))  # noqa: SIM112  Terraform's own name
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
            f"{LOCK} cannot be written ({error.strerror}). Commands write to {PROJECT}: use a clone of your own."
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise TerraformError(
                f"Another command is running in {PROJECT}: {file.read()}. Wait until it ends, or use another clone."
            ) from error
        file.truncate(0)
        file.write(f"{what} (process {os.getpid()})")
        file.flush()
        yield


def _apply_alone(stack: str, environment: str, environ: Mapping[str, str], *, agreed: bool) -> None:
    """Apply a stack that has no workspaces."""
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
    """Plan, ask if there are changes, and apply exactly that plan inside `guarded`."""
    plan = ("plan", *arguments, "-detailed-exitcode", f"-out={PLAN_FILE}")
    if shown(*plan, folder=folder, environ=environ, accept=(0, CHANGES)) == CHANGES:
        agree_to_plan(what, agreed=agreed)
    with guarded():
        apply(environ, folder=folder)
