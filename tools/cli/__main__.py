"""Plan, deploy, operate and rehearse environments.

Exit codes: 0 success, 1 failure, 2 wrong input, 3 drift; 128 plus the signal if interrupted.
"""

from typing import Final

import typer

from tools.cli.apply import apply
from tools.cli.bench import bench
from tools.cli.bench_rehearsal import bench_rehearsal
from tools.cli.bootstrap import bootstrap
from tools.cli.ci_access import ci_access
from tools.cli.close import close
from tools.cli.comment import comment
from tools.cli.compat import compat
from tools.cli.deploy import deploy
from tools.cli.destroy import destroy
from tools.cli.drift import drift
from tools.cli.github_ids import github_ids
from tools.cli.lateness import lateness
from tools.cli.local import local
from tools.cli.plan import plan
from tools.cli.preflight import preflight
from tools.cli.rehearse import rehearse
from tools.cli.replay import replay
from tools.cli.review_plan import review_plan
from tools.cli.reviewed_run import reviewed_run
from tools.cli.shared import command
from tools.cli.start import start
from tools.cli.status import status
from tools.cli.stop import stop

COMMANDS: Final = {
    "Deploy": (bootstrap, preflight, plan, deploy, drift, destroy),
    "Operate": (status, start, stop, close, replay),
    "Rehearse": (rehearse, lateness, local),
    "Review and pipeline": (review_plan, apply, reviewed_run, comment, ci_access, github_ids),
    "Develop": (bench, bench_rehearsal, compat),
}

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
for panel, functions in COMMANDS.items():
    for function in functions:
        app.command(rich_help_panel=panel)(command(function))


if __name__ == "__main__":
    app(prog_name="media-workflow")
