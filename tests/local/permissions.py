"""Enforces IAM on the local AWS: calls with the credentials of a role may do what its policies allow, no more.

moto 5.2.5 enforces neither resources nor conditions, so this replaces its check of every request. It evaluates identity
policies and permissions boundaries (Allow, Deny, wildcards, and the conditions that our policies use), and the policy
of a key where that names the role. It does not check signatures. What CloudFormation calls for its caller never leaves
moto, so its permissions are checked with those of the stack.

As on AWS, tags and aliases of a new key count minutes later: when a test calls `minutes_pass`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from moto.cloudformation.models import cloudformation_backends
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import AccessDeniedError, JsonRESTError
from moto.core.responses import BaseResponse, get_service_model
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.mediaconnect.models import mediaconnect_backends
from moto.s3.exceptions import S3AccessDeniedError
from moto.sts.models import sts_backends

from tests.local.called_resources import ACCOUNT, REGION, arn, resources

PREFIXES = {"stepfunctions": "states"}
TAG_ACTIONS = {
    "kms:CreateKey": "kms:TagResource",
    "iam:CreateRole": "iam:TagRole",
    "sqs:CreateQueue": "sqs:TagQueue",
    "ssm:PutParameter": "ssm:AddTagsToResource",
    **{
        f"{service}:{action}": f"{service}:TagResource"
        for service, actions in {
            "cloudformation": ("CreateStack", "UpdateStack"),
            "cloudwatch": ("PutMetricAlarm",),
            "dynamodb": ("CreateTable",),
            "events": ("PutRule",),
            "lambda": ("CreateFunction",),
            "logs": ("CreateLogGroup",),
            "scheduler": ("CreateScheduleGroup",),
            "sns": ("CreateTopic",),
            "states": ("CreateStateMachine",),
        }.items()
        for action in actions
    },
}
"""The second permission that a call with tags needs."""
PASSED_TO = {"lambda": "lambda", "states": "states", "events": "events", "scheduler": "scheduler"}
BY_CLOUDFORMATION = {
    "CreateStack": ("CreateFlow", "AddFlowOutputs", "AddFlowSources", "DescribeFlow", "ListFlows", "TagResource"),
    "UpdateStack": ("UpdateFlow", "UpdateFlowSource", "UpdateFlowOutput", "DescribeFlow", "ListFlows"),
    "DeleteStack": ("DescribeFlow", "ListFlows", "DeleteFlow", "RemoveFlowOutput", "RemoveFlowSource"),
}
"""What the handlers of a flow, its sources and its outputs declare; ListFlows is for read and delete."""
USES_KEY = {
    "dynamodb:CreateTable": ("CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptTo")
}
"""Permissions on a customer key that its user needs for a service."""
BY_BOUNDARY = {
    *("iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePermissionsBoundary"),
    *("iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"),
    *("iam:UpdateAssumeRolePolicy", "iam:UpdateRole"),
}
"""Actions with the condition key iam:PermissionsBoundary: the requested boundary, or else that of the role."""
BUCKET_PARTS = {
    "accelerate": "AccelerateConfiguration",
    "acl": "BucketAcl",
    "cors": "BucketCORS",
    "encryption": "EncryptionConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "location": "BucketLocation",
    "logging": "BucketLogging",
    "notification": "BucketNotification",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "ReplicationConfiguration",
    "requestPayment": "BucketRequestPayment",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
"""A subresource of a bucket in the query string, and its name in actions after Get and Put."""
NO_RESOURCE = {
    *("kms:CreateKey", "kms:ListAliases", "logs:DescribeLogGroups", "sns:GetSubscriptionAttributes"),
    *("sns:SetSubscriptionAttributes", "sns:Unsubscribe", "ssm:DescribeParameters"),
    *("states:ValidateStateMachineDefinition", "sts:GetCallerIdentity"),
}


class JsonAccessDeniedError(JsonRESTError):
    """IAM's refusal."""

    code = 403

    def __init__(self, role: str, request: "Request") -> None:
        super().__init__(
            "AccessDeniedException",
            f"User: {role} is not authorized to perform: {request.action} on resource: {request.resource}",
        )


