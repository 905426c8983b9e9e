"""How tests share processes, and how hard they try."""

from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent
LONGEST_FIRST = ("test_scale.py", "test_synth_bytes.py", "modules", "local")

# For `make unit`, which must not be waited for; `make test` tries hypothesis' hundred examples.
settings.register_profile("quick", max_examples=15)


def group(item: pytest.Item) -> str:
    """What of an item must run in one process.

    A file, as its fixtures are made once; and each of two folders, whose files share a local AWS or a provider.
    """
    parts = item.path.relative_to(TESTS).parts
    return parts[0] if parts[0] in {"local", "modules"} else parts[-1]


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.xdist_group(group(item)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process waits for the other at the end."""
    order = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(group(item), len(order)))
