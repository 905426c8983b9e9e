"""The commands of the documentation run as they stand, in order, in a clone of the project against the local AWS."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.local.pages import SHELL, Clone, blocks, shown_in
from tools.local_aws import LocalAws
from tools.terraform.binary import terraform_environment

Terminal = Callable[[], Clone]


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    """An AWS of the page's own, in which nothing is deployed."""
    with LocalAws() as running:
        yield running


@pytest.fixture
def clone(aws: LocalAws, tmp_path: Path) -> Clone:
    """A clone whose commands reach the local AWS."""
    variables = aws.environment()
    configured = terraform_environment().get("TF_CLI_CONFIG_FILE")
    return Clone(tmp_path, {**variables, **({"TF_CLI_CONFIG_FILE": configured} if configured else {})})


def play(clone: Clone, page: str, *, before: str = "") -> None:
    """Run a page, and compare what its samples show."""
    for block in blocks(page):
        if block.language in SHELL and not block.not_run:
            for (command, sample), (_, printed) in zip(block.steps, clone.run(block, before=before), strict=True):
                missing = shown_in(sample, printed)
                assert missing is None, f"{page}:{block.line}: {command}\ndoes not print:\n{missing}\nbut:\n{printed}"


def test_readme_runs_from_bootstrap_to_destroy(clone: Clone) -> None:
    play(clone, "README.md")
