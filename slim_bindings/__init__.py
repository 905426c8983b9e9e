"""Loads only the parts of a prebuilt CDKTF provider package that a program names.

Importing one class of such a package costs many seconds and hundreds of megabytes: the package's `__init__`
imports every generated submodule, and jsii loads a manifest of all their types into Node. `install` avoids both:

- Python: a bare package object takes the place of the package's `__init__`, so that submodules import alone.
- Node: a reduced assembly holding the named submodules, and whatever their types refer to, is built once into a
  cache and loaded instead of the shipped one. Its name and version are the shipped ones.

Relies on: the package layout of jsii-pacmak (`<package>/_jsii/__init__.py` loading `<name>@<version>.jsii.tgz`),
`lib/index.js` exporting one submodule a line, and jsii not verifying the manifest's fingerprint. If any of this is
found different, nothing is changed and the stock package loads, with one line in the log. A program is never
synthesized differently, only slower.

Self-contained: standard library and jsii only, and it knows no provider by name.
"""

import ast
import hashlib
import importlib.abc
import importlib.metadata
import importlib.util
import logging
import os
import sys
import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Final

from slim_bindings import assembly
from slim_bindings.assembly import AssemblyError, reduce_assembly

OFF_SWITCH: Final = "STOCK_BINDINGS"
"""Environment variable: any value makes `install` leave the stock package alone."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shipped:
    """What is known of an installed provider package without importing it."""

    package: str
    folder: Path
    archive: Path
    assembly_name: str
    assembly_version: str


def install(package: str, *, named_in: str | os.PathLike[str], cache: Path) -> bool:
    """Make `package` load slim: only the submodules that the file `named_in` imports from it.

    Call it before anything imports the package.

    Args:
        package: import name of a prebuilt provider, such as `cdktf_cdktf_provider_aws`.
        named_in: the Python file that imports from it; the one place where a new class is named.
        cache: folder for the reduced assembly. May be shared by concurrent runs.

    Returns:
        Whether the slim package is in place; False means that the stock one will load.
    """
    if os.environ.get(OFF_SWITCH):
        return False
    if package in sys.modules:
        log.warning("slim bindings: %s is imported already; it stays as it is", package)
        return False
    try:
        names = submodules_named_in(Path(named_in).read_text(encoding="utf-8"), package)
        shipped = _find(package)
        archive = _cached(shipped, names, cache)
        _load(shipped, archive)
    except (AssemblyError, ImportError, OSError, ValueError) as reason:
        log.warning("slim bindings: loading all of %s, because %s", package, reason)
        return False
    sys.meta_path.insert(0, _OnlyNamed(package, names, Path(named_in).name))
    return True


def submodules_named_in(source: str, package: str) -> frozenset[str]:
    """The submodules of `package` that a Python source imports from."""
    found = {
        node.module.split(".")[1]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{package}.")
    }
    if not found:
        raise AssemblyError(f"the file imports nothing from {package}")
    return frozenset(found)


def _find(package: str) -> _Shipped:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise AssemblyError(f"{package} is not installed")
    folder = Path(spec.origin).parent
    archives = list((folder / "_jsii").glob("*.jsii.tgz"))
    if len(archives) != 1:
        raise AssemblyError(f"{len(archives)} assemblies instead of one lie in it")
    name, version = _assembly_loaded_by((folder / "_jsii" / "__init__.py").read_text(encoding="utf-8"))
    return _Shipped(package=package, folder=folder, archive=archives[0], assembly_name=name, assembly_version=version)


def _assembly_loaded_by(source: str) -> tuple[str, str]:
    """Name and version in the generated `JSIIAssembly.load(name, version, module, file)`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("JSIIAssembly.load"):
            values = [argument.value for argument in node.args[:2] if isinstance(argument, ast.Constant)]
            if len(values) == 2 and all(isinstance(value, str) for value in values):  # noqa: PLR2004
                return str(values[0]), str(values[1])
    raise AssemblyError("it loads its assembly in an unknown way")


def _cached(shipped: _Shipped, names: frozenset[str], cache: Path) -> Path:
    jsii = importlib.metadata.version("jsii")
    how = Path(assembly.__file__).read_text(encoding="utf-8")
    size = str(shipped.archive.stat().st_size)
    identity = [shipped.assembly_name, shipped.assembly_version, size, jsii, how, *sorted(names)]
    key = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:24]
    path = cache / f"{shipped.package}-{shipped.assembly_version}-{key}.jsii.tgz"
    digest = path.with_suffix(".sha256")
    if path.is_file() and digest.is_file():
        if hashlib.sha256(path.read_bytes()).hexdigest() == digest.read_text(encoding="utf-8"):
            return path
        log.warning("slim bindings: %s is damaged and built again", path.name)
    content = reduce_assembly(shipped.archive, names)
    cache.mkdir(parents=True, exist_ok=True)
    _write_whole(path, content)
    _write_whole(digest, hashlib.sha256(content).hexdigest().encode())
    return path


def _write_whole(path: Path, content: bytes) -> None:
    """Write so that another process sees all of it or nothing."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _load(shipped: _Shipped, archive: Path) -> None:
    import jsii  # noqa: PLC0415  starts Node; whoever does not synthesize never gets here

    for dependency in _dependencies(shipped):
        importlib.import_module(dependency)
    loaded = jsii.JSIIAssembly(
        name=shipped.assembly_name, version=shipped.assembly_version, module=shipped.package, filename=archive.name
    )
    jsii.kernel.load(loaded.name, loaded.version, os.fspath(archive))
    jsii_module = types.ModuleType(f"{shipped.package}._jsii")
    jsii_module.__jsii_assembly__ = loaded  # type: ignore[attr-defined]
    jsii_module.__all__ = ["__jsii_assembly__"]  # type: ignore[attr-defined]
    package = types.ModuleType(shipped.package)
    package.__path__ = [str(shipped.folder)]
    package.__spec__ = ModuleSpec(shipped.package, None, is_package=True)
    package.__spec__.submodule_search_locations = [str(shipped.folder)]
    sys.modules[package.__name__] = package
    sys.modules[jsii_module.__name__] = jsii_module


def _dependencies(shipped: _Shipped) -> Iterable[str]:
    """The `_jsii` packages of other assemblies that the shipped one imports before it loads."""
    tree = ast.parse((shipped.folder / "_jsii" / "__init__.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.endswith("._jsii"))


class _OnlyNamed(importlib.abc.MetaPathFinder):
    """Answers the import of a submodule that is not named with where to name it."""

    def __init__(self, package: str, names: Iterable[str], file: str) -> None:
        self._package = package
        self._names = frozenset(names)
        self._file = file

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002  the protocol's
        target: types.ModuleType | None = None,  # noqa: ARG002
    ) -> None:
        parts = fullname.split(".")
        if parts[0] == self._package and len(parts) == 2 and parts[1] not in self._names:  # noqa: PLR2004
            raise ImportError(
                f"{fullname} is not loaded: import it in {self._file}, the one file that names what is used of "
                f"{self._package}, and take it from there"
            )
