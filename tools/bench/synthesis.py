"""Measures a process and its children: wall-clock and CPU seconds, peak memory of Python and of Node."""

import os
import resource
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SAMPLE_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a process took together with its children. Memory is the peak resident size in MB, 0 without `/proc`."""

    seconds: float
    cpu_seconds: float  # hardly depends on other work on the machine
    python_mb: float
    node_mb: float

    @property
    def total_mb(self) -> float:
        """Python and Node together."""
        return self.python_mb + self.node_mb


def measure(
    project: Path, output: Path, environment: str, *, python: str, environ: Mapping[str, str] | None = None
) -> Measured:
    """Synthesize one environment as `make synth` does, and measure it.

    Args:
        project: the folder with the source.
        output: the folder to write to.
        environment: its name, as in `environments/<name>.toml`.
        python: the interpreter, which has the bindings to use.
        environ: added environment variables.

    Raises:
        RuntimeError: it failed; with what the process wrote.
    """
    given = {"TF_WORKSPACE": environment, "CDKTF_OUTDIR": str(output), **(environ or {})}
    return measure_command([python, str(project / "main.py")], folder=project, environ=given)


def measure_command(command: Sequence[str], *, folder: Path, environ: Mapping[str, str] | None = None) -> Measured:
    """Run a command in `folder` and measure it.

    Raises:
        RuntimeError: it failed; with what it wrote.
    """
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    begun, used = time.monotonic(), _used_by_children()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**base, **(environ or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    peaks: dict[int, tuple[str, float]] = {}
    while process.poll() is None:
        peaks |= {pid: found for pid in _family(process.pid) if (found := name_and_peak(pid))}
        time.sleep(SAMPLE_SECONDS)
    seconds = time.monotonic() - begun
    _, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{errors}")
    node = sum(peak for name, peak in peaks.values() if name == "node")
    everything = sum(peak for _, peak in peaks.values())
    return Measured(seconds=seconds, cpu_seconds=_used_by_children() - used, python_mb=everything - node, node_mb=node)


def _used_by_children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _family(pid: int) -> Iterator[int]:
    """A process and its descendants, where the system shows them."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return
    for child in children.split():
        yield from _family(int(child))


def name_and_peak(pid: int) -> tuple[str, float] | None:
    """The name of a process and its peak resident memory in MB; None if the system does not show them."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    if "VmHWM" not in status:
        return None
    name = "node" if status["Name"].startswith(("node", "MainThread")) else status["Name"]
    return name, int(status["VmHWM"].split()[0]) / 1024
