"""After any interrupt of a command, Terraform ends by itself: state complete, lock released."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from components.paths import PROJECT

Interrupt = Callable[[subprocess.Popen[str]], None]
MODULE = {
    "resource": {
        "terraform_data": {
            "slow": {"provisioner": [{"local-exec": {"command": "touch started; trap '' INT TERM; sleep 2"}}]},
            "next": {"depends_on": ["terraform_data.slow"]},
        }
    }
}
"""Terraform waits for what it has started, and starts nothing more. Its own provider: nothing is downloaded."""
APPLY = """
import sys
from pathlib import Path
import typer
from tools.cli.shared import exit_on_error
from tools.terraform.binary import terraform, terraform_environment
def main() -> None:
    with exit_on_error():
        terraform("apply", "-auto-approve", "-no-color", folder=Path(sys.argv[1]), environ=terraform_environment())
app = typer.Typer()
app.command()(main)
app([])
"""
IN_THREADS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import typer
from tools.cli.shared import exit_on_error
from tools.terraform.processes import interruptible
from tools.terraform.binary import terraform, terraform_environment
def apply(folder):
    terraform("apply", "-auto-approve", folder=Path(folder), environ=terraform_environment())
def main() -> None:
    with exit_on_error(), interruptible(), ThreadPoolExecutor() as pool:
        list(pool.map(apply, sys.argv[1:]))
app = typer.Typer()
app.command()(main)
app([])
"""


@pytest.fixture(autouse=True)
def _hang_up_ends_programs() -> Iterator[None]:
    """A test run under `nohup` would hand down that SIGHUP is ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def module(tmp_path: Path) -> Path:
    return initialized(tmp_path / "module")


def initialized(folder: Path, module: Mapping[str, object] = MODULE) -> Path:
    folder.mkdir()
    (folder / "main.tf.json").write_text(json.dumps(module))
    subprocess.run(["terraform", "init"], cwd=folder, check=True, capture_output=True)
    return folder


def begun(program: str, *folders: Path, in_shell: bool = False) -> subprocess.Popen[str]:
    """A command in a process group of its own, as in a terminal, once Terraform applies in each folder."""
    command: list[str | Path] = [sys.executable, "-c", program, *folders]
    if in_shell:
        command = ["bash", "-c", '"$@"; true', "step", *command]
    started = subprocess.Popen(
        command,
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not all((folder / "started").exists() for folder in folders):
        assert started.poll() is None, started.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return started


def is_locked(module: Path) -> bool:
    return (module / ".terraform.tfstate.lock.info").exists()


def known(module: Path) -> list[str]:
    """Names of the resources in the state; none if it was not written, or is being written."""
    path = module / "terraform.tfstate"
    text = path.read_text() if path.exists() else ""
    return [resource["name"] for resource in json.loads(text)["resources"]] if text.endswith("}\n") else []


def to_group(command: subprocess.Popen[str]) -> None:
    os.killpg(command.pid, signal.SIGINT)


def to_group_twice(command: subprocess.Popen[str]) -> None:
    to_group(command)
    time.sleep(0.3)
    to_group(command)


def to_process(number: int, times: int = 1) -> Interrupt:
    def send(command: subprocess.Popen[str]) -> None:
        for _ in range(times):
            command.send_signal(number)
            time.sleep(0.2)

    return send


@pytest.mark.parametrize(
    ("interrupt", "code"),
    [
        pytest.param(to_group, 130, id="Ctrl-C"),
        pytest.param(to_group_twice, 130, id="Ctrl-C twice"),
        pytest.param(to_process(signal.SIGINT), 130, id="SIGINT to the process"),
        pytest.param(to_process(signal.SIGTERM, times=3), 143, id="SIGTERM to the process, thrice"),
        pytest.param(to_process(signal.SIGHUP), 129, id="SIGHUP to the process"),
    ],
)
def test_interrupted_command_waits_until_terraform_ends(module: Path, interrupt: Interrupt, code: int) -> None:
    command = begun(APPLY, module)
    interrupt(command)
    printed = command.communicate(timeout=60)[1]
    assert not is_locked(module)
    assert known(module) == ["slow"]
    assert command.returncode == code
    assert printed.count("waiting for terraform") == 1
    assert len(printed.strip().splitlines()) == 1


class SlowState(BaseHTTPRequestHandler):
    """A slow state for Terraform's `http` backend, like one in S3."""

    state = b""
    locked = False

    def respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.command == "POST":
            time.sleep(1.5)
            SlowState.state = body
        elif self.command in {"LOCK", "UNLOCK"}:
            SlowState.locked = self.command == "LOCK"
        found = SlowState.state if self.command == "GET" else b""
        self.send_response(404 if self.command == "GET" and not found else 200)
        self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        self.wfile.write(found)

    do_GET = do_POST = do_LOCK = do_UNLOCK = respond  # noqa: N815  http.server's names

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def test_terraform_gets_one_interrupt_while_writing_state(tmp_path: Path) -> None:
    """A second one makes it exit at once: the state is not written and the lock stays."""
    with ThreadingHTTPServer(("127.0.0.1", 0), SlowState) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        http = {"address": address, "lock_address": address, "unlock_address": address}
        folder = initialized(tmp_path / "module", {**MODULE, "terraform": {"backend": {"http": http}}})
        command = begun(APPLY, folder)
        to_group_twice(command)
        command.communicate(timeout=60)
        server.shutdown()
    assert command.returncode == 130
    assert not SlowState.locked
    assert [resource["name"] for resource in json.loads(SlowState.state)["resources"]] == ["slow"]


def test_cancelled_pipeline_step_interrupts_terraform(module: Path) -> None:
    """As a GitHub runner does: SIGINT to the shell only, which forwards nothing, SIGTERM to it, then all are killed."""
    step = begun(APPLY, module, in_shell=True)
    step.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert step.poll() is None
    step.terminate()
    time.sleep(0.6)  # 2.5 s on GitHub
    os.killpg(step.pid, signal.SIGKILL)
    step.communicate()
    assert soon(lambda: known(module) == ["slow"] and not is_locked(module))


def test_command_under_nohup_outlives_its_shell(module: Path) -> None:
    """`nohup` ignores SIGHUP: neither that signal nor the end of the shell ends the work."""
    shell = begun(f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{APPLY}", module, in_shell=True)
    os.killpg(shell.pid, signal.SIGHUP)
    shell.communicate()
    assert soon(lambda: sorted(known(module)) == ["next", "slow"] and not is_locked(module))


def test_terraform_survives_a_closed_output_pipe(module: Path) -> None:
    """Ctrl-C on `make deploy | tee log` ends `tee`, too."""
    shown = APPLY.replace("import terraform, ", "import shown, ").replace("terraform(", "shown(")
    command: list[str | Path] = [sys.executable, "-c", shown, module]
    with subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as started:
        assert soon((module / "started").exists)
        assert started.stdout
        started.stdout.close()
        started.send_signal(signal.SIGINT)
        started.wait(timeout=60)
    assert started.returncode == 130
    assert known(module) == ["slow"]
    assert not is_locked(module)


def test_interrupted_rehearsal_waits_for_every_terraform(tmp_path: Path) -> None:
    folders = [initialized(tmp_path / name) for name in ("one", "two")]
    command = begun(IN_THREADS, *folders)
    command.terminate()
    printed = command.communicate(timeout=60)[1]
    assert [known(folder) for folder in folders] == [["slow"], ["slow"]]
    assert not any(is_locked(folder) for folder in folders)
    assert command.returncode == 143
    assert printed.count("waiting for terraform") == 2


def soon(holds: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether a condition holds within a time limit."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False
