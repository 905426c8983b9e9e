"""How tests share processes, how hard they try, and in which order they run."""

import os
from functools import cache
from pathlib import Path

import pytest
from _pytest.nodeid import coerce_node_id
from hypothesis import settings
from syrupy.assertion import SnapshotAssertion

from tests.snapshots import TextFile

LONGEST_FIRST = (
    *("environments", "local/test_ci_access", "local/test_readme", "local/test_pages", "local/test_lateness"),
    *(
        "local/test_adoption",
        "local/test_deploy",
        "venue",
        "local/test_existing",
        "local/test_subscribers",
        "local/test_bootstrap",
    ),
    *("properties/test_incidents", "synth/test_synth_bytes", "synth/test_scale", "modules/test_flow_module"),
)
"""Groups in the order of what they take, so that no process waits for another at the end."""

settings.register_profile("same", derandomize=True)
settings.register_profile("quick", derandomize=True, max_examples=15)  # for `make unit`, which must not be waited for
settings.register_profile("random", max_examples=1000, deadline=None)  # for `make fuzz`
settings.load_profile("same")


def group(item: pytest.Item) -> str:
    """What runs in one process, because each process has a local AWS of its own.

    The `xdist_group` of tests that share something expensive, such as a deployed environment; otherwise the file, for
    whose tests its fixtures are created once.
    """
    mark = item.get_closest_marker("xdist_group")
    path = item.path.relative_to(Path(__file__).parent).with_suffix("")
    return str(mark.args[0]) if mark else path.as_posix()


@pytest.hookimpl(specname="pytest_collection_finish", tryfirst=True)
def pytest_show_groups(session: pytest.Session) -> None:
    """Append its group to each node id, where `--dist loadgroup` looks for it.

    xdist 3.8 does that itself for the mark, but in vain with pytest 9.2, which keeps the node id in another attribute.
    """
    if session.config.getoption("loadgroup", default=False):
        for item in session.items:
            item._id = coerce_node_id(f"{item.nodeid}@{group(item)}")


@pytest.hookimpl(specname="pytest_collection_finish")
def pytest_hide_groups(session: pytest.Session) -> None:
    """Remove the groups again, right after xdist has read them; nobody else should see them."""
    if session.config.getoption("loadgroup", default=False):
        for item in session.items:
            item._id = coerce_node_id(item.nodeid.removesuffix(f"@{group(item)}"))


@cache
def give_way() -> None:
    """Let this process and all that it starts have less of the processor from now on."""
    os.nice(5)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give the longest group the processor first: everything waits for its end."""
    if hasattr(item.config, "workerinput") and group(item) != LONGEST_FIRST[0]:
        give_way()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with what takes longest."""
    order = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(group(item), len(order)))


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Equals a text that is the same as in its file."""
    return snapshot.use_extension(TextFile)
