"""The commands of `docs/` run as they stand, in order, in a clone of the project against the local AWS."""

import json
import re

from components.paths import PROJECT
from tests.local.pages import Clone, play
from tools.compat.source import SOURCES
from tools.compat.variants import VARIANTS
from tools.local_aws import LocalAws


def imports(source: str) -> list[str]:
    """The import lines of a Python file."""
    return re.findall(r"^ *(?:from|import) .*", source, re.MULTILINE)


def test_pages_of_a_deployed_environment_run(clone: Clone, own_aws: LocalAws) -> None:
    """What the pages leave to the reader: a deployment, dead letters, an editor, and a second bucket."""
    clone.prepare('export PATH="$PWD/.venv/bin:$PATH"; make bootstrap ENV=dev; make deploy ENV=dev')
    queue = own_aws.client("sqs").get_queue_url(QueueName="media-workflow-dev-dead-letters")["QueueUrl"]
    for flow in ("live-stream", "live-steam"):
        sent = own_aws.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps({"flow_name": flow}))
    clone.prepare(f"MESSAGE_ID={sent['MessageId']}")
    play(clone, "docs/dead-letters.md")
    own_aws.client("s3").create_bucket(Bucket="the-new-one")
    clone.prepare("""EDITOR="sed -i 1istate_bucket='the-new-one'" """)
    play(clone, "docs/adopt.md")


def test_contributing_runs(clone: Clone) -> None:
    play(clone, "CONTRIBUTING.md")


def test_moving_to_the_fork_renames_what_compat_proves(clone: Clone) -> None:
    clone.prepare("mkdir -p cdktf.out/stacks/media-workflow; touch cdktf.out/stacks/media-workflow/.terraform.lock.hcl")
    play(clone, "docs/moving-to-cdk-terrain.md")
    (fork,) = (variant for variant in VARIANTS if variant.name == "fork")
    paths = [path for name in SOURCES for path in [PROJECT / name, *(PROJECT / name).rglob("*.py")]]
    renamed = {path: imports(fork.rename(path.read_text("utf-8"))) for path in paths if path.suffix == ".py"}
    assert len([path for path, found in renamed.items() if found != imports(path.read_text("utf-8"))]) > 5
    assert {path: imports((clone.folder / path.relative_to(PROJECT)).read_text("utf-8")) for path in renamed} == renamed
    assert not (clone.folder / "cdktf.out").exists()