@dataclass(frozen=True, slots=True)
class Request:
    """One permission that a call needs."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Gate:
    """The requests of each role, in order, and the keys among their resources."""

    requests: list[tuple[str, Request]] = field(default_factory=list)
    new_keys: set[str] = field(default_factory=set)
    old_keys: set[str] = field(default_factory=set)

    def sees_tags_of(self, key: str) -> bool:
        """Whether tags and aliases of a key count in conditions, as they do after minutes."""
        if key not in self.old_keys:
            self.new_keys.add(key)
        return key in self.old_keys

    def minutes_pass(self) -> None:
        """Let tags and aliases of every key so far count."""
        self.old_keys |= self.new_keys


def permitted(documents: Sequence[Any], request: Request, boundary: Any = None) -> bool:
    """Whether policies allow a request and none of them denies it, and the boundary, where there is one, allows it."""
    if boundary is not None and not permitted([boundary], request):
        return False
    effects = {
        statement["Effect"]
        for document in documents
        for statement in _listed((json.loads(document) if isinstance(document, str) else document)["Statement"])
        if _fits(statement, request)
    }
    return effects == {"Allow"}


def policies_of(role: str) -> list[Any]:
    """The inline and attached policies of a role on the local AWS."""
    backend = iam_backends[ACCOUNT]["aws"]
    attached, _ = backend.list_attached_role_policies(role)
    return [
        *(backend.get_role_policy(role, name)[1] for name in backend.list_role_policies(role)),
        *(version.document for policy in attached for version in policy.versions if version.is_default),
    ]


def boundary_of(role: str) -> Any:
    """The boundary of a role on the local AWS; None if it has none."""
    backend = iam_backends[ACCOUNT]["aws"]
    arn = backend.get_role(role).permissions_boundary_arn
    if not arn:
        return None
    return _document(next(version.document for version in backend.get_policy(arn).versions if version.is_default))


def permitted_by_key(role: str, request: Request) -> bool:
    """Whether a request is about a key whose policy names the role and allows it."""
    if not request.action.startswith("kms:") or ":key/" not in request.resource:
        return False
    key = kms_backends[ACCOUNT][REGION].keys.get(request.resource.rpartition("/")[2])
    me = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    statements = json.loads(key.policy)["Statement"] if key else []
    return any(
        statement["Effect"] == "Allow"
        and me in _listed(statement["Principal"].get("AWS", []))
        and _fits(statement, request)
        for statement in statements
    )


@contextmanager
def enforced() -> Iterator[Gate]:
    """Enforce permissions of assumed roles until the block ends; other credentials may do anything."""
    gate = Gate()
    original = ActionAuthenticatorMixin._authenticate_and_authorize_action

    def authorize(self: Any, _: type, resource: str = "*") -> None:
        role = _role(self.headers.get("Authorization", ""))
        if role is None:
            return
        try:
            needed = list(requests(self, resource, gate))
        except Exception as error:  # as a refusal, which no client retries
            gate.requests.append((role, Request("unreadable", repr(error))))
            raise refusal(self, role, Request("unreadable", repr(error))) from error
        for request in needed:
            gate.requests.append((role, request))
            documents = [_document(policy) for policy in policies_of(role)]
            if request.action == "sts:GetCallerIdentity" or permitted(documents, request, boundary_of(role)):
                continue
            if not permitted_by_key(role, request):
                raise refusal(self, role, request)

    ActionAuthenticatorMixin._authenticate_and_authorize_action = authorize
    try:
        yield gate
    finally:
        ActionAuthenticatorMixin._authenticate_and_authorize_action = original


def refusal(response: BaseResponse, role: str, request: Request) -> Any:
    """The refusal in the format of the service."""
    if response.boto3_service_name == "s3":
        return S3AccessDeniedError()
    if "json" in response.determine_response_protocol(get_service_model(response.boto3_service_name)):
        return JsonAccessDeniedError(role, request)
    return AccessDeniedError(user_arn=role, action=request.action)


def requests(response: BaseResponse, resource: str, gate: Gate) -> Iterator[Request]:
    """The permissions that a call to moto needs."""
    service = PREFIXES.get(response.boto3_service_name, response.boto3_service_name)
    if service == "s3":
        yield _s3(response, resource)
        return
    action = response._get_action()
    response.parse_parameters(response.normalized_request)
    parameters: Mapping[str, Any] = response.params
    name = f"{service}:{action}"
    tags = _tags(parameters)
    request_tags = tuple((f"aws:RequestTag/{key}", value) for key, value in tags.items())
    for resource_arn in ["*"] if name in NO_RESOURCE else resources(service, action, parameters):
        context = (*request_tags, *_resource_context(service, resource_arn, gate), *_boundary(name, parameters))
        yield Request(name, resource_arn, context)
        if tags and name in TAG_ACTIONS:
            about = arn("kms", "key/new") if name == "kms:CreateKey" else resource_arn
            yield Request(TAG_ACTIONS[name], about, context)
    for action_on_key in USES_KEY.get(name, ()):
        key = parameters.get("SSESpecification", {}).get("KMSMasterKeyId")
        if key:
            yield Request(f"kms:{action_on_key}", key, _resource_context("kms", key, gate))
    for role in _passed(parameters) if service in PASSED_TO else ():
        yield Request("iam:PassRole", role, (("iam:PassedToService", f"{PASSED_TO[service]}.amazonaws.com"),))
    if service == "cloudformation":
        if action == "UpdateStack" and _stack_tags(str(parameters["StackName"])) - tags.keys():
            yield Request("cloudformation:UntagResource", resources(service, action, parameters)[0])
        for inner in BY_CLOUDFORMATION.get(action, ()):
            flow = "*" if inner == "ListFlows" else arn("mediaconnect", "flow:1-abc:any")
            yield Request(f"mediaconnect:{inner}", flow, (("aws:CalledVia", "cloudformation.amazonaws.com"),))


def _s3(response: Any, resource: str) -> Request:
    """The permission of a call to S3: of a bucket by its subresource, of an object as moto names it."""
    prefix = response.querystring.get("prefix", [""])[0]
    action = str(response.data["Action"])
    if "/" not in resource.rpartition(":")[2]:
        part = next((BUCKET_PARTS[key] for key in response.querystring if key in BUCKET_PARTS), None)
        action = "ListBucket" if action == "HeadBucket" else action
        if part:
            verb = {"GET": "Get", "PUT": "Put", "DELETE": "Put"}[response.method]
            action = "DeleteBucketPolicy" if (part, response.method) == ("BucketPolicy", "DELETE") else f"{verb}{part}"
    return Request(f"s3:{action}", resource, (("s3:prefix", prefix),))


def _fits(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        any(fnmatchcase(request.action.lower(), pattern.lower()) for pattern in _listed(statement["Action"]))
        and any(fnmatchcase(request.resource, pattern) for pattern in _listed(statement["Resource"]))
        and all(
            _holds(operator, key, values, request)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _holds(operator: str, key: str, values: Any, request: Request) -> bool:
    found = [value for name, value in request.context if name == key]
    match operator:
        case "StringEquals" | "ForAnyValue:StringEquals":
            return any(value in _listed(values) for value in found)
        case "Null":
            return (not found) == (str(_listed(values)[0]).lower() == "true")
        case "StringLike":
            return any(fnmatchcase(value, pattern) for value in found for pattern in _listed(values))
    raise LookupError(f"unknown condition operator {operator}: add it to _holds")


def _document(policy: Any) -> Any:
    return json.loads(unquote(policy)) if isinstance(policy, str) else policy


def _role(authorization: str) -> str | None:
    key = authorization.partition("Credential=")[2].partition("/")[0]
    for role in sts_backends[ACCOUNT]["aws"].assumed_roles:
        if role.access_key_id == key:
            return str(role.role_arn).rpartition("/")[2]
    return None


def _tags(parameters: Mapping[str, Any]) -> dict[str, str]:
    given: Any = next((parameters[key] for key in ("Tags", "tags") if parameters.get(key)), {})
    if isinstance(given, Mapping):
        return {str(key): str(value) for key, value in given.items()}
    return {
        str(tag.get("Key") or tag.get("key") or tag.get("TagKey")): str(
            tag.get("Value") or tag.get("value") or tag.get("TagValue")
        )
        for tag in given
        if isinstance(tag, Mapping)
    }


def _boundary(name: str, parameters: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    if name not in BY_BOUNDARY:
        return ()
    if name in {"iam:CreateRole", "iam:PutRolePermissionsBoundary"}:
        found = parameters.get("PermissionsBoundary")
    else:
        found = iam_backends[ACCOUNT]["aws"].get_role(parameters["RoleName"]).permissions_boundary_arn
    return (("iam:PermissionsBoundary", found),) if found else ()


def _stack_tags(name: str) -> set[str]:
    return set(cloudformation_backends[ACCOUNT][REGION].get_stack(name).tags)


def _resource_context(service: str, resource: str, gate: Gate) -> tuple[tuple[str, str], ...]:
    if service == "mediaconnect":
        tags = mediaconnect_backends[ACCOUNT][REGION].tagger.get_tag_dict_for_resource(resource)
        return tuple((f"aws:ResourceTag/{key}", value) for key, value in tags.items())
    if service != "kms" or ":key/" not in resource:
        return ()
    if ":key/alias/" in resource:  # an AWS-managed key, which is named by its alias
        return (("kms:ResourceAliases", resource.partition(":key/")[2]),)
    if not gate.sees_tags_of(resource):
        return ()
    backend = kms_backends[ACCOUNT][REGION]
    key = resource.rpartition("/")[2]
    tags = backend.list_resource_tags(key).get("Tags", [])
    aliases = list(backend.keys[key].aliases)
    return (
        *((f"aws:ResourceTag/{tag['TagKey']}", tag["TagValue"]) for tag in tags),
        *(("kms:ResourceAliases", alias) for alias in aliases),
    )


def _passed(value: Any) -> Iterator[str]:
    """The roles that a call passes to a service."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if key in {"Role", "RoleArn", "roleArn"} and isinstance(part, str) and part.startswith("arn:"):
                yield part
            else:
                yield from _passed(part)
    elif isinstance(value, list):
        for part in value:
            yield from _passed(part)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
