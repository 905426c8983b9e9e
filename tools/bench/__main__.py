"""`python -m tools.bench [section ...]`: measures, prints tables, and writes `.build/bench.json`.

Without a section, all run; that takes some minutes.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from components.paths import PROJECT
from tools.bench.comparison import growth, synthesis
from tools.bench.layers import layers
from tools.bench.packaged import functions
from tools.bench.tables import console

RESULTS: Final = PROJECT / ".build" / "bench.json"


def _detection(folder: Path) -> dict[str, Any]:
    from tools.bench.rehearsed import detection_times  # noqa: PLC0415  loads moto

    return detection_times(folder)


def _plan(folder: Path) -> dict[str, Any]:
    from tools.bench.planning import plan  # noqa: PLC0415  loads moto

    return plan(folder)


SECTIONS: Final[dict[str, Callable[[Path], dict[str, Any]]]] = {
    "synthesis": synthesis,
    "layers": layers,
    "growth": growth,
    "functions": functions,
    "detection": _detection,
    "plan": _plan,
}


def main(names: Sequence[str]) -> int:
    """Run the named sections, or all of them; the file keeps the figures of the others."""
    unknown = sorted(set(names) - set(SECTIONS))
    if unknown:
        sys.stderr.write(f"Unknown section {', '.join(unknown)}. Sections: {', '.join(SECTIONS)}.\n")
        return 2
    figures = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    for name in names or SECTIONS:
        with tempfile.TemporaryDirectory() as folder:
            figures[name] = SECTIONS[name](Path(folder))
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    console.print(f"The figures are in {RESULTS.relative_to(PROJECT)}.", markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
