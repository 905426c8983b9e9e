"""Loads generated modules without their type checks and docstrings, and caches the compiled code.

On every call, jsii's bindings check the type of each argument in Python before Node checks it anyway: a fifth of the
time of a large synthesis. Their docstrings are more than half of their size.
"""

import contextlib
import importlib.abc
import importlib.util
import marshal
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

WITHOUT_ASSERTS_AND_DOCSTRINGS: Final = 2  # as `python -OO`


def install(packages: Sequence[str], *, cache: Path) -> None:
    """Make packages load lean when they are imported; their submodules load as usual.

    Args:
        packages: import names of packages that jsii generated.
        cache: folder for compiled code. Concurrent runs may share it.
    """
    sys.meta_path.insert(0, _LeanFinder(frozenset(packages), cache))
    # Generated code imports typeguard for its checks, and that imports Python's event loop and TLS.
    sys.modules.setdefault("typeguard", LazyModule("typeguard"))


class LazyModule(ModuleType):
    """Stands in for a module and imports it when an attribute of it is first used."""

    def __getattr__(self, name: str) -> object:
        """An attribute of the module itself; none for the names that Python's import system looks up."""
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


class _LeanFinder(importlib.abc.MetaPathFinder):
    def __init__(self, packages: frozenset[str], cache: Path) -> None:
        self._packages = packages
        self._cache = cache

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._packages:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and isinstance(spec.loader, SourceFileLoader):
            spec.loader = LeanLoader(fullname, Path(spec.loader.path), cache=self._cache)
        return spec


class LeanLoader(SourceFileLoader):
    """Loads a source file as Python does, but compiled lean and cached in a folder of its own."""

    def __init__(self, fullname: str, path: Path, *, cache: Path) -> None:
        super().__init__(fullname, os.fspath(path))
        self._cache = cache

    def get_code(self, fullname: str) -> CodeType:
        """The module's code, from the cache if the source has the same size and time as when it was compiled."""
        source = Path(self.path).stat()
        cached = self._cache / f"{fullname}-{source.st_size}-{source.st_mtime_ns}.{sys.implementation.cache_tag}.pyc"
        with contextlib.suppress(OSError, EOFError, ValueError, TypeError):
            found = marshal.loads(cached.read_bytes())  # noqa: S302  written here, like Python's own cache
            if isinstance(found, CodeType):
                return found
        code = compile(
            self.get_data(self.path), self.path, "exec", dont_inherit=True, optimize=WITHOUT_ASSERTS_AND_DOCSTRINGS
        )
        with contextlib.suppress(OSError):  # without a cache, loading only takes longer
            _write(cached, marshal.dumps(code))
        return code


def _write(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
