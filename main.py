"""Synthesizes Terraform JSON into `cdktf.out`: settings in, stacks out. Wiring only.

The environment is the Terraform workspace, `TF_WORKSPACE`, so that what is synthesized and which state it meets
cannot be chosen apart.
"""

import errno
import gc
import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from components.bindings import CACHE
from slim_bindings import node

if TYPE_CHECKING:
    from settings import Environment

PROJECT: Final = Path(__file__).resolve().parent
DEFAULT_ENVIRONMENT: Final = "dev"


def load_cdktf() -> None:
    """Import CDKTF, after Node was started for it: that loads while Python goes on."""
    if "jsii" in sys.modules:
        return
    # Node 20 works; its end-of-life banner would bury our own messages.
    os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
    node.start()
    from slim_bindings import lean  # noqa: PLC0415  not before Node is started

    lean.install(["cdktf", "constructs"], cache=CACHE)
    import cdktf  # noqa: F401, PLC0415


def synthesize(environment: "Environment", *, output: Path, given: Mapping[str, Any]) -> None:
    """Write the stacks of an environment below `output`: the workflow's, and that of its state unless that is local.

    Raises:
        SettingsError: something in them is larger than AWS takes; then none is left there.
    """
    load_cdktf()
    from cdktf import App  # noqa: PLC0415  see there

    from stacks.ci_access import CiAccess  # noqa: PLC0415
    from stacks.media_workflow import MediaWorkflow  # noqa: PLC0415
    from stacks.state_backend import StateBackend  # noqa: PLC0415

    output.parent.mkdir(parents=True, exist_ok=True)
    app = App(outdir=str(output), context=dict(given))
    if environment.state_bucket_name:
        StateBackend(app, "state-backend", environment, name=environment.state_bucket_name)
    MediaWorkflow(app, "media-workflow", environment, build=PROJECT / ".build" / "assets")
    if environment.ci and environment.state_bucket_name:
        CiAccess(app, "ci-access", environment, environment.ci, state_bucket=environment.state_bucket_name)
    app.synth()
    _refuse_oversized(environment, output)


def _refuse_oversized(environment: "Environment", output: Path) -> None:
    from components.sizes import oversized  # noqa: PLC0415  not before Node is started
    from settings import SettingsError  # noqa: PLC0415

    written = sorted(output.glob("stacks/*/cdk.tf.json"))
    content: dict[str, dict[str, Any]] = {}
    for path in written:
        for kind, resources in json.loads(path.read_text(encoding="utf-8")).get("resource", {}).items():
            content.setdefault(kind, {}).update(
                {f"{path.parent.name}/{name}": item for name, item in resources.items()}
            )
    if problems := oversized(environment, {"resource": content}):
        for path in written:
            path.unlink()
        raise SettingsError(problems)


def main(root: Path = PROJECT) -> int:
    """Synthesize the environment of the workspace; 2 if its settings or what it needs cannot be used.

    Args:
        root: the folder with `environments/`.
    """
    name = os.environ.get("TF_WORKSPACE") or DEFAULT_ENVIRONMENT
    if wrong := node.problem():
        return _refused(wrong)
    load_cdktf()
    from settings import SettingsError, load_environment, read_context, trial_notice  # noqa: PLC0415  not before Node is started

    given = read_context(os.environ, root=PROJECT)
    output = Path(os.environ.get("CDKTF_OUTDIR") or PROJECT / "cdktf.out")
    try:
        environment = load_environment(name, root=root, environ=os.environ, context=given)
        if notice := trial_notice(name, root=root, environ=os.environ, context=given):
            sys.stderr.write(f"{notice}\n")
        synthesize(environment, output=output, given=given)
    except SettingsError as error:
        return _refused(str(error))
    except Exception as error:
        # Files are written by Python and, as JavaScript's errors, by CDKTF.
        code = re.search(r"\b(EACCES|EEXIST|ENOSPC|ENOTDIR|EPERM|EROFS)\b", str(error))
        if not isinstance(error, OSError) and not code:
            raise
        why = error.strerror if isinstance(error, OSError) else code and os.strerror(getattr(errno, code[1]))
        path = error.filename if isinstance(error, OSError) else output
        return _refused(f"{path} cannot be written ({why}). Synthesis writes to {output} and {PROJECT / '.build'}.")
    return 0


def _refused(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return 2


def run(root: Path = PROJECT) -> NoReturn:
    """`main` as the only thing that a process does.

    Raises:
        SystemExit: always, with its exit code.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing is lost: no traceback is needed
    gc.disable()  # the process ends before collecting anything would pay
    code = main(root)
    gc.freeze()  # nor are all of its objects looked through at its end
    sys.exit(code)


if __name__ == "__main__":
    run()
