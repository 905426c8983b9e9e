"""Writes the Terraform JSON of one environment into `cdktf.out`.

The environment is the Terraform workspace, `TF_WORKSPACE`, so that the stacks always meet their own state.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Final, NoReturn

from components import bindings
from components.paths import PROJECT

DEFAULT_ENVIRONMENT: Final = "dev"


def main(root: Path = PROJECT) -> int:
    """Synthesize the environment of the workspace; `root` is the folder with `environments/`.

    Returns 2, with the reason on standard error, if the settings cannot be read or used, or a folder cannot be written.
    """
    # These imports take most of the time, and nothing may import CDKTF before the bindings are prepared.
    from settings import SettingsError, load_environment, read_context, trial_notice  # noqa: PLC0415
    from stacks.synthesis import UnwritableError, synthesize  # noqa: PLC0415

    name = os.environ.get("TF_WORKSPACE") or DEFAULT_ENVIRONMENT
    output = Path(os.environ.get("CDKTF_OUTDIR") or PROJECT / "cdktf.out")
    context = read_context(os.environ, root=PROJECT)
    try:
        environment = load_environment(name, root=root, environ=os.environ, context=context)
        if notice := trial_notice(name, root=root, environ=os.environ, context=context):
            sys.stderr.write(f"{notice}\n")
        synthesize(environment, output=output, context=context)
    except (SettingsError, UnwritableError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def run(root: Path = PROJECT) -> NoReturn:
    """Run `main` as the only thing that this process does, and exit with its code."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing is lost: no traceback is needed
    bindings.run(lambda: main(root))


if __name__ == "__main__":
    run()
