"""`run` prepares the bindings, runs the program and exits with its code; the switch leaves everything stock."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from slim_bindings import OFF_SWITCH

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM = """\
import gc, json, sys, slim_bindings

def synthesize():
    started = "jsii" in sys.modules
    import jsii, constructs
    checked = constructs.Construct.is_construct.__doc__ is not None
    print(json.dumps([started, type(jsii.kernel.provider).__name__, checked, gc.isenabled()]))
    return 3

slim_bindings.run(synthesize, "no_such_provider", named_in=__file__, cache=sys.argv[1])
"""


def run(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    program = folder / "program.py"
    program.write_text(PROGRAM)
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, str(program), str(folder / "cache")],
        env={**base, "PYTHONPATH": str(PROJECT), **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_run_prepares_the_bindings_and_exits_with_the_programs_code(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert (done.returncode, json.loads(done.stdout)) == (3, [True, "_Ahead", False, False])
    assert done.stderr == (
        "slim bindings: loading all of no_such_provider, because the file imports nothing from no_such_provider\n"
    )
    assert list((tmp_path / "cache").glob("constructs-*.pyc"))


def test_off_switch_leaves_everything_stock_and_silent(tmp_path: Path) -> None:
    done = run(tmp_path, **{OFF_SWITCH: "1"})
    assert (done.returncode, json.loads(done.stdout)) == (3, [False, "ProcessProvider", True, True])
    assert done.stderr == ""
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(("script", "found"), [("echo v18.20.4", "18.20.4"), (None, "none")])
def test_run_without_usable_node_exits_with_one_line(tmp_path: Path, script: str | None, found: str) -> None:
    if script:
        (tmp_path / "node").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "node").chmod(0o755)
    done = run(tmp_path, PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Node.js >= 20 is needed, {found} was found: install it")
