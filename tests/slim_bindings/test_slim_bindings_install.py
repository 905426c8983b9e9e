"""On any unexpected layout, the stock package stays importable and one line in the log says why it loads."""

import importlib
import io
import json
import logging
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slim_bindings import load
from slim_bindings.assembly import AssemblyError
from slim_bindings.load import install

PACKAGE = "a_provider_package"
NAMING = f"from {PACKAGE}.sns_topic import SnsTopic\n"


@pytest.fixture
def named_in(tmp_path: Path) -> Path:
    path = tmp_path / "aws.py"
    path.write_text(NAMING)
    return path


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed provider package with a valid assembly, which it loads in an unexpected way."""
    folder = tmp_path / "site" / PACKAGE
    (folder / "_jsii").mkdir(parents=True)
    (folder / "__init__.py").write_text("STOCK = True\n")
    (folder / "_jsii" / "__init__.py").write_text("")
    (folder / "sns_topic").mkdir()
    (folder / "sns_topic" / "__init__.py").write_text("class SnsTopic: ...\n")
    manifest = {
        "name": "@x/aws",
        "submodules": {"@x/aws.snsTopic": {"symbolId": "src/sns-topic/index:"}},
        "types": {"@x/aws.snsTopic.SnsTopic": {}},
    }
    files = {
        "package/.jsii": json.dumps(manifest),
        "package/package.json": "{}",
        "package/lib/index.js": 'exports.snsTopic = require("./sns-topic");\n',
        "package/lib/sns-topic/index.js": "",
    }
    with tarfile.open(folder / "_jsii" / "aws@1.2.3.jsii.tgz", "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    monkeypatch.syspath_prepend(folder.parent)
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def no_assembly(folder: Path) -> None:
    (folder / "_jsii" / "aws@1.2.3.jsii.tgz").unlink()


def two_assemblies(folder: Path) -> None:
    (folder / "_jsii" / "other@1.jsii.tgz").write_bytes(b"")


def broken_assembly(folder: Path) -> None:
    path = folder / "_jsii" / "aws@1.2.3.jsii.tgz"
    path.write_bytes(path.read_bytes()[:-40])


def no_archive(folder: Path) -> None:
    (folder / "_jsii" / "aws@1.2.3.jsii.tgz").write_bytes(b"not a tarball")


def file_for_a_cache(folder: Path) -> None:
    (folder.parent.parent / "cache").write_text("")


def import_error(folder: Path) -> None:
    """Found by the trial in another process."""
    (folder / "_jsii" / "__init__.py").write_text("raise ImportError('another jsii is needed')\n")


def names_nothing(folder: Path) -> None:
    (folder.parent.parent / "aws.py").write_text("import os\n")


def syntax_error(folder: Path) -> None:
    (folder.parent.parent / "aws.py").write_text("import import\n")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (no_assembly, "0 assemblies"),
        (two_assemblies, "2 assemblies"),
        (broken_assembly, "because"),
        (no_archive, "because"),
        (file_for_a_cache, "cache"),
        (import_error, "another jsii is needed"),
        (names_nothing, "imports nothing"),
        (syntax_error, "invalid syntax"),
    ],
)
def test_stock_package_loads_with_one_log_line(
    provider: Path,
    named_in: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Path], None],
    words: str,
) -> None:
    spoil(provider)
    finders = list(sys.meta_path)
    with caplog.at_level(logging.INFO):
        assert install(PACKAGE, named_in=named_in, cache=tmp_path / "cache") is False
    assert [(line.levelname, line.name) for line in caplog.records] == [("WARNING", "slim_bindings.load")]
    assert words in caplog.text
    assert sys.meta_path == finders
    assert importlib.import_module(PACKAGE).STOCK is True
    assert not list(tmp_path.glob("cache/*")), "no unfinished file may stay in the cache"


def test_failure_after_a_good_trial_leaves_stock_package(
    provider: Path, named_in: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "_try", lambda *_: None)  # a trial that finds nothing
    assert install(PACKAGE, named_in=named_in, cache=tmp_path / "cache") is False
    assert [line.getMessage() for line in caplog.records] == [
        f"slim bindings: loading all of {PACKAGE}, because the package loads its assembly in an unknown way"
    ]
    assert importlib.import_module(PACKAGE).STOCK is True


def test_missing_package_is_named_in_the_log(named_in: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert install(PACKAGE, named_in=named_in, cache=tmp_path) is False
    assert "is not installed" in caplog.text


def test_imported_package_stays_as_it_is(
    provider: Path, named_in: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = importlib.import_module(PACKAGE)
    assert install(PACKAGE, named_in=named_in, cache=tmp_path) is False
    assert sys.modules[PACKAGE] is before
    assert "is already imported" in caplog.text


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (f"from {PACKAGE}.sns_topic import SnsTopic", {"sns_topic"}),
        (f"from {PACKAGE}.sns_topic.inner import Thing", {"sns_topic"}),
        (f"from {PACKAGE} import sns_topic, kms_key as key", {"sns_topic", "kms_key"}),
        (f"import os, {PACKAGE}.sqs_queue as queue", {"sqs_queue"}),
        (f"def late():\n    from {PACKAGE}.kms_key import KmsKey", {"kms_key"}),
    ],
)
def test_every_form_of_import_names_its_submodule(line: str, names: set[str]) -> None:
    assert load.submodules_named_in(line, PACKAGE) == names


@pytest.mark.parametrize("line", ["import os", f"from .{PACKAGE}.x import y", f"import {PACKAGE}_more.thing"])
def test_file_that_imports_nothing_of_the_package_is_refused(line: str) -> None:
    with pytest.raises(AssemblyError, match=f"imports nothing from {PACKAGE}"):
        load.submodules_named_in(line, PACKAGE)
