"""Node is started once and directly, answers like jsii's own, and jsii starts its own where that fails."""

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from slim_bindings.node import RUNTIME

PROJECT = Path(__file__).resolve().parent.parent.parent
PROGRAM = """\
import json, sys
from pathlib import Path
from slim_bindings import node
started = node.start()
import jsii
from constructs import RootConstruct
RootConstruct("top")
process = jsii.kernel.provider._process
children = Path(f"/proc/{process._process.pid}/task/{process._process.pid}/children")
of_node = len(children.read_text().split()) if children.is_file() else None
print(json.dumps([started, type(process).__name__, of_node]))
"""
ONE, TWO = [0, None], [1, None]
"""How many processes Node has started itself; None where the system does not show it."""


def run(program: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    silence = {"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20"}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env={**base, **silence, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def node_that(folder: Path, does: str) -> dict[str, str]:
    """Environment variables that make `node` a script; `$NODE` is the real one."""
    script = folder / "node"
    script.write_text(f"#!/bin/sh\nNODE={shutil.which('node')}\n{does}\n")
    script.chmod(0o755)
    return {"JSII_NODE": str(script)}


def test_node_starts_directly_and_prints_nothing() -> None:
    done = run(PROGRAM)
    started, process, children = json.loads(done.stdout)
    assert (started, process, done.stderr) == (True, "_Started", "")
    assert children in ONE


def test_debugging_leaves_node_to_jsii() -> None:
    started, process, children = json.loads(run(PROGRAM, {"JSII_DEBUG_TIMING": "1"}).stdout.splitlines()[-1])
    assert (started, process) == (False, "_NodeProcess")
    assert children in TWO


DIRECT = 'case "$*" in *preserve-symlinks*) {};; esac; exec $NODE "$@"'
"""The script of a Node that is only different when it is started directly."""
NO_ROOM = """exec $NODE -p '`{"hello": "@jsii/runtime@0.0.0"}\\n{"error": "no room"}`'"""


@pytest.mark.parametrize(
    ("does", "words"),
    [("exit 9", "Expecting value"), ('echo \'{"hello": "another"}\'', "Invalid"), (NO_ROOM, "no room")],
)
def test_node_without_answer_is_replaced_with_one_log_line(tmp_path: Path, does: str, words: str) -> None:
    done = run(PROGRAM, node_that(tmp_path, DIRECT.format(does)))
    assert json.loads(done.stdout)[:2] == [True, "_NodeProcess"], done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("slim bindings: jsii starts Node again, because ")
    assert words in line


def test_jsii_itself_reports_what_cannot_be_loaded() -> None:
    done = run(PROGRAM.replace("import jsii\n", "import jsii; jsii.load('x', '1', '/nowhere.tgz')\n"))
    assert done.returncode == 1
    first, *_, last = done.stderr.splitlines()
    assert first.startswith("slim bindings: jsii starts Node again, because ")
    assert "/nowhere.tgz" in last


@pytest.mark.parametrize(
    ("program_is_there", "words"),
    [(False, "jsii has no _embedded/jsii/lib__program.js"), (True, "No module named 'jsii._kernel'")],
)
def test_unknown_jsii_starts_node_itself(tmp_path: Path, program_is_there: bool, words: str) -> None:  # noqa: FBT001
    embedded = tmp_path / "jsii" / "_embedded" / "jsii"
    embedded.mkdir(parents=True)
    (tmp_path / "jsii" / "__init__.py").write_text("")
    if program_is_there:
        (embedded / "lib__program.js").write_text("")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from slim_bindings import node; print(node.start())"
    done = run(program)
    assert (done.stdout, done.stderr) == (
        "False\n",
        f"slim bindings: jsii starts Node itself, because {words}\n",
    )


def test_printed_text_stays_apart_from_the_channel(tmp_path: Path) -> None:
    (tmp_path / "lib__worker.js").write_text("require('fs').writeSync(1, 'of a worker\\n');\n")
    (tmp_path / "lib__program.js").write_text(
        """\
const fs = require("fs"), path = require("path"), { Worker } = require("worker_threads");
const buffer = Buffer.alloc(100);
fs.writeSync(3, Buffer.from("asked: " + buffer.toString("utf8", 0, fs.readSync(3, buffer, 0, 100, null))));
console.log("a log"); console.error("an error"); fs.writeSync(1, "one"); fs.writeSync(2, Buffer.from("two"));
new Worker(path.join(__dirname, "worker.js"), { stdout: false }).on("error", (error) => console.log(String(error)));
"""
    )
    done = subprocess.run(
        ["node", RUNTIME, tmp_path], input="something\n", capture_output=True, text=True, check=True, timeout=60
    )
    printed = [
        (stream, base64.b64decode(text).decode())
        for line in done.stderr.splitlines()
        for stream, text in json.loads(line).items()
    ]
    assert done.stdout.startswith("asked: something\n")
    assert printed == [("stdout", "a log\n"), ("stderr", "an error\n"), ("stdout", "one"), ("stderr", "two")]
    assert done.stdout.endswith("of a worker\n"), "the worker is found by its packaged name"
