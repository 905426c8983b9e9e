"""Copies the source that synthesizes to another folder, and runs it there."""

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
    """Copy the source into `folder`, its Python files changed by `changed`. Other files there stay."""
    for name in SOURCES:
        source = PROJECT / name
        if source.is_dir():
            shutil.rmtree(folder / name, ignore_errors=True)
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
        for path in [folder / name] if source.is_file() else (folder / name).rglob("*.py"):
            if path.suffix == ".py":
                path.write_text(changed(path.read_text(encoding="utf-8")), encoding="utf-8")


def copy_bindings(folder: Path) -> None:
    """Copy the cache of bindings into `folder`, if there is one: building it takes longer than using it."""
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
    """Synthesize environments with the source in `project`, each into its own folder below `output`.

    Args:
        project: the folder with the source.
        output: created if it is missing.
        python: the interpreter, which has the bindings to use.
        environments: names as in `environments/<name>.toml`.
        environ: added to `PATH` and `HOME`, the only variables taken over.
        umask: of the process; -1 keeps the current one.

    Raises:
        RuntimeError: it failed; with what the process wrote.
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
