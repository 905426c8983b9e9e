"""The AWS on a laptop, started once for all tests of this folder."""

from collections.abc import Iterator

import pytest

from local_aws import LocalAws


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """A running local AWS."""
    with LocalAws() as running:
        yield running
