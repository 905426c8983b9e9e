"""Generated modules load without type checks and docstrings, with any state of the cache."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from slim_bindings import lean

PACKAGE = "a_generated_package"
SOURCE = (
    '"""Text."""\n\ndef first(value):\n    """Text."""\n    if __debug__:\n        raise TypeError\n    return value\n'
)


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "site" / PACKAGE / "__init__.py"
    path.parent.mkdir(parents=True)
    path.write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setitem(sys.modules, "typeguard", sys)  # any module; it is not replaced
    yield path
    sys.modules.pop(PACKAGE, None)


def imported(cache: Path) -> ModuleType:
    sys.modules.pop(PACKAGE, None)
    lean.install([PACKAGE], cache=cache)
    return importlib.import_module(PACKAGE)


def test_checks_and_docstrings_are_left_out_and_code_is_cached(generated: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for _ in range(2):
        module = imported(cache)
        assert (module.first(1), module.first.__doc__, module.__file__) == (1, None, str(generated))
    assert [path.suffix for path in cache.iterdir()] == [".pyc"]


def test_only_changed_source_is_compiled_again(generated: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    imported(cache)
    (kept,) = cache.iterdir()
    generated.write_text("first = 2\n")
    assert imported(cache).first == 2
    (other,) = set(cache.iterdir()) - {kept}
    other.write_bytes(kept.read_bytes())
    assert imported(cache).first(1) == 1, "the cached code must be what is loaded"


@pytest.mark.parametrize("damaged", [b"", b"no code", b"\xe9\x01\x00\x00\x00"])
def test_damaged_cache_is_written_again(generated: Path, tmp_path: Path, damaged: bytes) -> None:
    cache = tmp_path / "cache"
    imported(cache)
    (kept,) = cache.iterdir()
    sound = kept.read_bytes()
    kept.write_bytes(damaged)
    assert imported(cache).first(1) == 1
    assert kept.read_bytes() == sound


def test_module_loads_without_a_cache(generated: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.write_text("a file in its place")
    assert imported(cache).first(1) == 1


def test_lazy_module_is_imported_on_first_use(generated: Path) -> None:
    stand_in = lean.LazyModule(PACKAGE)
    sys.modules[PACKAGE] = stand_in
    assert importlib.import_module(PACKAGE) is stand_in
    assert not hasattr(stand_in, "__path__")
    assert stand_in.first.__doc__ == "Text."
    assert sys.modules[PACKAGE] is not stand_in
    assert stand_in.first is sys.modules[PACKAGE].first
