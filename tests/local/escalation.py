"""Searches for privilege escalation: every known way from the permissions of a role to more. Pure.

A table holds the ways; the search tries each with every principal that it reaches, until it reaches no new one.
`permissions` decides what a policy allows.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from itertools import product
from typing import Any

from tests.local.called_resources import ACCOUNT, arn
from tests.local.permissions import Request, permitted

ANYTHING = '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
CALLED_BY_CLOUDFORMATION = (("aws:CalledVia", "cloudformation.amazonaws.com"),)
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

PASSES: Mapping[str, Sequence[tuple[str, ...]]] = {
    "lambda": [("lambda:CreateFunction",), ("lambda:UpdateFunctionConfiguration",)],
    "states": [("states:CreateStateMachine",), ("states:UpdateStateMachine",)],
    "events": [("events:PutTargets",)],
    "scheduler": [("scheduler:CreateSchedule",), ("scheduler:UpdateSchedule",)],
    "mediaconnect": [("mediaconnect:CreateFlow",), ("mediaconnect:UpdateFlow",)],
    "cloudformation": [("cloudformation:CreateStack",), ("cloudformation:UpdateStack",)],
    "ec2": [("ec2:RunInstances",)],
    "ecs-tasks": [("ecs:RegisterTaskDefinition", "ecs:RunTask")],
    "codebuild": [("codebuild:CreateProject",), ("codebuild:UpdateProject",)],
    "glue": [("glue:CreateJob",), ("glue:CreateDevEndpoint",), ("glue:UpdateJob",)],
    "sagemaker": [("sagemaker:CreateNotebookInstance",), ("sagemaker:CreateTrainingJob",)],
    "ssm": [("ssm:StartAutomationExecution",), ("ssm:CreateAssociation",)],
    "datapipeline": [("datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition")],
    "bedrock": [("bedrock:CreateAgent",)],
}
"""What runs as a role that is passed to a service: any of these lists of actions, all of a list."""
RUNS_AS: Mapping[str, Sequence[str]] = {
    "function": ("lambda:UpdateFunctionCode",),
    "stateMachine": ("states:UpdateStateMachine",),
    "stack": ("cloudformation:UpdateStack", "cloudformation:SetStackPolicy"),
}
"""What changes a resource that already has a role."""
NEW_PRINCIPALS = (
    *("iam:CreateUser", "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"),
    *("iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:AddUserToGroup", "iam:PutGroupPolicy"),
    *("iam:AttachGroupPolicy", "iam:CreateOpenIDConnectProvider", "iam:AddClientIDToOpenIDConnectProvider"),
    *("iam:UpdateOpenIDConnectProviderThumbprint", "iam:CreateSAMLProvider", "iam:UpdateSAMLProvider"),
    *("iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile", "iam:CreateServiceLinkedRole"),
    *("iam:CreatePolicy", "iam:DeleteUserPermissionsBoundary", "iam:DeletePolicy"),
    *("rolesanywhere:CreateProfile", "sso:CreatePermissionSet", "organizations:LeaveOrganization"),
    *("iam:AttachRolePolicy", "iam:DeleteRolePermissionsBoundary"),
)
"""Actions that no role here may take: each is a way of its own, or undoes the boundary."""


def role(name: str) -> str:
    """The ARN of a role."""
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


@dataclass(frozen=True, slots=True)
class Form:
    """A role in one of its possible states: its policies as JSON, and the name of its boundary."""

    arn: str
    policies: tuple[str, ...]
    boundary: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A key in one of its possible states."""

    arn: str
    tags: tuple[tuple[str, str], ...]
    aliases: tuple[str, ...] = ()

    @property
    def context(self) -> tuple[tuple[str, str], ...]:
        """Its condition keys."""
        return (
            *((f"aws:ResourceTag/{name}", value) for name, value in self.tags),
            *(("kms:ResourceAliases", alias) for alias in self.aliases),
        )


