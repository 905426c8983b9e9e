"""Loads only the submodules of a prebuilt CDKTF provider package that a program imports.

Importing one class of such a package costs many seconds and hundreds of megabytes: the package's `__init__`
imports every generated submodule, and jsii loads a manifest of all their types into Node. `install` avoids both:

- Python: an empty package object replaces the package's `__init__`, so that submodules are imported one by one.
- Node: an assembly reduced to the named submodules, and all that their types refer to, is built once into a cache,
  tried in a process of its own, and loaded instead of the shipped one, under the shipped name and version.

Relies on the layout of jsii-pacmak's packages (`<package>/_jsii/` loads the one `<name>@<version>.jsii.tgz` in it
through `jsii.kernel.load`), on `lib/index.js` exporting one submodule a line, and on jsii not verifying the manifest's
fingerprint. If anything is different, nothing is changed and the stock package loads, with one line in the log.
"""

import ast
import hashlib
import importlib.abc
import importlib.util
import json
import logging
import os
import subprocess
import sys
import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Final

import jsii

from slim_bindings import assembly
from slim_bindings.assembly import AssemblyError, modules_in, reduce_assembly
from slim_bindings.lean import LeanLoader

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shipped:
    """An installed provider package, found without importing it."""

    package: str
    folder: Path
    archive: Path


def install(package: str, *, named_in: str | os.PathLike[str], cache: Path) -> bool:
    """Make a provider package load only the submodules that the file `named_in` imports from it.

    Call it before anything imports the package.

    Args:
        package: import name of a prebuilt provider, such as `cdktf_cdktf_provider_aws`.
        named_in: the Python file that imports from it.
        cache: folder for the reduced assembly. Concurrent runs may share it.

    Returns:
        Whether the slim package is in place; False means that the stock one will load.
    """
    if package in sys.modules:
        log.warning("slim bindings: %s is already imported and stays as it is", package)
        return False
    try:
        names = submodules_named_in(Path(named_in).read_text(encoding="utf-8"), package)
        shipped = _find(package)
        archive = _cached(shipped, names, cache)
        _load(shipped, archive)
    except Exception as reason:  # noqa: BLE001  on any error, the stock package still works
        for name in (package, f"{package}._jsii"):
            sys.modules.pop(name, None)
        log.warning("slim bindings: loading all of %s, because %s", package, reason or repr(reason))
        return False
    sys.meta_path.insert(0, _OnlyNamed(shipped, names, Path(named_in).name, archive))
    return True


def submodules_named_in(source: str, package: str) -> frozenset[str]:
    """The submodules of `package` that a Python source imports, or imports from."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == package and not node.level:
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= _below(node.module, package)
        elif isinstance(node, ast.Import):
            found = found.union(*(_below(alias.name, package) for alias in node.names))
    if not found:
        raise AssemblyError(f"the file imports nothing from {package}")
    return frozenset(found)


def _below(module: str, package: str) -> set[str]:
    return {module.removeprefix(f"{package}.").split(".")[0]} if module.startswith(f"{package}.") else set()


def _find(package: str) -> _Shipped:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise AssemblyError(f"{package} is not installed")
    folder = Path(spec.origin).parent
    archives = list((folder / "_jsii").glob("*.jsii.tgz"))
    if len(archives) != 1:
        raise AssemblyError(f"{package} has {len(archives)} assemblies instead of one")
    return _Shipped(package=package, folder=folder, archive=archives[0])


def _cached(shipped: _Shipped, names: frozenset[str], cache: Path) -> Path:
    """The reduced assembly, built and tried unless the cache has it for the same package, names and code."""
    how = Path(assembly.__file__).read_text(encoding="utf-8")
    size = str(shipped.archive.stat().st_size)
    identity = [shipped.archive.name, size, jsii.__version__, how, *sorted(names)]
    key = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:24]
    path = cache / f"{shipped.package}-{key}.jsii.tgz"
    digest = path.with_suffix(".sha256")
    if path.is_file() and digest.is_file():
        if hashlib.sha256(path.read_bytes()).hexdigest() == digest.read_text(encoding="utf-8"):
            return path
        log.warning("slim bindings: %s is damaged and is built again", path.name)
    cache.mkdir(parents=True, exist_ok=True)
    # Each file is replaced atomically, the digest last.
    unfinished = path.with_suffix(f".{os.getpid()}")
    try:
        unfinished.write_bytes(b"")  # an unwritable cache fails before the work
        content = reduce_assembly(shipped.archive, names)
        unfinished.write_bytes(content)
        _try(shipped, unfinished, names)
        unfinished.replace(path)
        unfinished.write_text(hashlib.sha256(content).hexdigest(), encoding="utf-8")
        unfinished.replace(digest)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


TRIAL: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from slim_bindings import load; load.trial(*sys.argv[2:])"
)


def _try(shipped: _Shipped, archive: Path, names: Iterable[str]) -> None:
    """Load a new assembly in another process: after one that Node refuses, this one could not load the stock one."""
    command = [sys.executable, "-c", TRIAL, json.dumps(sys.path), shipped.package, os.fspath(archive), *sorted(names)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise AssemblyError(f"the reduced assembly does not load: {last}")


def trial(package: str, archive: str, *names: str) -> None:
    """Load `archive` as the assembly of `package` and import the named submodules. Run by `_try`."""
    shipped = _find(package)
    _load(shipped, Path(archive))
    sys.meta_path.insert(0, _OnlyNamed(shipped, frozenset(names), "the file", Path(archive)))
    for name in names:
        importlib.import_module(f"{package}.{name}")


def _load(shipped: _Shipped, archive: Path) -> None:
    """Let the package load its assembly, with `archive` in place of the shipped one."""
    package = types.ModuleType(shipped.package)
    package.__path__ = [os.fspath(shipped.folder)]
    package.__spec__ = ModuleSpec(shipped.package, None, is_package=True)
    package.__spec__.submodule_search_locations = [os.fspath(shipped.folder)]
    load_as_shipped = jsii.kernel.load
    replaced = []

    def load(name: str, version: str, tarball: str) -> None:
        if Path(tarball) == shipped.archive:
            replaced.append(name)
            tarball = os.fspath(archive)
        load_as_shipped(name, version, tarball)

    sys.modules[package.__name__] = package
    vars(jsii.kernel)["load"] = load
    try:
        importlib.import_module(f"{shipped.package}._jsii")
    finally:
        del vars(jsii.kernel)["load"]
    if not replaced:
        raise AssemblyError("the package loads its assembly in an unknown way")


class _OnlyNamed(importlib.abc.MetaPathFinder):
    """Finds a submodule to load lean, or raises an error that says where to import one that is not loaded."""

    def __init__(self, shipped: _Shipped, names: frozenset[str], file: str, archive: Path) -> None:
        self._shipped = shipped
        self._names = names
        self._file = file
        self._archive = archive

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002  of the protocol
        target: types.ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        package, _, name = fullname.partition(".")
        if package != self._shipped.package or not name or "." in name:
            return None
        # A named submodule may import another that its types refer to. Reading the archive is slow, so it comes last.
        if name not in self._names and name not in modules_in(self._archive):
            raise ImportError(
                f"{fullname} is not loaded: only what {self._file} imports from {package} is. Import it in "
                f"{self._file}, and from there elsewhere"
            )
        source = self._shipped.folder / name / "__init__.py"
        if not source.is_file():
            return None
        loader = LeanLoader(fullname, source, cache=self._archive.parent)
        return importlib.util.spec_from_file_location(fullname, source, loader=loader)
