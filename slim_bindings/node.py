"""Starts jsii's Node at once and straight, while Python still imports jsii.

jsii starts Node when it loads its first assembly, and that Node does nothing but start a second one and pass messages
on. `start` begins before jsii is imported and without the one in the middle; `slim_bindings.ahead` then speaks to it.

Relies on the program in jsii's package that speaks its messages on file descriptor 3. If anything is found different
or goes wrong, jsii starts Node its own way, with one line in the log: slower, never different.

Must not import what takes time: all that comes before Node is started is waited for.
"""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from slim_bindings import OFF_SWITCH

WATCHED: Final = ("JSII_RUNTIME", "JSII_DEBUG", "JSII_DEBUG_TIMING")
"""jsii's environment variables of somebody who watches how it runs: any value leaves the start to jsii, too."""
NEEDED: Final = 20
"""The oldest Node, as `tools/operations/prerequisites.sh` says, too."""
RUNTIME: Final = Path(__file__).with_name("runtime.js")


def start() -> bool:
    """Start Node for jsii, and import jsii meanwhile; once in a process, and before anything else imports jsii.

    Returns:
        Whether Node was started here; False leaves it to jsii, when it needs it.
    """
    if "jsii" in sys.modules or any(os.environ.get(name) for name in (OFF_SWITCH, *WATCHED)):
        return False
    node = None
    try:
        node = _spawn()
        from slim_bindings import ahead  # noqa: PLC0415  imports jsii

        ahead.adopt(node)
    except Exception as reason:  # noqa: BLE001  whatever it is: jsii does not need us
        if node:
            node.kill()
            node.communicate()
        import logging  # noqa: PLC0415  otherwise for nothing

        logging.getLogger(__name__).warning(
            "slim bindings: jsii starts Node its own way, because %s", reason or repr(reason)
        )
        return False
    return True


def problem() -> str | None:
    """What is wrong with the Node that jsii would start, or None if it can be used."""
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
        raise FileNotFoundError("its program lies elsewhere")
    command: list[str | Path] = [
        os.environ.get("JSII_NODE", "node"),
        "--max-old-space-size=4069",  # jsii's own number
        "--preserve-symlinks",
        "--no-deprecation",  # of CDKTF's code, which whoever deploys cannot change
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
