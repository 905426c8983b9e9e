"""The AWS on a laptop, started once for all tests of this folder, and what is deployed to it once."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local_aws import LocalAws
from rehearsal.stage import Stage
from tests.local.evening import Evening

Begin = Callable[[str], Evening]


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """A running local AWS."""
    with LocalAws() as running:
        yield running


@pytest.fixture(scope="session")
def venue_settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the settings of the environment `venue`, which is no environment of the project."""
    root = tmp_path_factory.mktemp("settings")
    (root / "environments").mkdir()
    shutil.copy(Path(__file__).with_name("venue.toml"), root / "environments" / "venue.toml")
    return root


@pytest.fixture(scope="session")
def venue(aws: LocalAws, venue_settings: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The queue and the flows of the environment `venue`, deployed."""
    stage = Stage(aws, "venue", tmp_path_factory.mktemp("venue"), settings_root=venue_settings)
    stage.synthesize()
    stage.initialize()
    stage.apply()
    outputs = stage.outputs()
    return {**outputs["flow_arns"], "queue": outputs["dead_letters_url"]}


@pytest.fixture
def begin(aws: LocalAws, venue: dict[str, str]) -> Iterator[Begin]:
    """Begins an evening of one of the flows of `venue`, on the clean stack."""
    evenings = []

    def of(flow: str) -> Evening:
        evenings.append(
            Evening(aws, flow, {name: arn for name, arn in venue.items() if name != "queue"}, venue["queue"])
        )
        return evenings[-1]

    yield of
    for evening in evenings:
        evening.end()
