"""Starts the `terraform` binary: its environment, and the mirror that it takes the AWS provider from.

A CLI configuration of the user always wins. Only without one, and with the provider on this machine, a CLI
configuration is written for the run.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from components.paths import PROJECT
from settings.errors import OperatorError
from slim_bindings import node
from tools.terraform.processes import StepError, run_to_its_end

PROVIDER: Final = "registry.terraform.io/hashicorp/aws"
OPTIONAL_SOFTWARE: Final = Path("/opt")  # FHS: add-on software, one folder per package
GOGC: Final = "400"
"""Go's garbage collection target in percent. Terraform and the provider read the provider's schemas for each command,
some hundred megabytes of heap. At four times the default, a plan takes 75 % of the CPU time and 25 % more memory."""
MINIMUM: Final = (1, 10)
"""The first Terraform with lock files in S3; also in `tools/operations/prerequisites.sh`."""
WRITTEN_CONFIGURATION: Final = PROJECT / ".build" / "terraform.rc"


class Run(Protocol):
    """Runs one terraform command, with its output captured or shown."""

    def __call__(self, *arguments: str, folder: Path, environ: Mapping[str, str]) -> object:
        """Run `terraform` with `arguments` in `folder`; raise if it fails."""


class TerraformError(OperatorError):
    """Terraform cannot run, or failed; the text then holds the command and its output."""


def implied_mirrors(environ: Mapping[str, str], *, platform: str = sys.platform) -> Iterator[Path]:
    """Folders that Terraform documents as implied local mirrors, then those one level below `/opt`.

    See developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
    """
    home = Path(environ.get("HOME") or ".")
    yield PROJECT / "terraform.d" / "plugins"
    yield home / ".terraform.d" / "plugins"
    if platform == "darwin":
        yield home / "Library" / "Application Support" / "io.terraform" / "plugins"
        yield Path("/Library/Application Support/io.terraform/plugins")
    else:
        yield Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "terraform" / "plugins"
        for folder in (environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":"):
            yield Path(folder) / "terraform" / "plugins"
    if OPTIONAL_SOFTWARE.is_dir():
        yield from sorted(OPTIONAL_SOFTWARE.iterdir())


def user_configuration(environ: Mapping[str, str]) -> Path | None:
    """The existing CLI configuration file that Terraform reads, or None."""
    named = environ.get("TF_CLI_CONFIG_FILE")
    if named:
        return Path(named) if Path(named).is_file() else None
    default = Path(environ.get("HOME") or ".") / ".terraformrc"
    return default if default.is_file() else None


def cli_configuration(mirror: Path) -> str:
    """CLI configuration that installs the AWS provider from `mirror` and all others directly."""
    return (
        "provider_installation {\n"
        f'  filesystem_mirror {{\n    path    = "{mirror.as_posix()}"\n    include = ["{PROVIDER}"]\n  }}\n'
        f'  direct {{\n    exclude = ["{PROVIDER}"]\n  }}\n'
        "}\n"
    )


def terraform_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment to run terraform in: no update check, less garbage collection, a mirror if one is needed.

    A user's own CLI configuration is left alone. Without one, and with a mirror on this machine, a configuration is
    written to `.build/` and named in `TF_CLI_CONFIG_FILE`.
    """
    result = dict(os.environ if environ is None else environ)
    result["CHECKPOINT_DISABLE"] = "1"
    result.setdefault("GOGC", GOGC)
    if user_configuration(result):
        return result
    result.pop("TF_CLI_CONFIG_FILE", None)  # it names a missing file, for which Terraform only warns
    mirror = next((folder for folder in implied_mirrors(result) if (folder / PROVIDER).is_dir()), None)
    if mirror:
        text = cli_configuration(mirror)
        if not WRITTEN_CONFIGURATION.is_file() or WRITTEN_CONFIGURATION.read_text(encoding="utf-8") != text:
            WRITTEN_CONFIGURATION.parent.mkdir(exist_ok=True)
            # A unique name, because several threads may get here at the same time.
            with tempfile.NamedTemporaryFile(
                "w", dir=WRITTEN_CONFIGURATION.parent, delete=False, encoding="utf-8"
            ) as file:
                file.write(text)
            Path(file.name).replace(WRITTEN_CONFIGURATION)
        result["TF_CLI_CONFIG_FILE"] = str(WRITTEN_CONFIGURATION)
    return result