@dataclass(slots=True, kw_only=True)
class World:
    """What is in the account, and what of it the search has reached.

    Attributes:
        boundaries: documents as JSON, by ARN.
        forms: roles, as they are and as they can be changed.
        keys: the same for keys.
        runs_as: the role of a resource, by its kind and ARN.
        new_roles: names that a new role could get.
        own_tags: the tags of the environment.
        own_alias: the alias of its key.
        forbidden: what no reached role may do.
        held: ARNs of the reached roles, with how.
    """

    boundaries: dict[str, str]
    forms: set[Form]
    keys: set[Key]
    runs_as: Mapping[tuple[str, str], str]
    new_roles: Sequence[str]
    own_tags: Mapping[str, str]
    own_alias: str
    forbidden: Sequence[Request]
    held: dict[str, str] = field(default_factory=dict)

    def allows(self, form: Form, *requests: Request) -> bool:
        """Whether a role may do all of this, itself or through CloudFormation, which calls as its caller."""
        limit = self.boundaries[form.boundary] if form.boundary else None
        return all(_allowed(form.policies, limit, request) for request in requests)


@cache
def _allowed(policies: tuple[str, ...], limit: str | None, request: Request) -> bool:
    documents = [_about(policy, request.action) for policy in policies]
    boundary = _about(limit, request.action) if limit else None
    return any(
        permitted(documents, replace(request, context=(*request.context, *via)), boundary)
        for via in ((), CALLED_BY_CLOUDFORMATION)
    )


@cache
def _about(policy: str, action: str) -> dict[str, Any]:
    """The statements of a policy about an action. Cached, because it is called a hundred thousand times."""
    return {
        "Statement": [
            statement
            for statement in json.loads(policy)["Statement"]
            if any(fnmatchcase(action.lower(), pattern.lower()) for pattern in _listed(statement["Action"]))
        ]
    }


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def search(world: World, start: Form) -> list[str]:
    """Everything that the start can reach and should not, as sentences; empty if there is no way."""
    world.forms.add(start)
    world.held[start.arn] = "start"
    while True:
        before = len(world.forms), len(world.held), len(world.keys)
        # Roles with the same permissions reach the same, so one of them is enough.
        for actor in {(form.policies, form.boundary): form for form in world.forms if form.arn in world.held}.values():
            _take_every_way(world, actor)
        if (len(world.forms), len(world.held), len(world.keys)) == before:
            break
    return sorted({found for form in world.forms if form.arn in world.held for found in _wrong(world, form)})


def _take_every_way(world: World, actor: Form) -> None:
    for form in list(world.forms):
        for way, changed in _changes(world, form):
            if world.allows(actor, way):
                world.forms.add(changed)
        for needed in _holds(world, form):
            if form.arn not in world.held and world.allows(actor, *needed):
                world.held[form.arn] = f"{needed[-1].action} by {actor.arn}"
    for name, limit in product(world.new_roles, (None, *world.boundaries)):
        if world.allows(actor, Request("iam:CreateRole", role(name), _limit(limit))):
            world.forms.add(Form(role(name), (), limit))
            world.held.setdefault(role(name), f"iam:CreateRole by {actor.arn}")  # its creator chooses its trust
    for key in list(world.keys):
        world.keys |= {changed for ways, changed in _key_changes(world, key) if world.allows(actor, *ways)}


def _changes(world: World, form: Form) -> Iterator[tuple[Request, Form]]:
    """What changes the permissions of a role, and the role after it."""
    has = _limit(form.boundary)
    everything = replace(form, policies=(ANYTHING,))
    for action in ("iam:PutRolePolicy", "iam:AttachRolePolicy"):
        yield Request(action, form.arn, has), everything
    for action in ("iam:DeleteRolePolicy", "iam:DetachRolePolicy"):  # what is removed may be a Deny
        yield Request(action, form.arn, has), replace(form, policies=tuple(map(_without_deny, form.policies)))
    yield Request("iam:DeleteRolePermissionsBoundary", form.arn, has), replace(form, boundary=None)
    for limit in world.boundaries:
        yield Request("iam:PutRolePermissionsBoundary", form.arn, _limit(limit)), replace(form, boundary=limit)
    for action in ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"):
        if form.boundary:
            yield Request(action, form.boundary), replace(form, boundary=None)


