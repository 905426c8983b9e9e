"""Reads the fenced blocks of a page, and runs its commands in order, as a reader does who pastes them into a terminal.

A block in `console` shows its commands after `$`, and below each what it prints; `...` stands for what is left out, and
ends a line that goes on. A block in `sh` is commands only. An HTML comment in the line above a block says how it differs:
`<!-- exit 2 -->` for a command that fails, `<!-- not run: REASON -->` for one that is only read by the shell.
"""

import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Final

from components.paths import PROJECT
from tools.compat.source import copy_bindings

FENCE: Final = re.compile(
    r"(?:^ *<!-- (?P<note>.+?) -->\n)?^ *```(?P<language>[a-z]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
ANSWERS: Final = ((re.compile(r"Only 'yes' is accepted[^\n]*: ?$"), "yes\n"), (re.compile(r"\[y/N\]: ?$"), "y\n"))
SHELL: Final = ("console", "sh")
STATE: Final = """\
export -p > {state}/exports
pwd > {state}/folder
"""
UNTIL: Final = 600.0
"""Seconds that one block may take."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    text: str
    note: str

    @property
    def not_run(self) -> str:
        """Why it is not run, if it is not."""
        return self.note.removeprefix("not run: ") if self.note.startswith("not run: ") else ""

    @property
    def exit_code(self) -> int:
        """With what its last command ends."""
        return int(self.note.removeprefix("exit ")) if self.note.startswith("exit ") else 0

    @property
    def commands(self) -> str:
        """What a reader pastes."""
        return "\n".join(command for command, _ in self.steps)

    @property
    def steps(self) -> list[tuple[str, list[str]]]:
        """Each command with the lines that it prints, as far as they are shown."""
        if self.language != "console":
            return [(self.text, [])]
        found: list[tuple[str, list[str]]] = []
        continued = False
        for line in self.text.splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            elif continued:
                found[-1] = (f"{found[-1][0]}\n{line}", [])
            elif found:
                found[-1][1].append(line)
            continued = line.endswith("\\")
        return found


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page of the project."""
    text = (PROJECT / page).read_text(encoding="utf-8")
    return [
        Block(
            page,
            text.count("\n", 0, found.start("text")),
            found["language"],
            dedent(found["text"]),
            found["note"] or "",
        )
        for found in FENCE.finditer(text)
    ]


def shown_in(sample: list[str], printed: str) -> str | None:
    """The first line of a sample that was not printed after the lines before it, or None."""
    lines = iter(line.rstrip() for line in printed.splitlines())
    for line in sample:
        start, cut, _ = line.partition("...")
        if not start.strip() and cut:
            continue
        if not any(one.startswith(start) if cut else one == line for one in lines):
            return line
    return None


class Clone:
    """A clone of the project whose installed packages are those of this one, and a terminal in it.

    Args:
        folder: an empty folder.
        environ: of all commands; what points them at an AWS.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder / "media-workflow"
        self._state = folder
        subprocess.run(["git", "clone", "--quiet", PROJECT, self.folder], check=True)
        for name in _changed():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, self.folder / name)
        for path in self.folder.glob("*"):
            os.utime(path, (0, 0))  # so that make takes what is installed for newer
        copy_bindings(self.folder)
        self._install()
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_", "MAKE", "MFLAGS"))
        }
        self._environ = {**kept, "CHECKPOINT_DISABLE": "1", **environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}

    def run(self, block: Block) -> list[tuple[str, str]]:
        """Run the commands of a block where the one before it ended; each with what it printed."""
        steps = []
        for number, (command, _) in enumerate(block.steps, 1):
            code, printed = self._run(command)
            expected = block.exit_code if number == len(block.steps) else 0
            where = f"{block.page}:{block.line}: {command}"
            assert code == expected, f"{where}\nended with {code}:\n{printed[-6000:]}"
            steps.append((command, printed))
        return steps

    def prepare(self, commands: str) -> None:
        """Run what a page leaves to its reader."""
        code, printed = self._run(commands)
        assert code == 0, printed[-6000:]

    def _run(self, commands: str) -> tuple[int, str]:
        script = self._state / "block.sh"
        exports, folder = self._state / "exports", self._state / "folder"
        lines = ["set -aeo pipefail"]  # a variable of one command is there for the next, as in a terminal
        if exports.is_file():
            lines += [
                f"source {shlex.quote(str(exports))}",
                f"cd {shlex.quote(folder.read_text(encoding='utf-8').strip())}",
            ]
        lines += [commands, STATE.format(state=shlex.quote(str(self._state)))]
        script.write_text("\n".join(lines), encoding="utf-8")
        return terminal(["bash", str(script)], folder=self.folder, environ=self._environ)

    def _install(self) -> None:
        """Entry points that run this clone's code, and commands that use what this machine has."""
        python, here = shlex.quote(sys.executable), shlex.quote(str(self.folder))
        version = re.search(r"^PIPENV_VERSION := (\S+)", (self.folder / "Makefile").read_text("utf-8"), re.MULTILINE)
        assert version
        for path in (f".tools/ready-{version[1]}", ".venv/ready"):
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).touch()
        (self.folder / "node_modules").symlink_to(PROJECT / "node_modules")
        own = self.folder / ".venv" / "bin"
        programs = {
            own / "python": f'PYTHONPATH={here} exec {python} "$@"',
            own / "media-workflow": f'PYTHONPATH={here} exec {python} -m tools.cli "$@"',
            self._state / "bin" / "aws": f'exec {python} {here}/tests/local/aws_cli.py "$@"',
            self._state / "bin" / "npm": '[ "$*" = ci ]  # node_modules is there',
            # Nobody sits at its menu, and the provider may come from a mirror.
            self._state / "bin" / "npx": f'[ "$2" = deploy ] && set -- "$@" --auto-approve\n'
            f'program=$1; shift; exec {here}/node_modules/.bin/$program "$@" --skip-provider-lock',
        }
        for program, text in programs.items():
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
            program.chmod(0o755)


def play(clone: Clone, page: str) -> None:
    """Run a page, and compare what its samples show."""
    for block in blocks(page):
        if block.language in SHELL and not block.not_run:
            for (command, sample), (_, printed) in zip(block.steps, clone.run(block), strict=True):
                missing = shown_in(sample, printed)
                assert missing is None, f"{page}:{block.line}: {command}\ndoes not print:\n{missing}\nbut:\n{printed}"


def terminal(command: list[str], *, folder: Path, environ: Mapping[str, str]) -> tuple[int, str]:
    """Run a command on a terminal at which somebody agrees to everything; exit code and what was printed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, cwd=folder, env=dict(environ), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as running:
        os.close(theirs)
        printed = "".join(_read(ours, running, time.monotonic() + UNTIL))
        os.close(ours)
    return running.returncode, printed.replace("\r\n", "\n")


def _read(ours: int, running: subprocess.Popen[bytes], until: float) -> Iterator[str]:
    tail = ""
    while time.monotonic() < until:
        if not select.select([ours], [], [], 1)[0]:
            if running.poll() is not None:
                return
            continue
        try:
            read = os.read(ours, 65536)
        except OSError:  # Linux: the other side has been closed
            return
        if not read:
            return
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", read.decode(errors="replace"))
        yield text
        tail = (tail + text)[-500:]
        for question, answer in ANSWERS:
            if question.search(tail):
                os.write(ours, answer.encode())
                tail = ""
    running.kill()
    yield "\n(took too long)"


def _changed() -> list[str]:
    """The files that are not yet committed: what is tested is what lies here."""
    listed = subprocess.run(
        ["git", "ls-files", "--modified", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if (PROJECT / name).is_file()]
