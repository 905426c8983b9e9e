"""Writes the stacks of one environment as Terraform JSON."""

import errno
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from cdktf import App

from components.sizes import oversized
from settings import Environment, SettingsError
from stacks.ci_access import CiAccess
from stacks.media_workflow import MediaWorkflow
from stacks.state_backend import StateBackend

BUILD: Final = Path(__file__).resolve().parent.parent / ".build"
UNWRITABLE: Final = re.compile(r"\b(EACCES|EEXIST|ENOSPC|ENOTDIR|EPERM|EROFS)\b")


class UnwritableError(RuntimeError):
    """A file cannot be written. The message says which one, why, and where synthesis writes."""


def synthesize(environment: Environment, *, output: Path, context: Mapping[str, Any]) -> None:
    """Write the stacks of an environment below `output`; that of the state's bucket only unless state is local.

    Args:
        environment: the settings.
        output: created if it is missing.
        context: CDKTF's context.

    Raises:
        SettingsError: a document is larger than AWS accepts; then no stack is left in `output`.
        UnwritableError: a folder cannot be written.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        app = App(outdir=str(output), context=dict(context))
        if environment.state_bucket_name:
            StateBackend(app, "state-backend", environment, name=environment.state_bucket_name)
        MediaWorkflow(app, "media-workflow", environment, build=BUILD / "assets")
        if environment.ci and environment.state_bucket_name:
            CiAccess(app, "ci-access", environment, environment.ci, state_bucket=environment.state_bucket_name)
        app.synth()
    except Exception as error:
        if unwritable := _unwritable(error, output):
            raise unwritable from error
        raise
    _refuse_oversized(environment, sorted(output.glob("stacks/*/cdk.tf.json")))


def _unwritable(error: Exception, output: Path) -> UnwritableError | None:
    """The error for a file that cannot be written; None if `error` is another one.

    Python raises an OSError for its own files; for those that CDKTF writes, jsii raises an error of JavaScript.
    """
    code = UNWRITABLE.search(str(error))
    if isinstance(error, OSError):
        path, why = error.filename, error.strerror
    elif code:
        path, why = output, os.strerror(getattr(errno, code[1]))
    else:
        return None
    return UnwritableError(f"{path} cannot be written ({why}). Synthesis writes to {output} and {BUILD}.")


def _refuse_oversized(environment: Environment, written: Iterable[Path]) -> None:
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
