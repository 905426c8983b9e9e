"""`deploy` plans, reviews, asks and applies exactly that plan; concurrent commands do not mix environments.

The tests share one environment and run in order, because each step with Terraform is slow.
"""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.local.checkout import BUCKET, Checkout
from tools.local_aws import LocalAws

STATE = "media-workflow/guarded/media-workflow.tfstate"


def made(folder: Path, aws: LocalAws) -> Checkout:
    """A protected environment, not deployed, in a folder with a space in its name and behind a symbolic link."""
    real = folder / "live video"
    real.mkdir()
    (folder / "link").symlink_to(real)
    found = Checkout(folder / "link", aws, {})
    text = (real / "environments" / "dev.toml").read_text(encoding="utf-8")
    (real / "environments" / "guarded.toml").write_text(f"protect = true\n{text}", encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def fresh(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which no command has done any work."""
    return made(tmp_path_factory.mktemp("fresh"), aws)


@pytest.fixture(scope="module")
def checkout(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout with a planned environment."""
    found = made(tmp_path_factory.mktemp("checkout"), aws)
    found.run("plan", "guarded")
    yield found
    found.forget_state("guarded")


@dataclass(frozen=True, slots=True)
class OnTerminal:
    """A command that asks, and its terminal."""

    process: subprocess.Popen[bytes]
    terminal: int
    output: Path

    def printed(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def answer(self, text: str) -> int:
        """Type an answer and return the exit code."""
        os.write(self.terminal, f"{text}\n".encode())
        return self.process.wait(timeout=300)


@contextmanager
def asked(checkout: Checkout, *arguments: str) -> Iterator[OnTerminal]:
    """A command that is waiting for an answer."""
    terminal, end = pty.openpty()
    output = checkout.folder.parent / "output"
    with output.open("wb") as file:
        command = [sys.executable, "-m", "tools.cli", *arguments]
        with subprocess.Popen(
            command, cwd=checkout.folder, env=checkout.environ, stdin=end, stdout=file, stderr=file
        ) as process:
            found = OnTerminal(process, terminal, output)
            try:
                deadline = time.monotonic() + 300
                while "Only 'yes' is accepted" not in found.printed():
                    assert process.poll() is None, found.printed()
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
                yield found
            finally:
                process.kill()
                os.close(terminal)
                os.close(end)


def version(checkout: Checkout) -> str:
    """ETag of the state object; empty before the first plan."""
    found = checkout.s3.list_objects_v2(Bucket=BUCKET, Prefix=STATE).get("Contents", [])
    assert not any(item["Key"].endswith(".tflock") for item in found)
    return str(found[0]["ETag"]) if found else ""


def test_without_a_terminal_nothing_is_started(fresh: Checkout) -> None:
    for command in ("deploy", "bootstrap", "destroy"):
        (line,) = fresh.run(command, "guarded", expect=2).splitlines()
        assert "no terminal to ask at" in line, command
        assert "--yes" in line, command
    assert not (fresh.folder / "cdktf.out").exists()


def test_malformed_allowance_is_refused_before_planning(fresh: Checkout) -> None:
    for command in ("deploy", "plan"):
        printed = fresh.run(command, "guarded", "--allow", "everything", expect=2)
        assert "give the exact address of a resource, a colon and one of" in printed.replace("\n", " ")
    assert not (fresh.folder / "cdktf.out").exists()


def test_unwritable_folder_is_refused_before_planning(fresh: Checkout) -> None:
    (line,) = fresh.run("plan", "guarded", "--save", "main.py/reviewed", expect=2).splitlines()
    assert line == "--save main.py/reviewed cannot be written (Not a directory). Give a folder that you may write to."
    assert not (fresh.folder / "cdktf.out").exists()


def test_deploy_locks_its_folder_while_asking(checkout: Checkout) -> None:
    with checkout.one_provider(), asked(checkout, "deploy", "guarded") as deployment:
        assert "live-stream is a new flow, created in STANDBY" in deployment.printed()
        before = version(checkout)
        (line,) = checkout.run("plan", "dev", expect=1).splitlines()
        assert f"deploy guarded (process {deployment.process.pid})" in line
        assert deployment.answer("y") == 1
        assert "Nothing was changed." in deployment.printed()
    assert version(checkout) == before


def test_plan_file_replaced_while_asking_is_not_applied(checkout: Checkout) -> None:
    with checkout.one_provider(), asked(checkout, "deploy", "guarded") as deployment:
        before = version(checkout)
        plan_file = checkout.folder / "cdktf.out" / "stacks" / "media-workflow" / "media-workflow.tfplan"
        plan_file.write_bytes(plan_file.read_bytes() + b"\0")
        assert deployment.answer("yes") == 1
        assert "the plan file is not the one that was reviewed" in deployment.printed()
    assert version(checkout) == before


def test_ctrl_c_at_the_question_changes_nothing(checkout: Checkout) -> None:
    with checkout.one_provider(), asked(checkout, "deploy", "guarded") as deployment:
        before = version(checkout)
        deployment.process.send_signal(signal.SIGINT)
        assert deployment.process.wait(timeout=30) == 130
    assert version(checkout) == before


def test_yes_applies_the_shown_plan(checkout: Checkout, aws: LocalAws) -> None:
    with asked(checkout, "deploy", "guarded") as deployment:
        assert deployment.answer("yes") == 0
        assert "Apply complete!" in deployment.printed()
    (flow,) = aws.client("cloudformation").describe_stacks(StackName="media-workflow-guarded-live-stream")["Stacks"]
    assert flow["StackStatus"] == "CREATE_COMPLETE"


def test_plan_without_changes_is_not_applied(checkout: Checkout) -> None:
    before = version(checkout)
    with checkout.one_provider():
        printed = checkout.run("deploy", "guarded", "--yes")
    assert printed.splitlines()[-1] == "Nothing to change."
    assert "Apply complete!" not in printed
    assert version(checkout) == before


def test_deploy_restores_protection_without_other_changes(checkout: Checkout, aws: LocalAws) -> None:
    stack, client = "media-workflow-guarded-live-stream", aws.client("cloudformation")
    (before,) = client.describe_stacks(StackName=stack)["Stacks"]
    client.update_termination_protection(
        StackName=stack, EnableTerminationProtection=not before["EnableTerminationProtection"]
    )
    with checkout.one_provider():
        printed = checkout.run("deploy", "guarded", "--yes")
    assert "Nothing to change but the protection:\n  live-stream: termination protection of its stack" in printed
    (after,) = client.describe_stacks(StackName=stack)["Stacks"]
    assert after["EnableTerminationProtection"] == before["EnableTerminationProtection"]


def test_blocked_plan_needs_the_listed_allowances(checkout: Checkout, aws: LocalAws) -> None:
    before = version(checkout)
    checkout.edit('name = "live-stream"', 'name = "renamed"', environment="guarded")
    with checkout.one_provider():
        refused = checkout.run("deploy", "guarded", "--yes", expect=1)
        assert "guarded is not changed: its review blocks the plan" in refused
        assert "live-stream goes off air: its flow is deleted" in refused
        listed = [line.split("'")[1] for line in refused.splitlines() if line.startswith("--allow '")]
        assert any(cause.endswith("aws_cloudformation_stack.this:delete") for cause in listed)
        allow = [part for cause in listed for part in ("--allow", cause)]
        other = checkout.run("deploy", "guarded", "--yes", *allow, "--allow", "aws_sns_topic.nope:delete", expect=2)
        assert "guarded is not changed: the plan has no aws_sns_topic.nope:delete" in other
        assert version(checkout) == before
        assert "Apply complete!" in checkout.run("deploy", "guarded", "--yes", *allow)
    stacks = {stack["StackName"] for stack in aws.client("cloudformation").describe_stacks()["Stacks"]}
    assert "media-workflow-guarded-renamed" in stacks
    assert "media-workflow-guarded-live-stream" not in stacks
