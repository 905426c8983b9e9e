"""Plan, deploy and destroy of an environment with plain terraform, in the user's own terminal and account.

Decides nothing about what is deployed. The state's bucket is made by `bootstrap`, once for an account and Region.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from operations import protection
from operations.terraform import PROJECT, initialize, terraform, terraform_environment
from settings import Problem, SettingsError, load_environment

OUTPUT: Final = PROJECT / "cdktf.out" / "stacks"
FOLDER: Final = OUTPUT / "media-workflow"
PLAN_FILE: Final = "media-workflow.tfplan"


class StepError(RuntimeError):
    """A step failed and has already said why; holds its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit code {code}")
        self.code = code


def bootstrap(environment: str) -> None:
    """Make the bucket that holds the state of `environment`; changes nothing if it is there as it should be."""
    settings = load_environment(environment, root=PROJECT, environ=os.environ, context={})
    if settings.state_bucket_name is None:
        rule = "without an account, state is kept on this machine and needs no bucket; name it to have one"
        place = f"environments/{environment}.toml"
        raise SettingsError([Problem(place=place, key="allowed_account_ids", value="empty", rule=rule)])
    _apply_alone("state-backend", environment)


def access(environment: str) -> None:
    """Make the roles of a pipeline for `environment`; changes nothing if they are there as they should be."""
    _apply_alone("ci-access", environment)


def deploy(environment: str) -> None:
    """Change the environment; terraform asks first, and does what it showed.

    Raises:
        ProtectionError: a flow that is not stopped would be deleted or replaced; nothing was changed.
    """
    environ = prepared(environment)
    terraform("plan", f"-out={PLAN_FILE}", folder=FOLDER, environ=environ)
    shown = terraform("show", "-json", PLAN_FILE, folder=FOLDER, environ=environ).stdout
    with protection.around(environment, protection.leaving(shown)):
        run("apply", folder=FOLDER, environ=environ)


def destroy(environment: str, *, agreed: bool = False) -> None:
    """Remove the environment; terraform asks first, unless it is agreed to.

    Raises:
        ProtectionError: a flow of the state, in the settings or not, is not stopped; nothing was changed.
    """
    environ = prepared(environment)
    state = json.loads(terraform("show", "-json", folder=FOLDER, environ=environ).stdout)
    with protection.around(environment, protection.in_state(state)):
        run("destroy", *(["-auto-approve"] if agreed else []), folder=FOLDER, environ=environ)


def prepared(environment: str) -> dict[str, str]:
    """Synthesize and initialise, and return the environment to run terraform in, in `FOLDER`.

    Raises:
        StepError: one of both failed.
    """
    _synthesize(environment)
    environ = {**terraform_environment(), "TF_WORKSPACE": environment}
    initialize(environment, folder=FOLDER, environ=environ, run=run)
    return environ


def run(*arguments: str, folder: Path, environ: Mapping[str, str]) -> None:
    """Run terraform in the user's own terminal.

    Raises:
        StepError: it failed, and has said why.
    """
    _step(["terraform", *arguments], environ, folder)


def _apply_alone(stack: str, environment: str) -> None:
    """Apply a stack whose own state is local, one file each, and knows no workspaces."""
    _synthesize(environment)
    environ = {key: value for key, value in terraform_environment().items() if key != "TF_WORKSPACE"}
    run("init", "-reconfigure", folder=OUTPUT / stack, environ=environ)
    run("apply", folder=OUTPUT / stack, environ=environ)


def _synthesize(environment: str) -> None:
    _step([sys.executable, str(PROJECT / "main.py")], {**os.environ, "TF_WORKSPACE": environment}, PROJECT)


def _step(command: list[str], environ: Mapping[str, str], folder: Path) -> None:
    # Inherits the terminal: terraform asks its questions and shows its progress itself.
    done = subprocess.run(command, env=dict(environ), cwd=folder, check=False)
    if done.returncode:
        raise StepError(done.returncode)
