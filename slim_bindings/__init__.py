"""Makes CDKTF for Python start and load more than ten times faster, with prebuilt provider packages as they are.

A program makes one call, before it imports CDKTF: `run`, or `install` where more than a synthesis runs in the process.
README.md says what they do and what they rely on.

Imports next to nothing: Node is started after these imports, and the program waits for it.
"""

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

OFF_SWITCH: Final = "STOCK_BINDINGS"
"""Environment variable: any value leaves everything to Python, jsii and the stock packages."""
CDKTF_PACKAGES: Final = ("cdktf", "cdktn", "constructs")
"""CDKTF's own packages; `cdktn` is its maintained fork."""
CANNOT_RUN: Final = 2
"""Exit code where there is no usable Node."""

_installed: set[str] = set()


def run(
    synthesize: Callable[[], int | None],
    *providers: str,
    named_in: str | os.PathLike[str],
    cache: str | os.PathLike[str],
) -> NoReturn:
    """Prepare the bindings, run a synthesis as the only thing that this process does, and exit with its code.

    Args:
        synthesize: imports CDKTF and what else it needs, and returns an exit code; None is 0.
        providers: as for `install`.
        named_in: as for `install`.
        cache: as for `install`.

    Raises:
        SystemExit: always; 2, with one line on standard error, if there is no usable Node.
    """
    from slim_bindings import node  # noqa: PLC0415  uses OFF_SWITCH

    if problem := node.problem():
        sys.stderr.write(f"{problem}\n")
        sys.exit(CANNOT_RUN)
    install(*providers, named_in=named_in, cache=cache)
    if os.environ.get(OFF_SWITCH):
        sys.exit(synthesize())
    gc.disable()  # the process ends before a collection would pay
    code = synthesize()
    gc.freeze()  # skip the final garbage collection
    sys.exit(code)


def install(*providers: str, named_in: str | os.PathLike[str], cache: str | os.PathLike[str]) -> None:
    """Make CDKTF and prebuilt provider packages load fast. Call it before anything imports them.

    Repeated calls for the same package do nothing. What cannot be made fast loads as it is, with a line in the log.

    Args:
        providers: import names of the packages, such as `cdktf_cdktf_provider_aws`.
        named_in: the Python file that imports from them; only the submodules that it imports are loaded.
        cache: folder for what is built once. Concurrent runs may share it.
    """
    # Node 20 works; jsii's end-of-life banner would bury the program's own messages.
    os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
    if os.environ.get(OFF_SWITCH):
        return
    from slim_bindings import node  # noqa: PLC0415

    if not _installed:
        node.start()
    from slim_bindings import lean, load  # noqa: PLC0415  they import jsii, so only after Node is started

    if not _installed:
        lean.install(CDKTF_PACKAGES, cache=Path(cache))
    for provider in providers:
        if provider not in _installed:
            _installed.add(provider)
            load.install(provider, named_in=named_in, cache=Path(cache))
