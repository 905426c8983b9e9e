"""Finds differences between two synthesized folders, but for those expected between releases. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

EXPECTED: Final = (
    "version",  # of CDKTF, in manifest.json
    "//.metadata.version",  # of CDKTF, in cdk.tf.json
    "terraform.required_providers.aws.version",
    "terraform.required_providers.aws.source",  # "aws" or "hashicorp/aws"
)


def differences(expected: Mapping[str, bytes], found: Mapping[str, bytes]) -> list[str]:
    """One line for each difference that moving to another release must not make.

    Args:
        expected: content by file name, as the release in use writes it.
        found: as another release writes it.
    """
    lines = [f"{name} is missing" for name in sorted(expected.keys() - found.keys())]
    lines += [f"{name} is new" for name in sorted(found.keys() - expected.keys())]
    for name in sorted(expected.keys() & found.keys()):
        if not name.endswith(".json"):
            lines += [f"{name} has other bytes"] if expected[name] != found[name] else []
            continue
        lines += [
            f"{name}: {path} is {other!r:.200} instead of {one!r:.200}"
            for path, one, other in _unequal("", json.loads(expected[name]), json.loads(found[name]))
            if path not in EXPECTED
        ]
    return lines


def _unequal(path: str, one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    """Dotted path and both values wherever two JSON documents differ. A missing key is None."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield from _unequal(f"{path}.{key}" if path else key, one.get(key), other.get(key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _unequal(f"{path}[{number}]", left, right)
    elif one != other:
        yield path, one, other
