"""Runs programs until they end by themselves, whatever signals this process gets meanwhile.

Killed, Terraform leaves its state locked, and resources that are not in the state; a second interrupt aborts it just
as hard. So a program runs in a session of its own, which neither the terminal's Ctrl-C nor the end of our process group
reaches. It gets one interrupt, however many signals arrive here, and this process waits for it.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from settings.errors import OperatorError

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CHECK_SECONDS: Final = 0.25
CHUNK: Final = 65_536


class StepError(OperatorError):
    """A program failed and has printed why, so there is no text; the exit code is the program's."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.exit_code = code


class CancelledError(StepError):
    """A signal ended the work; the exit code is that of a shell: 130 for SIGINT, 143 for SIGTERM."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)


class _Programs:
    """The running programs, and the first signal since `interruptible` was entered."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # a signal handler may run while its own thread holds it
        self.caught = False
        self.signal: int | None = None
        self.starting = 0
        self.running: set[subprocess.Popen[bytes]] = set()
        self.parent: int | None = None

    def cancel(self, number: int) -> None:
        """Interrupt running programs, once.

        Raises:
            CancelledError: no program is running, so there is nothing to wait for.
        """
        with self.lock:
            if self.signal is not None:
                return
            self.signal = number
            for program in self.running:
                self.interrupt(program)
            if not self.starting and not self.running:
                raise CancelledError(number)

    def interrupt(self, program: subprocess.Popen[bytes]) -> None:
        """Send the one interrupt, and print which program is waited for."""
        name = Path(str(program.args[0])).name  # type: ignore[index]  # always a list here
        # Not `print`: this runs in a signal handler, which may have interrupted a `print`.
        os.write(
            sys.__stderr__.fileno() if sys.__stderr__ else 2,
            f"\nInterrupted: waiting for {name} (process {program.pid}) to stop, so that its state is complete and its "
            "lock released.\n".encode(),
        )
        program.send_signal(signal.SIGINT)

    def stop_if_cancelled(self) -> None:
        """Raise `CancelledError` if a signal has arrived."""
        if self.signal is not None:
            raise CancelledError(self.signal)


_programs: Final = _Programs()


@contextmanager
def interruptible() -> Iterator[None]:
    """On a signal, interrupt the programs of `run_to_its_end` in every thread, and end this context.

    Does nothing inside another one, and outside the main thread, where Python handles no signals.

    Raises:
        CancelledError: at the end, if a signal arrived; replaces what the interrupted work raised.
    """
    if _programs.caught or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    hangs_up = before[signal.SIGHUP] is not signal.SIG_IGN  # `nohup` ignores it
    # A cancelled CI step kills its shell, which forwards no signal: we only notice that our parent is gone. A person
    # may close a shell, and a daemon has none, so neither counts.
    watched = hangs_up and not (sys.stdin and sys.stdin.isatty()) and os.getppid() != 1
    _programs.caught, _programs.signal, _programs.parent = True, None, os.getppid() if watched else None
    try:
        for number in SIGNALS:
            if number != signal.SIGHUP or hangs_up:
                signal.signal(number, lambda number, _: _programs.cancel(number))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        _programs.caught = False
        arrived, _programs.signal = _programs.signal, None
        if arrived is not None:
            raise CancelledError(arrived)


def end_undisturbed() -> None:
    """Ignore further signals: this process was cancelled and is ending."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


class _Output:
    """Where a program prints to: the terminal, or a file that is forwarded or captured.

    Never a pipe: the end of its reader, this process or a `tee` at Ctrl-C, would kill the program.
    """

    def __init__(self, descriptor: int, *, capture: bool) -> None:
        self.descriptor = descriptor
        self.capture = capture
        self.forwarded = 0
        self.file = None if not capture and os.isatty(descriptor) else tempfile.TemporaryFile()  # noqa: SIM115  `close`

    def forward(self) -> None:
        """Print new output unless it is captured; once nobody reads it, stop printing."""
        if self.file is None or self.capture:
            return
        # Not `read`, which would move the position at which the program writes.
        while data := os.pread(self.file.fileno(), CHUNK, self.forwarded):
            try:
                self.forwarded += os.write(self.descriptor, data)
            except OSError:
                self.capture = True
                return

    def close(self) -> str:
        """Forward the rest, and return what was captured."""
        if self.file is None:
            return ""
        with self.file as file:
            self.forward()
            file.seek(0)
            return file.read().decode("utf-8", "replace") if self.capture else ""


def run_to_its_end(
    command: Sequence[str], *, folder: Path, environ: Mapping[str, str], capture: bool
) -> subprocess.CompletedProcess[str]:
    """Run a program that asks nothing, and wait until it ends.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        environ: its whole environment.
        capture: return its output instead of showing it.

    Raises:
        CancelledError: a signal arrived, also before in another thread.
        OSError: it cannot be started.
    """
    with interruptible():
        _programs.stop_if_cancelled()
        with _programs.lock:
            _programs.starting += 1
        sys.stdout.flush()
        outputs = [_Output(descriptor, capture=capture) for descriptor in (1, 2)]
        try:
            with subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environ),
                stdin=subprocess.DEVNULL,  # in another session it cannot read from our terminal
                stdout=outputs[0].file,
                stderr=outputs[1].file,
                start_new_session=True,
            ) as program:
                _wait(program, outputs)
        finally:
            with _programs.lock:
                _programs.starting -= 1
            captured = [output.close() for output in outputs]
        _programs.stop_if_cancelled()
    return subprocess.CompletedProcess(command, program.returncode, *captured)


def _wait(program: subprocess.Popen[bytes], outputs: Sequence[_Output]) -> None:
    with _programs.lock:
        _programs.running.add(program)
        if _programs.signal is not None:
            _programs.interrupt(program)  # it arrived while the program was starting
    try:
        while True:
            try:
                program.wait(CHECK_SECONDS)
            except subprocess.TimeoutExpired:
                for output in outputs:
                    output.forward()
                if _programs.parent not in {None, os.getppid()}:
                    _programs.cancel(signal.SIGTERM)
            else:
                return
    finally:
        with _programs.lock:
            _programs.running.discard(program)
