"""Every layer of `slim_bindings` is described, has a figure, and can be turned off by the bench."""

import re
from pathlib import Path

import pytest

from tools.bench.layers import ALL, WITHOUT, program

PROJECT = Path(__file__).resolve().parents[2]
LAYERS = set(WITHOUT) - {ALL}


@pytest.mark.parametrize("page", ["slim_bindings/README.md", "docs/decisions/slim-bindings.md"])
def test_page_has_a_row_for_every_layer(page: str) -> None:
    rows = re.findall(r"^\| `(\w+)`", (PROJECT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(LAYERS)


@pytest.mark.parametrize("name", sorted(WITHOUT))
def test_program_without_a_layer_is_valid_python(name: str) -> None:
    compile(program(name), name, "exec")
