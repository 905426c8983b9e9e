"""Plan, deploy and destroy of an environment with plain terraform, in the user's own terminal and account.

Decides nothing about what is deployed. The state's bucket is made by `bootstrap`, once for an account and Region.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from operations.terraform import PROJECT, terraform_environment

OUTPUT: Final = PROJECT / "cdktf.out" / "stacks"
PLAN_FILE: Final = "media-workflow.tfplan"


class StepError(RuntimeError):
    """A step failed and has already said why; holds its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit code {code}")
        self.code = code


def bootstrap(environment: str) -> None:
    """Make the bucket that holds the state of `environment`; changes nothing if it is there as it should be."""
    _synthesize(environment)
    # This stack's own state is local, one file a bucket, and knows no workspaces.
    environ = {key: value for key, value in terraform_environment().items() if key != "TF_WORKSPACE"}
    _terraform("state-backend", environ, "init", "-reconfigure")
    _terraform("state-backend", environ, "apply")


def plan(environment: str) -> None:
    """Show what would change and keep it in a plan file."""
    environ = _prepare(environment)
    _terraform("media-workflow", environ, "plan", f"-out={PLAN_FILE}")


def deploy(environment: str) -> None:
    """Change the environment; terraform asks first, and does what it showed."""
    environ = _prepare(environment)
    _terraform("media-workflow", environ, "apply")


def destroy(environment: str) -> None:
    """Remove the environment; terraform asks first. Flows must be stopped: the service deletes no active flow."""
    environ = _prepare(environment)
    _terraform("media-workflow", environ, "destroy")


def _prepare(environment: str) -> dict[str, str]:
    _synthesize(environment)
    environ = {**terraform_environment(), "TF_WORKSPACE": environment}
    _terraform("media-workflow", environ, "init", "-reconfigure")
    return environ


def _synthesize(environment: str) -> None:
    _step([sys.executable, str(PROJECT / "main.py")], {**os.environ, "TF_WORKSPACE": environment}, PROJECT)


def _terraform(stack: str, environ: Mapping[str, str], *arguments: str) -> None:
    _step(["terraform", *arguments], environ, OUTPUT / stack)


def _step(command: list[str], environ: Mapping[str, str], folder: Path) -> None:
    # Inherits the terminal: terraform asks its questions and shows its progress itself.
    done = subprocess.run(command, env=dict(environ), cwd=folder, check=False)
    if done.returncode:
        raise StepError(done.returncode)
