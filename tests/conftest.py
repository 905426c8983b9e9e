"""How tests share processes, and how hard they try."""

from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

LONGEST_FIRST = ("tests/synth/test_scale.py", "tests/synth/test_synth_bytes.py", "tests/modules", "tests/local")
SHARING = ("tests/local", "tests/modules")

# For `make unit`, which must not be waited for; `make test` tries hypothesis' hundred examples.
settings.register_profile("quick", max_examples=15)


def group(nodeid: str) -> str:
    """What of a test must run in one process.

    A file, as its fixtures are made once; and each of two folders, whose files share a local AWS or a provider.
    """
    path = nodeid.partition("::")[0]
    return next((folder for folder in SHARING if path.startswith(f"{folder}/")), path)


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each process whole groups. xdist's own marker for that is without effect in pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByGroup:
    return ByGroup(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process waits for the other at the end."""
    order = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(group(item.nodeid), len(order)))
