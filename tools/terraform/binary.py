"""How this project starts the `terraform` binary: its environment and where it takes the AWS provider from.

Owns nothing about what is deployed. Terraform's own configuration always wins: only where the user has none,
and the provider already lies on this machine, is a CLI configuration written for the run.
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
from slim_bindings import node
from tools.terraform.processes import StepError, run_to_its_end

PROVIDER: Final = "registry.terraform.io/hashicorp/aws"
OPTIONAL_SOFTWARE: Final = Path("/opt")  # FHS: add-on software, one folder a package
COLLECT_LESS: Final = "400"
"""GOGC. Terraform and the provider read the provider's schemas for each command, some hundred megabytes of heap;
collected this much less often, a plan takes three quarters of the processor's time and a quarter more memory."""
NEEDED: Final = (1, 10)
"""The oldest Terraform that locks state in S3 by a file, as `tools/operations/prerequisites.sh` says, too."""
WRITTEN_CONFIGURATION: Final = PROJECT / ".build" / "terraform.rc"


class Run(Protocol):
    """Runs one terraform command, with its output kept or shown."""

    def __call__(self, *arguments: str, folder: Path, environ: Mapping[str, str]) -> object:
        """Run `terraform` with `arguments` in `folder`; raises if it fails."""


class TerraformError(RuntimeError):
    """Terraform cannot be run or has failed; the message says why, or holds the command and what it printed."""


def implied_mirrors(environ: Mapping[str, str], *, platform: str = sys.platform) -> Iterator[Path]:
    """Folders that Terraform documents as implied local mirrors, then those one level below the optional root.

    See developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
    """
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or ".")
    yield PROJECT / "terraform.d" / "plugins"
    if platform == "win32":
        yield Path(environ.get("APPDATA", home)) / "terraform.d" / "plugins"
        yield Path(environ.get("APPDATA", home)) / "HashiCorp" / "Terraform" / "plugins"
        return
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
    """The CLI configuration file that Terraform would read and that exists, or None."""
    named = environ.get("TF_CLI_CONFIG_FILE")
    if named:
        return Path(named) if Path(named).is_file() else None
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or ".")
    usual = Path(environ["APPDATA"]) / "terraform.rc" if "APPDATA" in environ else home / ".terraformrc"
    return usual if usual.is_file() else None


def cli_configuration(mirror: Path) -> str:
    """Terraform CLI configuration that takes the AWS provider from `mirror` and everything else directly."""
    return (
        "provider_installation {\n"
        f'  filesystem_mirror {{\n    path    = "{mirror.as_posix()}"\n    include = ["{PROVIDER}"]\n  }}\n'
        f'  direct {{\n    exclude = ["{PROVIDER}"]\n  }}\n'
        "}\n"
    )


def terraform_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment to run terraform in: no phoning home, seldom collecting, the provider from a mirror if need be.

    A user's own CLI configuration is left alone. Without one, and with a mirror on this machine, a
    configuration is written to `.build/` and named in `TF_CLI_CONFIG_FILE`.
    """
    result = dict(os.environ if environ is None else environ)
    result["CHECKPOINT_DISABLE"] = "1"
    result.setdefault("GOGC", COLLECT_LESS)
    if user_configuration(result):
        return result
    result.pop("TF_CLI_CONFIG_FILE", None)  # it names a missing file: Terraform would only warn of it
    mirror = next((folder for folder in implied_mirrors(result) if (folder / PROVIDER).is_dir()), None)
    if mirror:
        text = cli_configuration(mirror)
        if not WRITTEN_CONFIGURATION.is_file() or WRITTEN_CONFIGURATION.read_text(encoding="utf-8") != text:
            WRITTEN_CONFIGURATION.parent.mkdir(exist_ok=True)
            # A name of its own, as several threads may get here at once.
            with tempfile.NamedTemporaryFile(
                "w", dir=WRITTEN_CONFIGURATION.parent, delete=False, encoding="utf-8"
            ) as file:
                file.write(text)
            Path(file.name).replace(WRITTEN_CONFIGURATION)
        result["TF_CLI_CONFIG_FILE"] = str(WRITTEN_CONFIGURATION)
    return result


def initialize(environment: str, *, folder: Path, environ: Mapping[str, str], run: Run) -> None:
    """Prepare the root module in `folder` for the workspace of an environment; makes the workspace if need be.

    `init` in a workspace that is not there yet asks which other one to take, so it runs in the one that always is.
    """
    run("init", "-reconfigure", folder=folder, environ={**environ, "TF_WORKSPACE": "default"})
    unbound = {name: value for name, value in environ.items() if name != "TF_WORKSPACE"}  # select refuses beside it
    run("workspace", "select", "-or-create", environment, folder=folder, environ=unbound)


def terraform(
    *arguments: str, folder: Path, environ: Mapping[str, str], accept: tuple[int, ...] = (0,)
) -> subprocess.CompletedProcess[str]:
    """Run terraform in `folder` and return what it printed.

    Args:
        arguments: the subcommand and its flags.
        folder: the root module.
        environ: the whole environment, as `terraform_environment` made it.
        accept: exit codes that are answers (`plan -detailed-exitcode` says 2 for "there are changes").

    Raises:
        TerraformError: any other exit code, or there is no terraform.
        CancelledError: a signal arrived; terraform has ended by itself.
    """
    done = _terraform(arguments, folder, environ, capture=True)
    if done.returncode not in accept:
        raise TerraformError(
            f"terraform {' '.join(arguments)} ended with {done.returncode} in {folder}:\n{done.stdout}\n{done.stderr}"
        )
    return done


def shown(*arguments: str, folder: Path, environ: Mapping[str, str], accept: tuple[int, ...] = (0,)) -> int:
    """Run terraform in `folder` with its output in the user's own terminal, and return its exit code.

    Args:
        arguments: as `terraform`.
        folder: as `terraform`.
        environ: as `terraform`.
        accept: as `terraform`.

    Raises:
        StepError: any other exit code; terraform has said why.
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
    # Terraform asks nothing: what is to be agreed to is a plan, and asked by `tools.operations.deployment`.
    quiet = {**environ, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
    try:
        return run_to_its_end(["terraform", *arguments], folder=folder, environ=quiet, capture=capture)
    except FileNotFoundError as error:
        raise TerraformError(problem(environ) or str(error)) from error


def ready() -> None:
    """Make sure that the programs are there that every command with terraform needs, before any work.

    Raises:
        TerraformError: with all that is missing or too old.
    """
    if wrong := [line for line in (problem(os.environ), node.problem()) if line]:
        raise TerraformError("\n".join(wrong))


def problem(environ: Mapping[str, str]) -> str | None:
    """What is wrong with the terraform that is found in `environ`, or None if it can be used."""
    try:
        done = subprocess.run(
            ["terraform", "version", "-json"], env=dict(environ), capture_output=True, text=True, check=False
        )
        version = re.search(r'"terraform_version": *"((\d+)\.(\d+)[^"]*)"', done.stdout)
    except OSError:
        version = None
    if version and (int(version[2]), int(version[3])) >= NEEDED:
        return None
    found = version[1] if version else "none"
    return (
        f"Terraform >= {NEEDED[0]}.{NEEDED[1]} is needed, {found} was found: install it from "
        "developer.hashicorp.com/terraform/install."
    )
