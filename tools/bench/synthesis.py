"""Measures a synthesis: seconds of wall clock, and the largest memory of Python and of Node."""

import os
import resource
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOOK_EVERY_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a process took, with all that it started. Memory is resident, in megabytes, at its highest.

    Memory is read from `/proc` and is 0 where there is none.
    """

    seconds: float
    cpu_seconds: float  # of all its processes; does not depend on what else the machine does
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
        project: where the source lies.
        output: where to.
        environment: as in `environments/<name>.toml` there.
        python: the interpreter, which decides the bindings.
        environ: added to the surroundings.

    Raises:
        RuntimeError: with what the process wrote, if it failed.
    """
    given = {"TF_WORKSPACE": environment, "CDKTF_OUTDIR": str(output), **(environ or {})}
    return measure_command([python, str(project / "main.py")], folder=project, environ=given)


def measure_command(command: Sequence[str], *, folder: Path, environ: Mapping[str, str] | None = None) -> Measured:
    """Run a command in `folder` and measure it.

    Raises:
        RuntimeError: with what it wrote, if it failed.
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
        time.sleep(LOOK_EVERY_SECONDS)
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
    """A process and all that descends from it, as far as they can be seen."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return
    for child in children.split():
        yield from _family(int(child))


def name_and_peak(pid: int) -> tuple[str, float] | None:
    """The name of a process and the most memory that it had resident, in megabytes; None if it cannot be seen."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    if "VmHWM" not in status:
        return None
    name = "node" if status["Name"].startswith(("node", "MainThread")) else status["Name"]
    return name, int(status["VmHWM"].split()[0]) / 1024
