"""The functions' zip is the same everywhere: else a reviewed plan is not the applied one."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from components.lambda_package import SOURCE, lambda_package


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small source folder."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "handler.py").write_text("x = 1\n")
    (tmp_path / "b.py").write_text("y = 2\n")
    return tmp_path


def fresh(source: Path) -> bytes:
    lambda_package.cache_clear()
    return lambda_package(source).content


def test_zip_holds_every_python_file_below_the_source(source: Path) -> None:
    assert zipfile.ZipFile(io.BytesIO(fresh(source))).namelist() == ["a/handler.py", "b.py"]


def test_running_the_tests_does_not_change_the_zip(source: Path) -> None:
    before = fresh(source)
    (source / "a" / "__pycache__").mkdir()
    (source / "a" / "__pycache__" / "handler.cpython-313.pyc").write_bytes(b"cache")
    assert fresh(source) == before


def test_checkout_metadata_does_not_change_the_zip(source: Path) -> None:
    before = fresh(source)
    os.utime(source / "b.py", (1, 1))
    (source / "b.py").chmod(0o600)
    (source / "a" / "handler.py").write_bytes(b"x = 1\r\n")
    assert fresh(source) == before


@pytest.mark.parametrize("change", ["content", "name"])
def test_new_code_or_a_new_name_is_a_new_zip(source: Path, change: str) -> None:
    before = fresh(source)
    if change == "content":
        (source / "b.py").write_text("y = 3\n")
    else:
        (source / "b.py").rename(source / "c.py")
    assert fresh(source) != before


def test_zip_files_are_readable_by_lambda(source: Path) -> None:
    for entry in zipfile.ZipFile(io.BytesIO(fresh(source))).infolist():
        assert entry.external_attr >> 16 == 0o100644


def test_zip_of_the_functions_holds_both_handlers() -> None:
    names = zipfile.ZipFile(io.BytesIO(lambda_package().content)).namelist()
    assert {"stream_monitor/handler.py", "alert_handler/handler.py"} <= set(names)


def test_zip_is_smaller_than_256_kb() -> None:
    assert len(lambda_package().content) < 256 * 1024


def test_zip_holds_the_source_as_it_stands() -> None:
    """Docstrings and comments too: whoever opens the function in the console reads what is here."""
    archive = zipfile.ZipFile(io.BytesIO(lambda_package().content))
    for path in SOURCE.rglob("*.py"):
        assert archive.read(path.relative_to(SOURCE).as_posix()).decode() == path.read_text(encoding="utf-8")
