"""The commands of the documentation run as they stand, in order, in a clone of the project against the local AWS."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.paths import PROJECT
from tests.local.pages import SHELL, Clone, blocks, shown_in
from tools.compat.source import SOURCES
from tools.compat.variants import VARIANTS
from tools.local_aws import LocalAws
from tools.terraform.binary import terraform_environment


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    """An AWS of the page's own, in which nothing is deployed."""
    with LocalAws() as running:
        yield running


@pytest.fixture
def clone(aws: LocalAws, tmp_path: Path) -> Clone:
    """A clone whose commands reach the local AWS."""
    configured = terraform_environment().get("TF_CLI_CONFIG_FILE")
    return Clone(tmp_path, {**aws.environment(), **({"TF_CLI_CONFIG_FILE": configured} if configured else {})})


def play(clone: Clone, page: str) -> None:
    """Run a page, and compare what its samples show."""
    for block in blocks(page):
        if block.language in SHELL and not block.not_run:
            for (command, sample), (_, printed) in zip(block.steps, clone.run(block), strict=True):
                missing = shown_in(sample, printed)
                assert missing is None, f"{page}:{block.line}: {command}\ndoes not print:\n{missing}\nbut:\n{printed}"


def test_readme_runs_from_bootstrap_to_destroy(clone: Clone) -> None:
    play(clone, "README.md")


def test_pages_of_a_deployed_environment_run(clone: Clone, aws: LocalAws) -> None:
    """What the pages leave to the reader: a deployment, dead letters, an editor, and a second bucket."""
    clone.prepare('export PATH="$PWD/.venv/bin:$PATH"; make bootstrap ENV=dev; make deploy ENV=dev')
    queue = aws.client("sqs").get_queue_url(QueueName="media-workflow-dev-dead-letters")["QueueUrl"]
    for flow in ("live-stream", "live-steam"):
        sent = aws.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps({"flow_name": flow}))
    clone.prepare(f"MESSAGE_ID={sent['MessageId']}")
    play(clone, "docs/dead-letters.md")
    aws.client("s3").create_bucket(Bucket="the-new-one")
    clone.prepare("""EDITOR="sed -i 1istate_bucket='the-new-one'" """)
    play(clone, "docs/adopt.md")


def test_moving_to_the_fork_renames_what_compat_proves(clone: Clone) -> None:
    clone.prepare("mkdir -p cdktf.out/stacks/media-workflow; touch cdktf.out/stacks/media-workflow/.terraform.lock.hcl")
    play(clone, "docs/moving-to-cdk-terrain.md")
    (fork,) = (variant for variant in VARIANTS if variant.name == "fork")
    files = [
        path for name in SOURCES for path in [PROJECT / name, *(PROJECT / name).rglob("*.py")] if path.suffix == ".py"
    ]
    changed = [path for path in files if fork.rename(path.read_text("utf-8")) != path.read_text("utf-8")]
    assert len(changed) > 5
    for path in changed:
        moved = (clone.folder / path.relative_to(PROJECT)).read_text("utf-8")
        assert moved == fork.rename(path.read_text("utf-8")), path
    assert not (clone.folder / "cdktf.out").exists()