def initialize(environment: str, *, folder: Path, environ: Mapping[str, str], run: Run) -> None:
    """Initialise the root module in `folder`, and select the workspace of an environment or create it.

    `init` in a missing workspace asks which other one to select, so it runs in `default`, which always exists.
    """
    run("init", "-reconfigure", folder=folder, environ={**environ, "TF_WORKSPACE": "default"})
    unbound = {
        name: value for name, value in environ.items() if name != "TF_WORKSPACE"
    }  # `select` refuses to run with it
    run("workspace", "select", "-or-create", environment, folder=folder, environ=unbound)


def terraform(
    *arguments: str, folder: Path, environ: Mapping[str, str], accept: tuple[int, ...] = (0,)
) -> subprocess.CompletedProcess[str]:
    """Run terraform in `folder` and return its output.

    Args:
        arguments: the subcommand and its flags.
        folder: the root module.
        environ: the whole environment, from `terraform_environment`.
        accept: exit codes that are results, such as 2 of `plan -detailed-exitcode` for changes.

    Raises:
        TerraformError: any other exit code, or there is no terraform.
        CancelledError: a signal arrived; terraform has ended.
    """
    done = _terraform(arguments, folder, environ, capture=True)
    if done.returncode not in accept:
        raise TerraformError(
            f"terraform {' '.join(arguments)} exited with {done.returncode} in {folder}:\n{done.stdout}\n{done.stderr}"
        )
    return done


def shown(*arguments: str, folder: Path, environ: Mapping[str, str], accept: tuple[int, ...] = (0,)) -> int:
    """Run terraform in `folder` with its output in the user's terminal, and return its exit code.

    Args:
        arguments: as `terraform`.
        folder: as `terraform`.
        environ: as `terraform`.
        accept: as `terraform`.

    Raises:
        StepError: any other exit code; terraform has printed why.
        TerraformError: there is no terraform.
        CancelledError: as `terraform`.
    """
    code = _terraform(arguments, folder, environ, capture=False).returncode
    if code not in accept:
        raise StepError(code)
    return code


def _terraform(
    arguments: Sequence[str], folder: Path, environ: Mapping[str, str], *, capture: bool
) -> subprocess.CompletedProcess[str]:
    # Terraform asks nothing: `tools.operations.deployment` asks whether to apply a plan.
    quiet = {**environ, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
    try:
        return run_to_its_end(["terraform", *arguments], folder=folder, environ=quiet, capture=capture)
    except FileNotFoundError as error:
        raise TerraformError(problem(environ) or str(error)) from error


def ready() -> None:
    """Check, before any work, for the programs that every command with Terraform needs.

    Raises:
        TerraformError: lists every program that is missing or too old.
    """
    if problems := [line for line in (problem(os.environ), node.problem()) if line]:
        raise TerraformError("\n".join(problems))


def problem(environ: Mapping[str, str]) -> str | None:
    """Why the terraform on the path of `environ` cannot be used, or None if it can."""
    try:
        done = subprocess.run(
            ["terraform", "version", "-json"], env=dict(environ), capture_output=True, text=True, check=False
        )
        version = re.search(r'"terraform_version": *"((\d+)\.(\d+)[^"]*)"', done.stdout)
    except OSError:
        version = None
    if version and (int(version[2]), int(version[3])) >= MINIMUM:
        return None
    found = version[1] if version else "none"
    return (
        f"Terraform >= {MINIMUM[0]}.{MINIMUM[1]} is needed, {found} was found: install it from "
        "developer.hashicorp.com/terraform/install."
    )
