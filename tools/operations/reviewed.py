"""Applies a reviewed plan unchanged, or not at all.

`make_plan` saves a plan with its review and the digests of plan file, configuration and state. `apply_plan` compares
all three and applies that plan file; `deploy` does both, and asks in between. `tools.plan_review` decides what a
change means.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from settings import OperatorError
from tools.operations import deployment, protection
from tools.operations.deletions import deleted_by_plan
from tools.operations.deployment import CHANGES, FOLDER, PLAN_FILE
from tools.operations.outputs import writable_folder
from tools.operations.review import review_of
from tools.plan_review import PlanError, Review, as_json, as_markdown, as_text
from tools.plan_review.allowances import allowances
from tools.terraform.binary import shown, terraform
from tools.terraform.processes import CancelledError, StepError

RECORD: Final = "reviewed.json"
COMMENT: Final = "review.md"
DETAILS: Final = "review.json"
WRITTEN_BY_TERRAFORM: Final = frozenset(
    {".backup", ".tfplan", ".tfstate"}
)  # .tfstate: when an apply cannot write the state


class StaleError(OperatorError):
    """A reviewed plan cannot be applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What a plan was made from.

    Attributes:
        environment: whose plan it is.
        blocked: whether its review blocks it.
        plan_sha256: of the plan file.
        configuration_sha256: of everything that was synthesized.
        state_lineage: lineage of the state that it was made against; None if there was none yet.
        state_serial: serial of that state.
    """

    environment: str
    blocked: bool
    plan_sha256: str
    configuration_sha256: str
    state_lineage: str | None
    state_serial: int | None


def make_plan(environment: str, *, allow: Sequence[str] = (), save: Path | None = None) -> Review:
    """Plan an environment and review the plan; with `save`, write both to that folder.

    Raises:
        StepError: terraform failed and has printed why.
        PlanError: an allowance cannot be read.
        InputError: the folder cannot be written.
        TerraformError: the commands cannot run here.
    """
    allowances(allow)
    if save:
        writable_folder(save, "--save")
    with deployment.prepared(environment, "plan") as environ:
        found, record, _ = _planned(environment, environ, allow)
        if save:
            shutil.copyfile(FOLDER / PLAN_FILE, save / PLAN_FILE)
            (save / COMMENT).write_text(as_markdown(found), encoding="utf-8")
            (save / DETAILS).write_text(as_json(found) + "\n", encoding="utf-8")
            (save / RECORD).write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
    return found


def apply_plan(environment: str, folder: Path) -> None:
    """Apply the plan that `make_plan` saved in `folder`, if nothing has changed since.

    Raises:
        PlanError: the folder holds no such plan.
        StaleError: plan file, configuration or state differ from the reviewed ones, or the review blocks the plan.
        ProtectionError: a flow that is not stopped would be deleted or replaced; nothing was changed.
        StepError: terraform failed and has printed why.
        TerraformError: the commands cannot run here.
    """
    record = _read(folder)
    with deployment.prepared(environment, "apply") as environ:
        _apply(record, folder / PLAN_FILE, environment, environ)


def deploy(environment: str, *, allow: Sequence[str], agreed: bool, say: Callable[[str], None]) -> None:
    """Plan, review, ask, and apply exactly that plan.

    Args:
        environment: as in `environments/<name>.toml`.
        allow: as `make_plan`; a change that is not in the plan is refused.
        agreed: apply without asking. A blocked plan is still not applied.
        say: called with the review.

    Raises:
        PlanError: an allowance cannot be read, or is not in the plan.
        StaleError: the review blocks the plan, or something changed while asking.
        StepError: terraform failed and has printed why.
        InputError: there is no terminal to ask at.
        DeclinedError: the person does not agree.
        TerraformError: the commands cannot run here.
    """
    allowances(allow)
    with deployment.prepared(environment, "deploy", agreed=agreed) as environ:
        found, record, changes = _planned(environment, environ, allow)
        say(f"\n{as_text(found)}")
        if not changes:
            _set_protection(environment, agreed=agreed, say=say)
            return
        if wrong := [f"{address}:{action}" for address, action in found.unused]:
            raise PlanError(
                f"{environment} is not changed: the plan has no {' and no '.join(wrong)}. Give --allow exactly as the "
                "review lists it, or leave it out."
            )
        if found.blocked:
            raise StaleError(f"{environment} is not changed: {_reason_blocked(found)}.")
        deployment.agree_to_plan(f"deploy {environment}", agreed=agreed)
        _apply(record, FOLDER / PLAN_FILE, environment, environ)


def _planned(environment: str, environ: Mapping[str, str], allow: Sequence[str]) -> tuple[Review, Reviewed, bool]:
    """Plan to `PLAN_FILE` and review the plan; the last value is whether there is anything to apply."""
    plan_file = FOLDER / PLAN_FILE
    plan_file.unlink(missing_ok=True)
    lineage, serial = _state(environ)  # before the plan: a state that changes meanwhile makes the plan stale
    plan = ("plan", "-detailed-exitcode", f"-out={PLAN_FILE}")
    code = CHANGES
    try:
        code = shown(*plan, folder=FOLDER, environ=environ, accept=(0, CHANGES))
    except CancelledError:
        raise
    except StepError:
        if not plan_file.is_file():
            raise  # Terraform keeps an incomplete plan, which is reviewed as such
    json_of_plan = terraform("show", "-json", PLAN_FILE, folder=FOLDER, environ=environ).stdout
    found = review_of(json_of_plan, environment=environment, allow=allow)
    record = Reviewed(
        environment=environment,
        blocked=found.blocked,
        plan_sha256=_digest(plan_file),
        configuration_sha256=configuration_digest(FOLDER),
        state_lineage=lineage,
        state_serial=serial,
    )
    return found, record, code == CHANGES


def _apply(record: Reviewed, plan_file: Path, environment: str, environ: Mapping[str, str]) -> None:
    """Apply a reviewed plan, unless something has changed."""
    lineage, serial = _state(environ)
    now = Reviewed(
        environment=environment,
        blocked=False,
        plan_sha256=_digest(plan_file),
        configuration_sha256=configuration_digest(FOLDER),
        state_lineage=lineage,
        state_serial=serial,
    )
    if reasons := list(differences(record, now)):
        raise StaleError(
            "\n".join(
                [
                    "The reviewed plan is not applied:",
                    *(f"  {reason}" for reason in reasons),
                    "Make a new plan and review it.",
                ]
            )
        )
    if plan_file != FOLDER / PLAN_FILE:
        shutil.copyfile(plan_file, FOLDER / PLAN_FILE)
    content = terraform("show", "-json", PLAN_FILE, folder=FOLDER, environ=environ).stdout
    with protection.guarded_environment(environment, deleted_by_plan(content)):
        deployment.apply(environ)


def _set_protection(environment: str, *, agreed: bool, say: Callable[[str], None]) -> None:
    """Set the protection as the settings say, if a plan has no changes: Terraform does not see the protection."""
    if not (lines := protection.changed_by_hand(environment)):
        say("Nothing to change.")
        return
    say("Nothing to change but the protection:")
    for line in lines:
        say(f"  {line}")
    deployment.agree_to_plan(f"deploy {environment}", agreed=agreed)
    with protection.guarded_environment(environment, ()):
        pass


def _reason_blocked(found: Review) -> str:
    if found.plan.errored:
        return "Terraform could not finish the plan"
    return "its review blocks the plan. The review lists the --allow options that allow it"


def differences(reviewed: Reviewed, now: Reviewed) -> Iterator[str]:
    """Why a reviewed plan cannot be applied now, a sentence each."""
    if reviewed.blocked:
        yield "its review blocks it; allow blocked changes when the plan is made, with --allow"
    if reviewed.environment != now.environment:
        yield f"it is a plan for {reviewed.environment}, not for {now.environment}"
    if reviewed.plan_sha256 != now.plan_sha256:
        yield "the plan file is not the one that was reviewed: its SHA-256 differs"
    if reviewed.configuration_sha256 != now.configuration_sha256:
        yield "settings or code have changed since: the configuration's SHA-256 differs"
    if reviewed.state_lineage != now.state_lineage:
        yield "it was planned against another state: its lineage differs"
    elif reviewed.state_serial != now.state_serial:
        yield f"the state has changed, from serial {reviewed.state_serial} to {now.state_serial}"


def configuration_digest(folder: Path) -> str:
    """SHA-256 of names and contents in a stack's folder, without the files that Terraform writes."""
    digest = sha256()
    for path in sorted(folder.rglob("*"), key=lambda found: found.relative_to(folder).as_posix()):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(".terraform") and path.suffix not in WRITTEN_BY_TERRAFORM:
            digest.update(f"{name}\0{_digest(path)}\0".encode())
    return digest.hexdigest()


def _read(folder: Path) -> Reviewed:
    try:
        content: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        found = Reviewed(**content)
    except (OSError, ValueError, TypeError) as error:
        raise PlanError(f"{folder} holds no reviewed plan ({error}). Make one with `plan --save {folder}`.") from error
    if not (folder / PLAN_FILE).is_file():
        raise PlanError(f"{folder} holds no {PLAN_FILE}. Make one with `plan --save {folder}`.")
    return found


def _state(environ: Mapping[str, str]) -> tuple[str | None, int | None]:
    """Lineage and serial of the state; both None before the first apply."""
    text = terraform("state", "pull", folder=FOLDER, environ=environ).stdout
    content: dict[str, Any] = json.loads(text) if text.strip() else {}
    return content.get("lineage"), content.get("serial")


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
