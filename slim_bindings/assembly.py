"""Reduces a jsii assembly to some of its submodules. Pure, apart from reading the archive."""

import gzip
import io
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

MANIFEST: Final = "package/.jsii"
INDEX: Final = "package/lib/index.js"
PACKAGE: Final = "package/package.json"
EXPORT: Final = re.compile(r'exports\.(\w+) = (?:__importStar\()?require\("\./([\w-]+)(?:/index)?"\)\)?;')
DECLARATIONS: Final = re.compile(r"exports\.\w+ = .*void 0;")

Manifest = dict[str, Any]


class AssemblyError(RuntimeError):
    """The assembly has an unexpected layout; the shipped one must be used."""


def reduce_assembly(archive: Path, python_modules: frozenset[str]) -> bytes:
    """A `.jsii.tgz` with some submodules of the one at `archive`, and all that their types refer to.

    Args:
        archive: the shipped `.jsii.tgz`.
        python_modules: the submodules to keep, by their Python import names.

    Raises:
        AssemblyError: a submodule is missing, or the layout is unexpected.
    """
    with tarfile.open(archive, "r:gz") as shipped:
        contents = {member.name: member for member in shipped if member.isfile()}

        def read(name: str) -> bytes:
            stream = shipped.extractfile(contents[name]) if name in contents else None
            if stream is None:
                raise AssemblyError(f"the assembly has no {name}")
            return stream.read()

        manifest: Manifest = json.loads(read(MANIFEST))
        index = read(INDEX).decode()
        kept = _with_referred(manifest, _submodules(manifest, python_modules))
        exports = frozenset(name.rsplit(".", 1)[1] for name in kept)  # snsTopic of @cdktf/provider-aws.snsTopic
        folders = _folders(index, exports)
        wanted = tuple(f"package/lib/{folder}/" for folder in folders)
        files = {name: read(name) for name in contents if name.startswith(wanted) and name.endswith(".js")}
        files[PACKAGE] = read(PACKAGE)
    files[MANIFEST] = json.dumps(_reduced(manifest, kept)).encode()
    files[INDEX] = "\n".join(_reduced_index(index, exports)).encode()
    return _packed(files)


def modules_in(archive: Path) -> frozenset[str]:
    """The Python import names of the submodules in an assembly."""
    with tarfile.open(archive, "r:gz") as opened:
        folders = {name.split("/")[2] for name in opened.getnames() if name.count("/") > 2}  # noqa: PLR2004
    return frozenset(folder.replace("-", "_") for folder in folders)


def _submodules(manifest: Manifest, python_modules: frozenset[str]) -> frozenset[str]:
    """Full names of the submodules with these Python modules, whose names are the folders' in snake case."""
    by_module = {
        entry["symbolId"].removeprefix("src/").split("/")[0].replace("-", "_"): name
        for name, entry in manifest["submodules"].items()
    }
    missing = python_modules - set(by_module)
    if missing:
        raise AssemblyError(f"the assembly has no submodule {', '.join(sorted(missing))}")
    return frozenset(by_module[module] for module in python_modules)


def _with_referred(manifest: Manifest, names: frozenset[str]) -> frozenset[str]:
    """`names` and, transitively, every submodule that one of their types refers to."""
    types_of: dict[str, list[Any]] = {}
    for fqn, described in manifest["types"].items():
        types_of.setdefault(_submodule_of(manifest, fqn), []).append(described)
    kept: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        kept.add(name)
        referred = {_submodule_of(manifest, fqn) for fqn in _references(types_of.get(name, []))}
        waiting |= {other for other in referred if other and other not in kept}
    return frozenset(kept)


def _submodule_of(manifest: Manifest, fqn: str) -> str:
    """The submodule of a type; empty for types of another assembly."""
    if not fqn.startswith(f"{manifest['name']}."):
        return ""
    name = fqn.removeprefix(f"{manifest['name']}.").split(".")[0]
    submodule = f"{manifest['name']}.{name}"
    if submodule not in manifest["submodules"]:
        raise AssemblyError(f"the type {fqn} is in no submodule")
    return submodule


def _references(described: object) -> Iterator[str]:
    """Every fully qualified type name that a part of the manifest refers to."""
    if isinstance(described, dict):
        for key, value in described.items():
            if key in {"fqn", "base"} and isinstance(value, str):
                yield value
            elif key == "interfaces" and isinstance(value, list):
                yield from (item for item in value if isinstance(item, str))
            else:
                yield from _references(value)
    elif isinstance(described, list):
        for item in described:
            yield from _references(item)


def _reduced(manifest: Manifest, kept: frozenset[str]) -> Manifest:
    return {
        **manifest,
        "submodules": {name: entry for name, entry in manifest["submodules"].items() if name in kept},
        "types": {fqn: entry for fqn, entry in manifest["types"].items() if _submodule_of(manifest, fqn) in kept},
    }


def _folders(index: str, exports: frozenset[str]) -> set[str]:
    found = {name: folder for name, folder in EXPORT.findall(index) if name in exports}
    if set(found) != exports:
        raise AssemblyError(f"the index does not export {', '.join(sorted(exports - set(found)))}")
    return set(found.values())


def _reduced_index(index: str, exports: frozenset[str]) -> Iterator[str]:
    """The lines of the index without the exports of other submodules."""
    for line in index.splitlines():
        export = EXPORT.fullmatch(line)
        if DECLARATIONS.fullmatch(line) or (export and export[1] not in exports):
            continue
        yield line


def _packed(files: Mapping[str, bytes]) -> bytes:
    """A tarball of the files; the same files give the same bytes."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            archive.addfile(entry, io.BytesIO(files[name]))
    return gzip.compress(plain.getvalue(), compresslevel=1, mtime=0)
