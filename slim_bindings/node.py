"""Starts jsii's Node early and directly, while Python still imports jsii.

jsii starts Node when it loads its first assembly, and that Node only starts a second one and forwards its messages.
`start` runs before jsii is imported and starts the second one itself; `slim_bindings.ahead` then talks to it.

Relies on the program in jsii's package that exchanges messages on file descriptor 3. If anything is different or goes
wrong, jsii starts Node its own way, with one line in the log: slower, with the same result.

Must not import what takes time: Node is started after these imports.
"""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

DEBUGGING: Final = ("JSII_RUNTIME", "JSII_DEBUG", "JSII_DEBUG_TIMING")
"""jsii's environment variables for debugging it: if one is set, Node is left to jsii."""
NEEDED: Final = 20
"""The oldest major version of Node that works."""
RUNTIME: Final = Path(__file__).with_name("runtime.js")


def start() -> bool:
    """Start Node for jsii and import jsii while Node loads. Call it once, before anything imports jsii.

    Returns:
        Whether Node was started; False leaves it to jsii.
    """
    if "jsii" in sys.modules or any(os.environ.get(name) for name in DEBUGGING):
        return False
    node = None
    try:
        node = _spawn()
        from slim_bindings import ahead  # noqa: PLC0415  imports jsii

        ahead.adopt(node)
    except Exception as reason:  # noqa: BLE001  on any error, jsii still works by itself
        if node:
            node.kill()
            node.communicate()
        import logging  # noqa: PLC0415  takes time and is rarely needed

        logging.getLogger(__name__).warning(
            "slim bindings: jsii starts Node itself, because %s", reason or repr(reason)
        )
        return False
    return True


def problem() -> str | None:
    """What is wrong with the Node that jsii would start, as a sentence; None if it can be used."""
    try:
        done = subprocess.run(
            [os.environ.get("JSII_NODE", "node"), "--version"], capture_output=True, text=True, check=False
        )
        version = re.search(r"^v((\d+)\.[\d.]+)", done.stdout, re.MULTILINE)
    except OSError:
        version = None
    if version and int(version[2]) >= NEEDED:
        return None
    return (
        f"Node.js >= {NEEDED} is needed, {version[1] if version else 'none'} was found: install it from nodejs.org or "
        "your package manager."
    )


def _spawn() -> subprocess.Popen[bytes]:
    jsii = find_spec("jsii")
    if jsii is None or jsii.origin is None:
        raise FileNotFoundError("jsii is not installed")
    embedded = Path(jsii.origin).parent / "_embedded" / "jsii"
    if not (embedded / "lib__program.js").is_file():
        raise FileNotFoundError("jsii has no _embedded/jsii/lib__program.js")
    command: list[str | Path] = [
        os.environ.get("JSII_NODE", "node"),
        "--max-old-space-size=4069",  # jsii's own number
        "--preserve-symlinks",
        "--no-deprecation",  # of CDKTF's own code, which a user cannot change
        RUNTIME,
        embedded,
    ]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "JSII_AGENT": f"Python/{sys.version.split()[0]}"},
    )
