"""The AWS on a laptop, started once for all tests of this folder, and two environments deployed to it at once."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from local_aws import LocalAws
from operations.terraform import PROJECT
from rehearsal.stage import Stage


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """A running local AWS."""
    with LocalAws() as running:
        yield running


@dataclass(frozen=True, slots=True)
class Deployed:
    """Two environments in one account, each in its own workspace of one state bucket."""

    dev: Stage
    staging: Stage


@pytest.fixture(scope="session")
def deployed(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """`dev` by plain terraform and `staging` by the CDKTF command line. Together, because both mostly wait."""
    dev = Stage(aws, "dev", tmp_path_factory.mktemp("dev"))
    staging = Stage(aws, "staging", tmp_path_factory.mktemp("staging"))
    for stage in (dev, staging):
        stage.synthesize()
        stage.initialize()
    with ThreadPoolExecutor() as pool:
        plain = pool.submit(dev.apply)
        by_cdktf = pool.submit(cdktf, staging, "deploy", "media-workflow", "--auto-approve", "--skip-provider-lock")
        plain.result()
        by_cdktf.result()
    return Deployed(dev, staging)


@pytest.fixture(scope="session")
def stage(deployed: Deployed) -> Stage:
    """The environment `dev`, applied."""
    return deployed.dev


def cdktf(stage: Stage, *arguments: str) -> str:
    """Run the pinned CDKTF command line on a stage's environment; what it printed."""
    cli = PROJECT / "node_modules" / ".bin" / "cdktf"
    assert cli.is_file(), "the CDKTF command line is not installed; `make test` does it, or `npm ci`"
    done = subprocess.run(
        [str(cli), *arguments, "--output", str(stage.folder)],
        cwd=PROJECT,
        env={**stage.environ, "CI": "true", "PYTHONDONTWRITEBYTECODE": "1"},
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
