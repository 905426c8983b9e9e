"""The same commit gives the same bytes, with fast or stock bindings and in any surroundings."""

import compileall
import hashlib
import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from components.paths import PROJECT
from slim_bindings import OFF_SWITCH
from tools.compat.source import ENVIRONMENTS, copy_source, synthesize

Digests = dict[str, str]

READ_FOLDERS_BACKWARDS = """\
import os
listdir, scandir = os.listdir, os.scandir
class Backwards(list):
    def __enter__(self): return iter(self)
    def __exit__(self, *_): pass
    close = list.clear
def backwards(*arguments):
    with scandir(*arguments) as entries:
        return Backwards(sorted(entries, key=lambda entry: entry.name, reverse=True))
os.listdir = lambda *arguments: sorted(listdir(*arguments), reverse=True)
os.scandir = backwards
"""
READ_FOLDERS_BACKWARDS_IN_NODE = """\
const fs = require("fs"), readdirSync = fs.readdirSync;
fs.readdirSync = (...given) => readdirSync(...given).reverse();
"""


def digests(output: Path) -> Digests:
    """The digest of every file in a folder, by its path."""
    found = {
        path.relative_to(output).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(output.rglob("*"))
        if path.is_file()
    }
    assert len(found) >= len(ENVIRONMENTS), f"{output} holds {len(found)} files"
    return found


def synthesized(project: Path, output: Path, **options: Any) -> tuple[Digests, list[str]]:
    """Digests of what `main.py` writes for all environments, and the lines of its log."""
    done = synthesize(project, output, python=sys.executable, **options)
    return digests(output), done.stderr.splitlines()


def processor_seconds() -> float:
    """CPU seconds of all ended children; unlike a clock, it does not count tests that run beside this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Digests:
    found, log = synthesized(PROJECT, tmp_path_factory.mktemp("here") / "out")
    assert log == []
    return found


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source in another folder, with an empty cache of bindings."""
    folder = tmp_path_factory.mktemp("elsewhere")
    copy_source(folder)
    return folder


@pytest.fixture(scope="module")
def first_seconds(checkout: Path, here: Digests, tmp_path_factory: pytest.TempPathFactory) -> float:
    """CPU seconds of a first run; two run at the same time with one cache and give the same result."""
    folder, begun = tmp_path_factory.mktemp("first"), processor_seconds()
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda number: synthesized(checkout, folder / str(number)), range(2)))
    for found, log in runs:
        assert (found, log) == (here, [])
    cached = sorted(path.suffix for path in (checkout / ".build" / "bindings").iterdir() if path.suffix != ".pyc")
    assert cached == [".sha256", ".tgz"], "no unfinished file may stay"
    return (processor_seconds() - begun) / len(runs)


def test_second_synthesis_gives_same_bytes(here: Digests, tmp_path: Path) -> None:
    assert synthesized(PROJECT, tmp_path / "out")[0] == here


@pytest.mark.usefixtures("first_seconds")
@pytest.mark.parametrize(
    "elsewhere",
    [
        pytest.param(
            {
                "TZ": "Asia/Tokyo",
                "LC_ALL": "C",
                "LANG": "tr_TR.UTF-8",
                "PYTHONHASHSEED": "7",
                "umask": 0o077,
                "HOME": "{home}",
                "USER": "somebody",
                "LOGNAME": "somebody",
            },
            id="time zone, locale, hash seed, umask, user",
        ),
        pytest.param({"PYTHONPATH": "{home}", "NODE_OPTIONS": "--require {home}/backwards.js"}, id="file order"),
        pytest.param({"compiled": True}, id="after byte code was written"),
    ],
)
def test_other_checkout_and_surroundings_give_same_bytes(
    checkout: Path, here: Digests, tmp_path: Path, elsewhere: dict[str, Any]
) -> None:
    (tmp_path / "sitecustomize.py").write_text(READ_FOLDERS_BACKWARDS)
    (tmp_path / "backwards.js").write_text(READ_FOLDERS_BACKWARDS_IN_NODE)
    environ = {key: str(value).format(home=tmp_path) for key, value in elsewhere.items() if key.isupper()}
    if "compiled" in elsewhere:
        # The tests leave byte code behind; it must not change a hash.
        assert compileall.compile_dir(checkout, quiet=1)
        assert list((checkout / "lambda_src").rglob("*.pyc"))
        os.utime(checkout / "lambda_src" / "report.py", (1, 1))
    found, log = synthesized(checkout, tmp_path / "out", environ=environ, umask=elsewhere.get("umask", -1))
    assert (found, log) == (here, [])


def test_damaged_cache_is_built_again(checkout: Path, here: Digests, first_seconds: float, tmp_path: Path) -> None:
    (archive,) = (checkout / ".build" / "bindings").glob("*.tgz")
    archive.write_bytes(archive.read_bytes()[:-1000])
    found, log = synthesized(checkout, tmp_path / "out")
    assert found == here
    assert log == [f"slim bindings: {archive.name} is damaged and is built again"]


def test_stock_gives_same_bytes_and_is_slower_than_a_first_run(
    checkout: Path, here: Digests, first_seconds: float, tmp_path: Path
) -> None:
    begun = processor_seconds()
    assert synthesized(checkout, tmp_path / "out", environ={OFF_SWITCH: "1"}) == (here, [])
    assert first_seconds < processor_seconds() - begun


def test_unwritable_cache_loads_stock_bindings_with_same_bytes(
    checkout: Path, here: Digests, first_seconds: float, tmp_path: Path
) -> None:
    bindings = checkout / ".build" / "bindings"
    bindings.rename(bindings.with_name("kept"))
    bindings.write_text("a file where the folder should be")
    begun = processor_seconds()
    try:
        found, log = synthesized(checkout, tmp_path / "out")
    finally:
        bindings.unlink()
        bindings.with_name("kept").rename(bindings)
    assert found == here
    assert len(log) == 1, log
    assert log[0].startswith("slim bindings: loading all of cdktf_cdktf_provider_aws, because ")
    assert first_seconds < processor_seconds() - begun, "a first run must not be slower than the stock bindings"


def test_wrong_settings_exit_with_2_and_write_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(PROJECT / "main.py")],
        env={
            "PATH": os.environ["PATH"],
            "TF_WORKSPACE": "dev",
            "CDKTF_OUTDIR": str(tmp_path / "out"),
            "JITTER_THRESHOLD": "-1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "environment variable JITTER_THRESHOLD: flows.live-stream.thresholds.jitter_ms" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
