"""How tests share processes, and how hard they try."""

import os
from functools import cache
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

SHARING = {
    "tests/local/test_incidents.py": "venue",
    "tests/local/test_replay.py": "venue",
    "tests/local/test_replay_express.py": "venue",
    "tests/local/test_seconds.py": "venue",
    "tests/local/test_scenarios.py": "environments",
    "tests/local/test_stack.py": "environments",
    "tests/local/test_workflow.py": "environments",
    "tests/modules/": "modules",
}
"""What shares something that takes long to make: a deployed environment, a provider."""

LONGEST_FIRST = (
    *(
        "environments",
        "tests/local/test_ci_access.py",
        "tests/local/test_readme.py",
        "tests/local/test_pages.py",
        "tests/local/test_adoption.py",
        "tests/local/test_deploy.py",
        "venue",
    ),
    *(
        "tests/local/test_existing.py",
        "tests/local/test_subscribers.py",
        "tests/local/test_bootstrap.py",
        "tests/properties/test_incidents.py",
    ),
    *("tests/synth/test_synth_bytes.py", "tests/synth/test_scale.py", "modules"),
)

# For `make unit`, which must not be waited for; `make test` tries hypothesis' hundred examples.
settings.register_profile("quick", max_examples=15)


def group(nodeid: str) -> str:
    """What of a test must run in one process.

    A file, as its fixtures are made once; or several that share more. Each process has a local AWS of its own.
    """
    path = nodeid.partition("::")[0]
    return next((shared for begin, shared in SHARING.items() if path.startswith(begin)), path)


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each process whole groups. xdist's own marker for that is without effect in pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByGroup:
    return ByGroup(config, log)


@cache
def give_way() -> None:
    """Let this process and all that it starts have less of the processor from now on."""
    os.nice(5)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Whatever else runs beside it, the longest group has the processor first: all wait for its end."""
    if hasattr(item.config, "workerinput") and group(item.nodeid) != LONGEST_FIRST[0]:
        give_way()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process waits for the other at the end."""
    order = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(group(item.nodeid), len(order)))
