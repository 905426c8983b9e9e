"""Keeps running flows from being deleted, and the flows' stacks of an environment protected as its settings say.

Three facts force it. CloudFormation deletes the outputs and the backup source of a running flow before the flow itself
refuses: it runs on with no receiver. A stack policy guards updates only. And provider 5.100 takes the refusal of a
stack with termination protection for a success (terraform-provider-aws #48411): it forgets a stack that is still there.
So `guarded` stands around every apply and destroy, and what it decides is decided from the plan.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from components.paths import PROJECT
from settings import Environment, Names, load_environment, read_context
from tools.operations.flows import Clients, FlowError
from tools.plan_review import read_plan, template
from tools.plan_review.differences import parsed
from tools.plan_review.plan import Change

FLOW_STACK: Final = "aws_cloudformation_stack"
STOPPED: Final = "STANDBY"
ALLOW: Final = {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}
DENY: Final = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["Update:Replace", "Update:Delete"],
    "Resource": "LogicalResourceId/Flow",
}
"""The statements of `modules/mediaconnect_flow`, for a policy that was changed by hand: Terraform does not see it."""
NEVER_MADE: Final = ("CREATE_FAILED", "ROLLBACK_", "REVIEW_IN_PROGRESS", "DELETE_COMPLETE")
"""Statuses, by their beginnings, of a stack whose flow was never there to be started, or is gone."""
Say = Callable[[str], None]


HOW_TO_STOP: Final = (
    "CloudFormation removes the outputs of a running flow before it fails to delete the flow: it would be off air and "
    "still there. Stop it first, with `media-workflow stop ENVIRONMENT FLOW` or `aws mediaconnect stop-flow "
    "--flow-arn ARN`, and run this command again."
)


class ProtectionError(FlowError):
    """Something would delete a flow that is not stopped; the text says which and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """A flow that a plan deletes.

    Attributes:
        address: of its stack, in Terraform.
        stack: name of the stack.
        how: what happens to it, in words.
        deletes_stack: whether the stack itself goes; otherwise CloudFormation replaces the flow inside of it.
    """

    address: str
    stack: str
    how: str
    deletes_stack: bool = True


def leaving(plan_json: str) -> tuple[Leaving, ...]:
    """The flows that a plan deletes or replaces, by Terraform or by CloudFormation inside an update.

    Args:
        plan_json: what `terraform show -json PLANFILE` printed.

    Raises:
        PlanError: it is no plan that can be read.
    """
    return tuple(found for change in read_plan(plan_json).changes for found in _leaving(change))


def in_state(state: Mapping[str, Any]) -> tuple[Leaving, ...]:
    """All flows of a state, as `terraform show -json` prints it: those that `terraform destroy` deletes."""
    return tuple(_of_module((state.get("values") or {}).get("root_module") or {}))


def check_standby(clients: Clients, flows: Iterable[Leaving]) -> None:
    """Make sure that every flow that is to be deleted is in STANDBY or not there.

    Raises:
        ProtectionError: with each that is not, and what to do.
    """
    if reasons := [reason for flow in flows for reason in _running(clients, flow)]:
        raise ProtectionError(
            "\n".join(
                [
                    "Nothing was changed, because a flow that is not stopped would be deleted:",
                    *(f"  {reason}" for reason in reasons),
                    HOW_TO_STOP,
                ]
            )
        )


def unprotect(clients: Clients, stacks: Iterable[str], *, say: Say) -> None:
    """Take termination protection away from stacks that are to be deleted, if they are there."""
    for stack in stacks:
        _set(clients, stack, wanted=False, say=say)


def protect(clients: Clients, environment: Environment, *, say: Say) -> None:
    """Set termination protection and stack policy of the flows' stacks that are deployed to what the settings say."""
    for stack in _stacks(environment):
        _set(clients, stack, wanted=environment.protect, say=say)
        policy = _policy(clients, stack)
        if policy is not None and denies_replacement(policy) != environment.protect:
            body = json.dumps({"Statement": [ALLOW, *([DENY] if environment.protect else [])]})
            clients("cloudformation").set_stack_policy(StackName=stack, StackPolicyBody=body)
            say(f"The policy of {stack} {_refuses(denies=environment.protect)}.")


@contextmanager
def guarded(clients: Clients, environment: Environment, flows: Sequence[Leaving], *, say: Say) -> Iterator[None]:
    """Stand around an apply or a destroy: check that what goes is stopped, let it go, and protect what stays.

    What is to be deleted was agreed to before: a plan that its review blocks does not come here. If the apply fails,
    what it has left is protected again.

    Raises:
        ProtectionError: as `check_standby`; then nothing was changed.
    """
    check_standby(clients, flows)
    unprotect(clients, [flow.stack for flow in flows if flow.deletes_stack], say=say)
    try:
        yield
    except BaseException:
        with suppress(ClientError, BotoCoreError):  # what stopped the apply is what must be read
            protect(clients, environment, say=say)
        raise
    protect(clients, environment, say=say)


@contextmanager
def around(name: str, flows: Sequence[Leaving]) -> Iterator[None]:
    """`guarded` for an environment by its name, with the caller's own credentials, printing to standard output."""
    with guarded(*_by_name(name), flows, say=print):
        yield


def changed_by_hand(name: str) -> list[str]:
    """`differences` of an environment by its name, with the caller's own credentials."""
    return differences(*_by_name(name))


