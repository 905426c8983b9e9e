"""The local AWS of this folder's tests and its deployments, each created once."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.paths import PROJECT
from tests.local.github import GitHub, running
from tests.local.live_flow import LiveFlow
from tests.local.pages import Clone
from tools.local_aws import LocalAws
from tools.rehearsal.deployment import Deployment
from tools.terraform.binary import terraform_environment

OnAir = Callable[[str], LiveFlow]


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """A running local AWS."""
    with LocalAws() as running:
        yield running


@pytest.fixture(scope="module")
def github() -> Iterator[GitHub]:
    """A GitHub of the tests of one file."""
    with running() as found:
        yield found


@dataclass(frozen=True, slots=True)
class Deployed:
    """The shipped environments in one account, each in its own workspace of one state bucket."""

    dev: Deployment
    staging: Deployment
    prod: Deployment


@pytest.fixture(scope="session")
def deployed(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """`dev` and `prod` by plain terraform, `staging` by the CDKTF command line.

    In parallel, because each mostly waits.
    """
    dev, staging, prod = (Deployment(aws, name, tmp_path_factory.mktemp(name)) for name in ("dev", "staging", "prod"))
    for deployment in (dev, staging, prod):
        deployment.synthesize()
        deployment.initialize()
    with ThreadPoolExecutor() as pool:
        by_cdktf = pool.submit(cdktf, staging, "deploy", "media-workflow", "--auto-approve", "--skip-provider-lock")
        for done in (pool.submit(dev.apply), pool.submit(prod.apply), by_cdktf):
            done.result()
    return Deployed(dev, staging, prod)


@pytest.fixture(scope="session")
def deployment(deployed: Deployed) -> Deployment:
    """The environment `dev`, applied."""
    return deployed.dev


def cdktf(deployment: Deployment, *arguments: str) -> str:
    """Run the pinned CDKTF command line on a deployment; returns what it printed."""
    cli = PROJECT / "node_modules" / ".bin" / "cdktf"
    assert cli.is_file(), "the CDKTF command line is not installed; `make test` does it, or `npm ci`"
    done = subprocess.run(
        [str(cli), *arguments, "--output", str(deployment.folder)],
        cwd=PROJECT,
        env={**deployment.environ, "CI": "true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,  # it would wait for ever for an answer to a question
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def files(folder: Path) -> dict[str, bytes]:
    """Content by name of what was synthesized into a folder, without Terraform's own files."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".terraform") for part in path.relative_to(folder).parts)
    }


@pytest.fixture(scope="session")
def venue_settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the settings of the environment `venue`, which is not one of the project's."""
    root = tmp_path_factory.mktemp("settings")
    (root / "environments").mkdir()
    shutil.copy(Path(__file__).with_name("venue.toml"), root / "environments" / "venue.toml")
    return root


@pytest.fixture(scope="session")
def venue_deployment(aws: LocalAws, venue_settings: Path, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The environment `venue`, applied."""
    deployment = Deployment(aws, "venue", tmp_path_factory.mktemp("venue"), settings_root=venue_settings)
    deployment.synthesize()
    deployment.initialize()
    deployment.apply()
    return deployment


@pytest.fixture
def on_air(venue_deployment: Deployment) -> Iterator[OnAir]:
    """Puts a flow of `venue` on air, in the environment as if nothing had happened in it."""
    with ExitStack() as stack:
        yield lambda flow: stack.enter_context(LiveFlow(venue_deployment, flow))


@pytest.fixture
def own_aws() -> Iterator[LocalAws]:
    """A local AWS of one test, in which nothing is deployed."""
    with LocalAws() as running:
        yield running


@pytest.fixture
def clone(own_aws: LocalAws, tmp_path: Path) -> Clone:
    """A clone of the project whose commands reach `own_aws`."""
    configured = terraform_environment().get("TF_CLI_CONFIG_FILE")
    return Clone(tmp_path, {**own_aws.environment(), **({"TF_CLI_CONFIG_FILE": configured} if configured else {})})
