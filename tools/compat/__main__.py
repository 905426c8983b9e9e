"""Checks that the source synthesizes the same with other releases. Exit code 1: it does not; a list says where."""

import shutil
import sys
import tempfile
from pathlib import Path

from components.paths import PROJECT
from tools.compat.comparison import differences
from tools.compat.source import ENVIRONMENTS, copy_source, synthesize
from tools.compat.variants import VARIANTS, Variant, install


def main() -> int:
    """Compare every variant; print one line for each, and one for each difference."""
    with tempfile.TemporaryDirectory() as folder:
        synthesize(PROJECT, Path(folder) / "out", python=sys.executable)
        ours = contents(Path(folder) / "out")
    failed = False
    for variant in VARIANTS:
        if install(variant):
            sys.stdout.write(f"compat: installed {variant.title}\n")
        lines = differences(ours, contents(synthesized_by(variant)))
        failed = failed or bool(lines)
        verdict = f"{len(lines)} differences" if lines else "no difference but the versions"
        sys.stdout.write(f"compat: {variant.title}, {', '.join(ENVIRONMENTS)}: {verdict}\n")
        sys.stdout.writelines(f"  {line}\n" for line in lines)
    return int(failed)


def contents(output: Path) -> dict[str, bytes]:
    """The content of every file in a folder, by its path there."""
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in output.rglob("*") if path.is_file()}


def synthesized_by(variant: Variant) -> Path:
    """Synthesize all environments with a variant; returns the folder with the results."""
    source, output = variant.folder / "source", variant.folder / "out"
    copy_source(source, variant.rename)  # keeps its cache of bindings
    shutil.rmtree(output, ignore_errors=True)
    synthesize(source, output, python=str(variant.python))
    return output


if __name__ == "__main__":
    sys.exit(main())
