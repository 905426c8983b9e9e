"""Plan, deploy and destroy of an environment with plain terraform, in the user's own terminal and account.

Decides nothing about what is deployed. The state's bucket is made by `bootstrap`, once for an account and Region.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from operations.terraform import PROJECT, initialize, terraform_environment
from settings import Problem, SettingsError, load_environment

OUTPUT: Final = PROJECT / "cdktf.out" / "stacks"
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
    _synthesize(environment)
    # This stack's own state is local, one file a bucket, and knows no workspaces.
    environ = {key: value for key, value in terraform_environment().items() if key != "TF_WORKSPACE"}
    _terraform("init", "-reconfigure", folder=OUTPUT / "state-backend", environ=environ)
    _terraform("apply", folder=OUTPUT / "state-backend", environ=environ)


def plan(environment: str) -> None:
    """Show what would change and keep it in a plan file."""
    _in_workspace(environment, "plan", f"-out={PLAN_FILE}")


def deploy(environment: str) -> None:
    """Change the environment; terraform asks first, and does what it showed."""
    _in_workspace(environment, "apply")


def destroy(environment: str) -> None:
    """Remove the environment; terraform asks first. Flows must be stopped: the service deletes no active flow."""
    _in_workspace(environment, "destroy")


def _in_workspace(environment: str, *arguments: str) -> None:
    """Synthesize an environment, and run terraform on it in its own workspace."""
    _synthesize(environment)
    folder, environ = OUTPUT / "media-workflow", {**terraform_environment(), "TF_WORKSPACE": environment}
    initialize(environment, folder=folder, environ=environ, run=_terraform)
    _terraform(*arguments, folder=folder, environ=environ)


def _synthesize(environment: str) -> None:
    _step([sys.executable, str(PROJECT / "main.py")], {**os.environ, "TF_WORKSPACE": environment}, PROJECT)


def _terraform(*arguments: str, folder: Path, environ: Mapping[str, str]) -> None:
    _step(["terraform", *arguments], environ, folder)


def _step(command: list[str], environ: Mapping[str, str], folder: Path) -> None:
    # Inherits the terminal: terraform asks its questions and shows its progress itself.
    done = subprocess.run(command, env=dict(environ), cwd=folder, check=False)
    if done.returncode:
        raise StepError(done.returncode)
