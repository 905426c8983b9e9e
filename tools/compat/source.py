"""The source that synthesizes: which files it is, copying them elsewhere, and running them there."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from components.bindings import CACHE
from components.paths import PROJECT

ENVIRONMENTS: Final = ("dev", "staging", "prod")
SOURCES: Final = (
    "main.py",
    "cdktf.json",
    "settings",
    "environments",
    "components",
    "stacks",
    "lambda_src",
    "modules",
    "slim_bindings",
)
SYNTHESIZE: Final = """\
import os, sys
sys.path.insert(0, sys.argv[1])
from components import bindings
bindings.install()
import main
for name in sys.argv[3:]:
    os.environ |= {"TF_WORKSPACE": name, "CDKTF_OUTDIR": os.path.join(sys.argv[2], name)}
    if code := main.main():
        sys.exit(code)
"""
"""Calls `main.main` for each environment in one process, as loading the stock bindings takes 13 seconds."""


def copy_source(folder: Path, changed: Callable[[str], str] = str) -> None:
    """Copy the source below `folder`, its Python text changed by `changed`; what else lies there stays."""
    for name in SOURCES:
        kept = PROJECT / name
        if kept.is_dir():
            shutil.rmtree(folder / name, ignore_errors=True)
            shutil.copytree(kept, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(kept, folder / name)
        for path in [folder / name] if kept.is_file() else (folder / name).rglob("*.py"):
            if path.suffix == ".py":
                path.write_text(changed(path.read_text(encoding="utf-8")), encoding="utf-8")


def copy_bindings(folder: Path) -> None:
    """Copy what is built of the bindings below `folder`, if there is any: to build it takes longer than to use it."""
    if CACHE.is_dir():
        shutil.copytree(CACHE, folder / CACHE.relative_to(PROJECT), dirs_exist_ok=True)


def synthesize(
    project: Path,
    output: Path,
    *,
    python: str,
    environments: Sequence[str] = ENVIRONMENTS,
    environ: Mapping[str, str] | None = None,
    umask: int = -1,
) -> subprocess.CompletedProcess[str]:
    """Run the source in `project` for some environments, each into its folder below `output`.

    Args:
        project: where the source lies.
        output: made if it is not there.
        python: the interpreter, which decides the bindings.
        environments: names as in `environments/<name>.toml`.
        environ: added to `PATH` and `HOME`, which is all that is taken from here.
        umask: of the process; -1 is ours.

    Raises:
        RuntimeError: with what the process wrote, if it failed.
    """
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [python, "-c", SYNTHESIZE, str(project), str(output), *environments],
        env={**base, "PYTHONDONTWRITEBYTECODE": "1", **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
        umask=umask,
    )
    if done.returncode:
        raise RuntimeError(f"synthesizing in {project} ended with {done.returncode}:\n{done.stderr}")
    return done
