"""Plays the cells of the lateness table as scenarios, on all processors."""

import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from multiprocessing import get_context, parent_process
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Final

from tools.local_aws import LocalAws
from tools.rehearsal.assignment import Assignment
from tools.rehearsal.deployment import Deployment, deploy
from tools.rehearsal.lateness import CHECKS, Cell, Conditions, trials
from tools.rehearsal.run import play

SETTINGS: Final = Path(__file__).with_name("lateness.toml")


def settings(folder: Path) -> dict[int, str]:
    """Write the settings of an environment for each check interval; their names."""
    (folder / "environments").mkdir(parents=True, exist_ok=True)
    names = {minutes: f"every{minutes}" for minutes in CHECKS}
    text = SETTINGS.read_text(encoding="utf-8")
    for minutes, name in names.items():
        changed = text.replace("check_every_minutes = 1\n", f"check_every_minutes = {minutes}\n")
        (folder / "environments" / f"{name}.toml").write_text(changed, encoding="utf-8")
    return names


def deployed(aws: LocalAws, folder: Path, say: Callable[[str], None]) -> dict[int, Deployment]:
    """Deploy an environment for each check interval; the deployments by it."""
    names = settings(folder)
    deployments = deploy(aws, names.values(), folder / "terraform", say, settings_root=folder)
    return {minutes: deployments[name] for minutes, name in names.items()}


def measure(
    deployments: Mapping[int, Deployment], rows: Iterable[Conditions], *, beyond: int, wanted: Sequence[str] = ()
) -> Iterator[tuple[Conditions, dict[str, Cell]]]:
    """Play the trials of each condition; the row of each, by trial.

    Args:
        deployments: the environment of each check interval.
        rows: under which conditions.
        beyond: periods of an alarm's evaluation range beyond its evaluation periods.
        wanted: names of trials; all if empty.
    """
    for row in rows:
        deployment = deployments[row.checks]
        yield (
            row,
            {
                trial.name: trial.judge(
                    play(
                        Assignment(trial.scenario(row), deployment.environment.name, trial.flow),
                        deployment,
                        beyond=beyond,
                    ).notifications,
                    row,
                )
                for trial in trials(deployment.environment, row.protocol)
                if not wanted or trial.name in wanted
            },
        )


_of_this_process: Final[dict[int, Deployment]] = {}
"""The environments of a process that `measure_in_processes` started, by check interval."""


def measure_in_processes(rows: Sequence[Conditions], *, beyond: int) -> Iterator[tuple[Conditions, Mapping[str, Cell]]]:
    """Play rows on all processors, each with its own local AWS; yields rows as they end.

    Args:
        rows: under which conditions.
        beyond: periods of an alarm's evaluation range beyond its evaluation periods.
    """
    processes = min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, len(rows)
    )
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_deploy_here) as pool:
        played = [pool.submit(_play_here, row, beyond) for row in rows]
        try:
            for one in as_completed(played):
                yield one.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _deploy_here() -> None:
    """Deploy in this process, which is one of several; what was started ends with it."""
    open_ = ExitStack()
    Finalize(None, open_.close, exitpriority=1)  # the end of a worker runs no atexit
    threading.Thread(target=_end_with_parent, args=(open_,), daemon=True).start()
    aws = open_.enter_context(LocalAws())
    folder = Path(open_.enter_context(tempfile.TemporaryDirectory(prefix="lateness-")))
    _of_this_process.update(deployed(aws, folder, lambda _: None))


def _end_with_parent(open_: ExitStack) -> None:
    """Leave nothing behind where the process that started this one is killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        open_.close()
        os._exit(1)


def _play_here(row: Conditions, beyond: int) -> tuple[Conditions, dict[str, Cell]]:
    (played,) = measure(_of_this_process, [row], beyond=beyond)
    return played
