"""The functions' zip is the same everywhere: else a reviewed plan is not the applied one."""

import ast
import io
import os
import zipfile
from pathlib import Path

import pytest

from components.lambda_package import SOURCE, lambda_package, without_words


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


def test_the_zip_holds_every_python_file_below_the_source(source: Path) -> None:
    assert zipfile.ZipFile(io.BytesIO(fresh(source))).namelist() == ["a/handler.py", "b.py"]


def test_running_the_tests_does_not_change_the_zip(source: Path) -> None:
    before = fresh(source)
    (source / "a" / "__pycache__").mkdir()
    (source / "a" / "__pycache__" / "handler.cpython-313.pyc").write_bytes(b"cache")
    assert fresh(source) == before


def test_time_stamps_modes_and_line_endings_of_the_checkout_do_not_change_the_zip(source: Path) -> None:
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


def test_every_file_in_the_zip_can_be_read_by_the_user_that_lambda_runs_as(source: Path) -> None:
    for entry in zipfile.ZipFile(io.BytesIO(fresh(source))).infolist():
        assert entry.external_attr >> 16 == 0o100644


def test_the_zip_of_the_functions_holds_both_handlers() -> None:
    names = zipfile.ZipFile(io.BytesIO(lambda_package().content)).namelist()
    assert {"stream_monitor/handler.py", "alert_handler/handler.py"} <= set(names)


def test_the_zip_is_small_enough_to_be_fetched_in_no_time() -> None:
    assert len(lambda_package().content) < 128 * 1024


WORDY = '''"""What this is.

    # no comment
"""

# A reason.
LIMIT = 5  # a limit
"""How many."""


def look(flow):
    """Look at a flow."""
    text = f"""{flow}
    # no comment either
    """
    # Raised on purpose.
    raise ValueError(text)
'''


def test_words_stay_at_home_and_every_statement_on_its_line() -> None:
    bare = without_words(WORDY)
    assert len(bare.splitlines()) == len(WORDY.splitlines())
    assert "What this is" not in bare
    assert "How many" not in bare
    assert "A reason" not in bare
    with pytest.raises(ValueError, match="# no comment either") as raised:
        exec(f"{bare}\nlook('a')", {})  # noqa: S102  it is ours
    assert raised.traceback[-1].lineno + 1 == WORDY.splitlines().index("    raise ValueError(text)") + 1


def test_what_the_functions_do_is_what_their_source_says() -> None:
    for path in SOURCE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert _statements(without_words(source)) == _statements(source)


def _statements(source: str) -> str:
    """The code with every string that stands alone emptied, and with the lines that it stands on."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            node.value.value = ""
    return ast.dump(tree) + str([node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt)])