def differences(clients: Clients, environment: Environment) -> list[str]:
    """What the protection of the deployed flows lacks or has too much, each as a sentence. Terraform sees neither."""
    found = []
    for flow, stack in zip(environment.flows, _stacks(environment), strict=True):
        described, policy = _described(clients, stack), _policy(clients, stack)
        if described is None or policy is None:
            continue
        on = bool(described.get("EnableTerminationProtection"))
        if on != environment.protect:
            found.append(f"{flow.name}: termination protection of its stack {stack} is {_word(on=on)}")
        if (denies := denies_replacement(policy)) != environment.protect:
            found.append(f"{flow.name}: the policy of its stack {stack} {_refuses(denies=denies)}")
    return found


def denies_replacement(policy: str) -> bool:
    """Whether a stack policy refuses to replace or delete the flow, as the module writes it."""
    content = parsed(policy)
    statements = content.get("Statement", []) if isinstance(content, Mapping) else []
    return any(
        statement.get("Effect") == "Deny" and "Update:Replace" in statement.get("Action", ())
        for statement in statements
    )


def _leaving(change: Change) -> Iterator[Leaving]:
    if change.type != FLOW_STACK or change.before is None:
        return
    if template.flow_of(change.before.get("template_body")) is None:
        return
    name = str(change.before["name"])
    if change.action in {"delete", "replace"}:
        how = "deleted" if change.action == "delete" else "replaced"
        yield Leaving(address=change.address, stack=name, how=how)
    elif change.action == "update" and (why := _replaced_inside(change)):
        yield Leaving(address=change.address, stack=name, how=f"replaced by CloudFormation, {why}", deletes_stack=False)


def _replaced_inside(change: Change) -> str | None:
    """Why an update of a stack replaces or removes the flow in it; None if it does not."""
    if change.is_unknown("template_body"):
        return "perhaps: its new template is known only after apply"
    old, new = (template.resources((state or {}).get("template_body")) for state in (change.before, change.after))
    if new is None:
        return "perhaps: its new template cannot be read"
    for key, resource in (old or {}).items():
        if resource.get("Type") != template.FLOW:
            continue
        if key not in new or new[key].get("Type") != template.FLOW:
            return "because it is not in the new template"
        if changed := template.create_only_changes(resource, new[key]):
            return f"because {' and '.join(leaf.path for leaf in changed)} cannot change in place"
    return None


def _of_module(module: Mapping[str, Any]) -> Iterator[Leaving]:
    for resource in module.get("resources", ()):
        values = resource.get("values", {})
        if resource.get("type") == FLOW_STACK and template.flow_of(values.get("template_body")) is not None:
            yield Leaving(address=resource["address"], stack=values["name"], how="deleted")
    for child in module.get("child_modules", ()):
        yield from _of_module(child)


def _running(clients: Clients, flow: Leaving) -> Iterator[str]:
    described = _described(clients, flow.stack)
    if described is None:
        return
    arns = [
        output["OutputValue"]
        for output in described.get("Outputs", ())
        if ":mediaconnect:" in output["OutputValue"] and ":flow:" in output["OutputValue"]
    ]
    if not arns and not described["StackStatus"].startswith(NEVER_MADE):
        why = f"its stack {flow.stack} has no output with the flow's ARN, so its status is not known"
        yield f"{flow.address} is {flow.how}: {why}"
    for arn in arns:
        status = _status(clients("mediaconnect"), arn)
        if status != STOPPED:
            yield f"{flow.address} is {flow.how}: its flow {arn} is {status}"


def _status(client: Any, arn: str) -> str:
    try:
        return str(client.describe_flow(FlowArn=arn)["Flow"]["Status"])
    except client.exceptions.NotFoundException:
        return STOPPED  # deleted by hand


def _set(clients: Clients, stack: str, *, wanted: bool, say: Say) -> None:
    described = _described(clients, stack)
    if described is None or bool(described.get("EnableTerminationProtection")) == wanted:
        return
    clients("cloudformation").update_termination_protection(StackName=stack, EnableTerminationProtection=wanted)
    say(f"Termination protection of {stack} is {_word(on=wanted)}.")


def _described(clients: Clients, stack: str) -> dict[str, Any] | None:
    """A stack as CloudFormation describes it; None if it is not there."""
    client = clients("cloudformation")
    try:
        found: dict[str, Any] = client.describe_stacks(StackName=stack)["Stacks"][0]
    except client.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return found


def _policy(clients: Clients, stack: str) -> str | None:
    """The stack policy, empty if there is none; None if the stack is not there."""
    if _described(clients, stack) is None:
        return None
    return str(clients("cloudformation").get_stack_policy(StackName=stack).get("StackPolicyBody", ""))


def _by_name(name: str) -> tuple[Clients, Environment]:
    settings = load_environment(name, root=PROJECT, environ=os.environ, context=read_context(os.environ, root=PROJECT))
    make: Any = boto3.client  # its types list every service by name
    return lambda service: make(service, region_name=settings.region), settings


def _stacks(environment: Environment) -> list[str]:
    names = Names(environment.name)
    return [names.flow_stack(flow.name) for flow in environment.flows]


def _word(*, on: bool) -> str:
    return "on" if on else "off"


def _refuses(*, denies: bool) -> str:
    return f"{'refuses' if denies else 'does not refuse'} updates that replace or delete the flow"