def _holds(world: World, form: Form) -> Iterator[list[Request]]:
    """What lets a caller act as a role: all requests of a list."""
    yield [Request("sts:AssumeRole", form.arn)]
    yield [Request("iam:UpdateAssumeRolePolicy", form.arn, _limit(form.boundary))]
    for service, lists in PASSES.items():
        passed = Request("iam:PassRole", form.arn, (("iam:PassedToService", f"{service}.amazonaws.com"),))
        for actions, place in product(lists, _places(service)):
            yield [passed, *(Request(action, place) for action in actions)]
    for (kind, resource), owner in world.runs_as.items():
        if owner == form.arn:
            yield [Request(action, resource) for action in RUNS_AS[kind][:1]]


def _places(service: str) -> list[str]:
    """Where a resource could be created that runs as a role: under our name, or anywhere."""
    ours = {
        "lambda": arn("lambda", "function:media-workflow-lab-x"),
        "states": arn("states", "stateMachine:media-workflow-lab-x"),
        "events": arn("events", "rule/media-workflow-lab-x"),
        "scheduler": arn("scheduler", "schedule/media-workflow-lab/x"),
        "mediaconnect": arn("mediaconnect", "flow:1-x:x"),
        "cloudformation": arn("cloudformation", "stack/media-workflow-lab-x/1"),
    }
    return [*([ours[service]] if service in ours else []), arn(service, "any")]


def _key_changes(world: World, key: Key) -> Iterator[tuple[list[Request], Key]]:
    """What gives a key the tags and alias of the environment."""
    requested = tuple((f"aws:RequestTag/{name}", value) for name, value in world.own_tags.items())
    tagged = replace(key, tags=tuple(sorted({**dict(key.tags), **world.own_tags}.items())))
    yield [Request("kms:TagResource", key.arn, (*requested, *key.context))], tagged
    yield [Request("kms:UntagResource", key.arn, key.context)], replace(key, tags=())
    for action in ("kms:CreateAlias", "kms:UpdateAlias"):
        both = [Request(action, arn("kms", world.own_alias)), Request(action, key.arn, key.context)]
        yield both, replace(key, aliases=(*key.aliases, world.own_alias)) if world.own_alias not in key.aliases else key


def _wrong(world: World, form: Form) -> Iterator[str]:
    """What a reached role may do and must not."""
    how = f"{form.arn} ({world.held[form.arn]})"
    for action in NEW_PRINCIPALS:
        for target in (form.arn, role("media-workflow-lab-new"), role("admin"), "*"):
            if world.allows(form, Request(action, target, _limit(form.boundary))):
                yield f"{how} may {action}"
    for request in world.forbidden:
        if world.allows(form, request):
            yield f"{how} may {request.action} on {request.resource}"
    for key in world.keys:
        for action in ("kms:Decrypt", "kms:PutKeyPolicy", "kms:CreateGrant", "kms:ScheduleKeyDeletion"):
            if ":key/foreign" in key.arn and world.allows(form, Request(action, key.arn, key.context)):
                yield f"{how} may {action} on {key.arn}"


def _limit(boundary: str | None) -> tuple[tuple[str, str], ...]:
    return (("iam:PermissionsBoundary", boundary),) if boundary else ()


def _without_deny(policy: str) -> str:
    statements = [statement for statement in json.loads(policy)["Statement"] if statement["Effect"] != "Deny"]
    return json.dumps({"Statement": statements})
