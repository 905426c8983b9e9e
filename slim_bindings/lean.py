"""Loads generated modules without their checks and texts, compiled once into a cache of its own.

jsii's bindings work out and check the type of each argument in Python, on every call, before Node checks it anyway:
a fifth of the time of a large synthesis. Their texts are more than half of their size.
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

from slim_bindings import OFF_SWITCH

WITHOUT_CHECKS_AND_TEXTS: Final = 2  # as `python -OO`


def install(packages: Sequence[str], *, cache: Path) -> None:
    """Load some packages lean when they are imported, but not their submodules.

    Args:
        packages: import names of packages that jsii generated.
        cache: folder for compiled code. May be shared by concurrent runs.
    """
    if os.environ.get(OFF_SWITCH):
        return
    sys.meta_path.insert(0, _LeanFinder(frozenset(packages), cache))
    # Generated code imports what checks types, and that Python's event loop and TLS.
    sys.modules.setdefault("typeguard", PutOff("typeguard"))


class PutOff(ModuleType):
    """Stands in for a module that is imported but hardly ever used, until something is taken from it."""

    def __getattr__(self, name: str) -> object:
        """From the module itself, which is imported now; nothing that Python asks modules for by itself."""
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
    """Python's own loader of a source file, but for how it compiles and where it keeps that."""

    def __init__(self, fullname: str, path: Path, *, cache: Path) -> None:
        super().__init__(fullname, os.fspath(path))
        self._cache = cache

    def get_code(self, fullname: str) -> CodeType:
        """The module's code; compiled unless that was done before for the same file."""
        seen = Path(self.path).stat()
        kept = self._cache / f"{fullname}-{seen.st_size}-{seen.st_mtime_ns}.{sys.implementation.cache_tag}.pyc"
        with contextlib.suppress(OSError, EOFError, ValueError, TypeError):
            found = marshal.loads(kept.read_bytes())  # noqa: S302  ours, as Python's own cache is
            if isinstance(found, CodeType):
                return found
        code = compile(
            self.get_data(self.path), self.path, "exec", dont_inherit=True, optimize=WITHOUT_CHECKS_AND_TEXTS
        )
        with contextlib.suppress(OSError):  # without a cache it only takes longer
            _keep(kept, marshal.dumps(code))
        return code


def _keep(path: Path, content: bytes) -> None:
    """Write a file so that another process sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
