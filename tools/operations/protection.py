"""Keeps running flows from being deleted, and the stacks of flows protected as the settings say.

Three facts require it. CloudFormation deletes the outputs and the backup source of a running flow before the flow
itself refuses: it runs on with no receiver. A stack policy guards updates only. And provider 5.100 takes the refusal of
a stack with termination protection for a success (terraform-provider-aws #48411): it forgets a stack that still exists.
So every apply and destroy runs inside `guarded`, which decides by the plan.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from settings import Environment, Names
from tools.operations.account import Clients, open_environment
from tools.operations.deletions import DeletedFlow
from tools.operations.flows import FlowError
from tools.plan_review.differences import parsed

STOPPED: Final = "STANDBY"
ALLOW: Final = {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}
DENY: Final = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["Update:Replace", "Update:Delete"],
    "Resource": "LogicalResourceId/Flow",
}
"""The statements of `modules/mediaconnect_flow`, to restore a policy that was changed by hand."""
NEVER_MADE: Final = ("CREATE_FAILED", "ROLLBACK_", "REVIEW_IN_PROGRESS", "DELETE_COMPLETE")
"""Prefixes of the statuses of a stack whose flow was never created or is deleted."""
Say = Callable[[str], None]


HOW_TO_STOP: Final = (
    "CloudFormation removes the outputs of a running flow before it fails to delete the flow: it would be off air and "
    "still there. Stop it first, with `media-workflow stop ENVIRONMENT FLOW` or `aws mediaconnect stop-flow "
    "--flow-arn ARN`, and run this command again."
)


class ProtectionError(FlowError):
    """A flow that is not stopped would be deleted."""


def check_standby(clients: Clients, flows: Iterable[DeletedFlow]) -> None:
    """Check that every flow that is to be deleted is in STANDBY or gone.

    Raises:
        ProtectionError: lists each flow that is not, and what to do.
    """
    if reasons := [reason for flow in flows for reason in _running(clients, flow)]:
        raise ProtectionError(
            "\n".join(
                [
                    "Nothing was changed: a flow that is not stopped would be deleted.",
                    *(f"  {reason}" for reason in reasons),
                    HOW_TO_STOP,
                ]
            )
        )


def unprotect(clients: Clients, stacks: Iterable[str], *, say: Say) -> None:
    """Remove termination protection from stacks that are to be deleted, if they exist."""
    for stack in stacks:
        _set(clients, stack, wanted=False, say=say)


def protect(clients: Clients, environment: Environment, *, say: Say) -> None:
    """Set termination protection and stack policy of the deployed flows' stacks as the settings say."""
    for stack in _stacks(environment):
        _set(clients, stack, wanted=environment.protect, say=say)
        policy = _policy(clients, stack)
        if policy is not None and denies_replacement(policy) != environment.protect:
            body = json.dumps({"Statement": [ALLOW, *([DENY] if environment.protect else [])]})
            clients("cloudformation").set_stack_policy(StackName=stack, StackPolicyBody=body)
            say(f"The policy of {stack} {_refuses(denies=environment.protect)}.")


@contextmanager
def guarded(clients: Clients, environment: Environment, flows: Sequence[DeletedFlow], *, say: Say) -> Iterator[None]:
    """Guard an apply or a destroy: check that each deleted flow is stopped, unprotect it, and protect the others.

    The deletions are agreed to already: a plan that its review blocks does not get here. If the apply fails, the
    stacks that are left are protected again.

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
def guarded_environment(name: str, flows: Sequence[DeletedFlow]) -> Iterator[None]:
    """`guarded` for an environment by name, with the operator's credentials, printing to standard output."""
    settings, clients = open_environment(name)
    with guarded(clients, settings, flows, say=print):
        yield


def changed_by_hand(name: str) -> list[str]:
    """`differences` of an environment by name, with the operator's credentials."""
    settings, clients = open_environment(name)
    return differences(clients, settings)


def differences(clients: Clients, environment: Environment) -> list[str]:
    """Where the protection of deployed flows differs from the settings, a sentence each. Terraform does not see it."""
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


def _running(clients: Clients, flow: DeletedFlow) -> Iterator[str]:
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
    """A stack as CloudFormation describes it; None if it does not exist."""
    client = clients("cloudformation")
    try:
        found: dict[str, Any] = client.describe_stacks(StackName=stack)["Stacks"][0]
    except client.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return found


def _policy(clients: Clients, stack: str) -> str | None:
    """The stack policy, empty if there is none; None if the stack does not exist."""
    if _described(clients, stack) is None:
        return None
    return str(clients("cloudformation").get_stack_policy(StackName=stack).get("StackPolicyBody", ""))


def _stacks(environment: Environment) -> list[str]:
    names = Names(environment.name)
    return [names.flow_stack(flow.name) for flow in environment.flows]


def _word(*, on: bool) -> str:
    return "on" if on else "off"


def _refuses(*, denies: bool) -> str:
    return f"{'refuses' if denies else 'does not refuse'} updates that replace or delete the flow"
