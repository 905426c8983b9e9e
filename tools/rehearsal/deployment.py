"""Deploys an environment to a local AWS as to the real one: synth, init, apply.

Owns the folder that Terraform works in and nothing else; `tools.rehearsal.run` plays scenarios on it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from components.paths import PROJECT
from settings import OVERRIDES, Environment, Names, load_environment
from tools.local_aws import LocalAws
from tools.rehearsal.scenario import ScenarioError
from tools.terraform.binary import TerraformError, initialize, ready, terraform, terraform_environment
from tools.terraform.processes import interruptible, run_to_its_end

SYNTHESIZE: Final = "import main, pathlib, sys; main.run(pathlib.Path(sys.argv[1]))"
STACK: Final = Path("stacks") / "media-workflow"
AT_ONCE: Final = 3
"""Applies at a time: each waits for most of its minute."""


class Deployment:
    """One environment on a local AWS.

    Args:
        aws: a running local AWS.
        name: the environment, as in `environments/<name>.toml`.
        folder: an empty folder for what is synthesized and for Terraform's files.
        progress: called with each step; Terraform takes a minute.
        settings_root: the folder with `environments/`, for one that is not the project's.

    Attributes:
        environ: the environment variables of the deployment's commands.
    """

    def __init__(
        self,
        aws: LocalAws,
        name: str,
        folder: Path,
        progress: Callable[[str], None] = lambda _: None,
        *,
        settings_root: Path = PROJECT,
    ) -> None:
        self.aws = aws
        self.names = Names(name)
        self.environment: Environment = load_environment(name, root=settings_root, environ={}, context={})
        self._settings_root = settings_root
        self.folder = folder
        self._progress = progress
        self._outputs: dict[str, Any] | None = None
        self.environ = {
            **terraform_environment({**_neutral(os.environ), **aws.environment()}),
            "TF_WORKSPACE": name,
            "CDKTF_OUTDIR": str(folder),
        }

    @property
    def root(self) -> Path:
        """The Terraform root of the stack."""
        return self.folder / STACK

    def synthesize(self) -> None:
        """Write the Terraform JSON, as `make synth` does."""
        self._progress("synthesizing")
        done = run_to_its_end(
            [sys.executable, "-c", SYNTHESIZE, str(self._settings_root)],
            folder=PROJECT,
            environ=self.environ,
            capture=True,
        )
        if done.returncode:
            raise TerraformError(f"main.py ended with {done.returncode}:\n{done.stderr}")

    def initialize(self) -> None:
        """Create the state bucket and initialise Terraform with it."""
        self._progress("initialising Terraform")
        client = self.aws.client("s3")
        name = self.environment.state_bucket_name
        if name and name not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
            client.create_bucket(Bucket=name)
        initialize(self.environment.name, folder=self.root, environ=self.environ, run=terraform)

    def apply(self) -> None:
        """Change the local AWS to what was synthesized."""
        self._outputs = None
        self._progress("applying with terraform and the real AWS provider")
        self.run("apply", "-auto-approve", "-no-color")

    def has_changes(self) -> bool:
        """Whether a plan would change anything."""
        return self.run("plan", "-detailed-exitcode", "-no-color", accept=(0, 2)).returncode == 2  # noqa: PLR2004

    def destroy(self) -> None:
        """Remove all that was applied."""
        self._outputs = None
        self._progress("destroying")
        self.run("destroy", "-auto-approve", "-no-color")

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs by name, read once."""
        if self._outputs is None:
            printed = json.loads(self.run("output", "-json", "-no-color").stdout)
            self._outputs = {name: output["value"] for name, output in printed.items()}
        return self._outputs

    def flow_arn(self, name: str) -> str:
        """The ARN of a deployed flow.

        Raises:
            ScenarioError: the environment has no such flow.
        """
        arns: dict[str, str] = self.outputs()["flow_arns"]
        if name not in arns:
            raise ScenarioError(f'No flow "{name}" in {self.environment.name}. Flows: {", ".join(arns)}.')
        return arns[name]

    def run(self, *arguments: str, accept: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run terraform on the stack, against the local AWS.

        Raises:
            TerraformError: with what terraform printed, if its exit code is not in `accept`.
        """
        return terraform(*arguments, folder=self.root, environ=self.environ, accept=accept)


def load(names: Iterable[str]) -> dict[str, Environment]:
    """The settings of environments by name, without overrides.

    Raises:
        SettingsError: one cannot be used.
    """
    return {name: load_environment(name, root=PROJECT, environ={}, context={}) for name in sorted(set(names))}


def deploy(
    aws: LocalAws,
    names: Iterable[str],
    folder: Path,
    say: Callable[[str], None],
    *,
    settings_root: Path = PROJECT,
) -> dict[str, Deployment]:
    """Apply environments in parallel, because each mostly waits; the deployments by name.

    Args:
        aws: a running local AWS.
        names: the environments.
        folder: an empty folder.
        say: called with each step.
        settings_root: the folder with `environments/`, for those that are not the project's.

    Raises:
        TerraformError: terraform or Node.js cannot be used, or terraform failed.
        CancelledError: a signal arrived; terraform has ended by itself.
    """
    ready()
    waiting = sorted(set(names))

    def applied(name: str) -> Deployment:
        deployment = Deployment(
            aws, name, folder / name, lambda text: say(f"{text} ({name})"), settings_root=settings_root
        )
        deployment.synthesize()
        deployment.initialize()
        deployment.apply()
        return deployment

    with interruptible(), ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(waiting, pool.map(applied, waiting), strict=True))


def _neutral(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment variables without those of a real account and overrides of settings."""
    overrides = {override.variable for override in OVERRIDES} | {"CDKTF_CONTEXT_JSON"}
    return {name: value for name, value in environ.items() if not name.startswith("AWS_") and name not in overrides}
