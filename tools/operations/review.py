"""Reviews plans from the command line: reads files, the settings that protect an environment, and Git history.

What a change means is decided in `plan_review`, which is pure.
"""

import io
import os
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from components.lambda_package import LambdaPackage, lambda_package
from components.paths import PROJECT
from settings import SettingsError, load_environment
from tools.plan_review import PlanError, Review, as_json, as_markdown, as_text, read_plan, review
from tools.plan_review.allowances import allowances
from tools.terraform.git import git

ASSETS: Final = PROJECT / ".build" / "assets"
COMMITS_SEARCHED: Final = 200
FORMATS: Final[Mapping[str, Callable[[Review], str]]] = {"markdown": as_markdown, "json": as_json, "text": as_text}


def review_of(text: str, *, environment: str | None = None, allow: Sequence[str] = ()) -> Review:
    """The review of a plan's JSON, protected as the settings of its environment say.

    Args:
        text: the output of `terraform show -json`.
        environment: whose settings apply; if None, those of the environment that the plan names, if they exist.
        allow: `ADDRESS:ACTION` of each allowed change.

    Raises:
        PlanError: the plan or an allowance cannot be read, or the plan is of another environment.
        SettingsError: `environment` is given and has no usable settings.
    """
    plan = read_plan(text)
    allowed = allowances(allow)
    found = review(plan, allowed=allowed, files_of=package_files)
    if environment and found.environment and environment != found.environment:
        raise PlanError(
            f"This is a plan for {found.environment}, not for {environment}. Give a plan for {environment}."
        )
    name = environment or found.environment
    if name and _protects(name, must_exist=environment is not None):
        return review(plan, environment=name, protect=True, allowed=allowed, files_of=package_files)
    return found


def review_file(path: Path, *, environment: str | None, allow: Sequence[str], form: str) -> tuple[str, bool]:
    """The review of a plan's file (`-` is standard input) as text, and whether it blocks the plan.

    Raises:
        PlanError: as `review_of`, and if the file cannot be read.
        SettingsError: as `review_of`.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(
            f"{path} cannot be read as text ({error}). Give the output of `terraform show -json PLANFILE`."
        ) from error
    found = review_of(text, environment=environment, allow=allow)
    return FORMATS[form](found), found.blocked


def _protects(name: str, *, must_exist: bool) -> bool:
    try:
        return load_environment(name, root=PROJECT, environ=os.environ, context={}).protect
    except SettingsError:
        if must_exist:
            raise
        return False  # a plan from elsewhere; its stack policies still count


@cache
def package_files(digest: str) -> Mapping[str, str] | None:
    """Hashes of the files in the functions' zip with this digest, built here or from a commit; None if neither."""
    stored = ASSETS / f"{digest}.zip"
    if stored.is_file() and LambdaPackage(stored.read_bytes()).digest == digest:
        return _hashes(stored.read_bytes())
    if (current := lambda_package()).digest == digest:
        return _hashes(current.content)
    return _from_history(digest)


def _from_history(digest: str) -> Mapping[str, str] | None:
    """Search the commits: a zip depends on nothing else, so building it again gives the same digest."""
    for commit in git("log", f"-{COMMITS_SEARCHED}", "--format=%H", "--", "lambda_src").decode().split():
        with tempfile.TemporaryDirectory() as folder:
            archive = git("archive", commit, "lambda_src")
            if not archive:
                continue
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                tar.extractall(folder, filter="data")
            package = lambda_package(Path(folder) / "lambda_src")
        if package.digest == digest:
            return _hashes(package.content)
    return None


def _hashes(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
