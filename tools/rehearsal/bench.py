"""Measures rehearsals: deploying, playing the whole library, and 30 more minutes."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tools.local_aws import LocalAws
from tools.rehearsal.assignment import at_home
from tools.rehearsal.deployment import deploy, load
from tools.rehearsal.reading import load_scenarios
from tools.rehearsal.run import play

HALF_AN_HOUR: Final = 30


def measure(say: Callable[[str], None]) -> dict[str, float]:
    """Seconds for `deploy`, `play` and `total`, and `half_hour`, the cost of 30 more minutes.

    `half_hour` is the mean real time of a played minute over the library, times thirty.
    """
    started = time.monotonic()
    scenarios = load_scenarios([])
    environments = load(scenario.environment for scenario in scenarios)
    with LocalAws() as aws, tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        deployments = deploy(aws, environments, Path(folder), say)
        deployed = time.monotonic()
        results = [
            play(assignment, deployments[assignment.environment]) for assignment in at_home(scenarios, environments)
        ]
    played = sum(result.seconds for result in results)
    minutes = sum(scenario.minutes for scenario in scenarios)
    for result in results:
        say(f"{result.seconds:6.2f} s for {result.assignment.scenario.minutes:3} minutes of {result.assignment.name}")
    return {
        "deploy": deployed - started,
        "play": played,
        "total": time.monotonic() - started,
        "half_hour": played / minutes * HALF_AN_HOUR,
    }


if __name__ == "__main__":
    for what, seconds in measure(print).items():
        print(f"{what}: {seconds:.1f} s")  # noqa: T201  this is its purpose
