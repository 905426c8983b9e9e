"""IAM in front of the local AWS: whoever calls with the credentials of a role may do what its policies say, no more.

moto's own enforcement knows neither resources nor conditions, so this stands in its place, at the same point of every
request. It evaluates identity policies and permissions boundaries: Allow, Deny, wildcards, and the conditions that our
policies use; and of resource policies that of a key, where it names the role. It does not check signatures. What
CloudFormation calls for its caller never leaves moto, so it is asked here when the stack is.

As on AWS, tags and aliases of a new key count minutes later: when a test says that they have passed.
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

ACCOUNT = "123456789012"
REGION = "us-east-1"
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
"""What else is asked when something is made with tags."""
PASSED_TO = {"lambda": "lambda", "states": "states", "events": "events", "scheduler": "scheduler"}
BY_CLOUDFORMATION = {
    "CreateStack": ("CreateFlow", "AddFlowOutputs", "AddFlowSources", "DescribeFlow", "ListFlows", "TagResource"),
    "UpdateStack": ("UpdateFlow", "UpdateFlowSource", "UpdateFlowOutput", "DescribeFlow", "ListFlows"),
    "DeleteStack": ("DescribeFlow", "ListFlows", "DeleteFlow", "RemoveFlowOutput", "RemoveFlowSource"),
}
"""What the handlers of a flow, its sources and its outputs declare; ListFlows is read's and delete's."""
USES_KEY = {
    "dynamodb:CreateTable": ("CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptTo")
}
"""What a service asks of a customer key in the name of whoever hands it over."""
BY_BOUNDARY = {
    *("iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePermissionsBoundary"),
    *("iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"),
    *("iam:UpdateAssumeRolePolicy", "iam:UpdateRole"),
}
"""Actions that IAM tells iam:PermissionsBoundary of: the one that is asked for, or else the one that the role has."""
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
"""What of a bucket is asked in the address, and what its actions are called after Get and Put."""
NO_RESOURCE = {
    *("kms:CreateKey", "kms:ListAliases", "logs:DescribeLogGroups", "sns:GetSubscriptionAttributes"),
    *("sns:SetSubscriptionAttributes", "sns:Unsubscribe", "ssm:DescribeParameters"),
    *("states:ValidateStateMachineDefinition", "sts:GetCallerIdentity"),
}


class JsonAccessDeniedError(JsonRESTError):
    """IAM's refusal."""

    code = 403

    def __init__(self, role: str, asked: "Request") -> None:
        super().__init__(
            "AccessDeniedException",
            f"User: {role} is not authorized to perform: {asked.action} on resource: {asked.resource}",
        )


@dataclass(frozen=True, slots=True)
class Request:
    """One permission that a call needs."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Gate:
    """What was asked by which role, in order, and the keys that it was about."""

    asked: list[tuple[str, Request]] = field(default_factory=list)
    new_keys: set[str] = field(default_factory=set)
    old_keys: set[str] = field(default_factory=set)

    def sees_tags_of(self, key: str) -> bool:
        """Whether tags and aliases of a key count in conditions: not before minutes have passed."""
        if key not in self.old_keys:
            self.new_keys.add(key)
        return key in self.old_keys

    def minutes_pass(self) -> None:
        """From here on, tags and aliases of every key so far count."""
        self.old_keys |= self.new_keys


def permitted(documents: Sequence[Any], asked: Request, boundary: Any = None) -> bool:
    """Whether policies allow a request and none of them denies it, and the boundary, where there is one, allows it."""
    if boundary is not None and not permitted([boundary], asked):
        return False
    effects = {
        statement["Effect"]
        for document in documents
        for statement in _listed((json.loads(document) if isinstance(document, str) else document)["Statement"])
        if _fits(statement, asked)
    }
    return effects == {"Allow"}


def policies_of(role: str) -> list[Any]:
    """The policies of a role on the local AWS, in it and attached to it."""
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


def permitted_by_key(role: str, asked: Request) -> bool:
    """Whether the policy of the key that a request is about names the role, and allows it."""
    if not asked.action.startswith("kms:") or ":key/" not in asked.resource:
        return False
    key = kms_backends[ACCOUNT][REGION].keys.get(asked.resource.rpartition("/")[2])
    me = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    statements = json.loads(key.policy)["Statement"] if key else []
    return any(
        statement["Effect"] == "Allow"
        and me in _listed(statement["Principal"].get("AWS", []))
        and _fits(statement, asked)
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
        except Exception as error:  # as an answer that nobody tries again
            gate.asked.append((role, Request("unreadable", repr(error))))
            raise refusal(self, role, Request("unreadable", repr(error))) from error
        for asked in needed:
            gate.asked.append((role, asked))
            documents = [_document(policy) for policy in policies_of(role)]
            if asked.action == "sts:GetCallerIdentity" or permitted(documents, asked, boundary_of(role)):
                continue
            if not permitted_by_key(role, asked):
                raise refusal(self, role, asked)

    ActionAuthenticatorMixin._authenticate_and_authorize_action = authorize
    try:
        yield gate
    finally:
        ActionAuthenticatorMixin._authenticate_and_authorize_action = original


def refusal(response: BaseResponse, role: str, asked: Request) -> Any:
    """The refusal in the format of the service."""
    if response.boto3_service_name == "s3":
        return S3AccessDeniedError()
    if "json" in response.determine_response_protocol(get_service_model(response.boto3_service_name)):
        return JsonAccessDeniedError(role, asked)
    return AccessDeniedError(user_arn=role, action=asked.action)


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
    for arn in ["*"] if name in NO_RESOURCE else resources(service, action, parameters):
        context = (*request_tags, *_resource_context(service, arn, gate), *_boundary(name, parameters))
        yield Request(name, arn, context)
        if tags and name in TAG_ACTIONS:
            about = _arn("kms", "key/new") if name == "kms:CreateKey" else arn
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
            flow = "*" if inner == "ListFlows" else _arn("mediaconnect", "flow:1-abc:any")
            yield Request(f"mediaconnect:{inner}", flow, (("aws:CalledVia", "cloudformation.amazonaws.com"),))


def resources(service: str, action: str, given: Mapping[str, Any]) -> list[str]:  # noqa: C901, PLR0911, PLR0912
    """The ARNs that a call is about."""
    for key in ("ResourceARN", "ResourceArn", "resourceArn", "Resource"):
        if isinstance(given.get(key), str) and given[key].startswith("arn:"):
            return [given[key].removesuffix(":*") if service == "logs" else given[key]]
    match service:
        case "cloudwatch":
            boards = [*given.get("DashboardNames", []), *_one(given, "DashboardName")]
            alarms = [*given.get("AlarmNames", []), *_one(given, "AlarmName")]
            return [f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}" for name in boards] + [
                _arn("cloudwatch", f"alarm:{name}") for name in alarms
            ] or ["*"]
        case "events":
            return [_arn("events", f"rule/{given.get('Rule') or given.get('Name')}")]
        case "lambda":
            name = str(given["FunctionName"]).rpartition("function:")[2]
            return [_arn("lambda", f"function:{name}")]
        case "logs":
            return [_arn("logs", f"log-group:{given['logGroupName']}")]
        case "iam":
            return [f"arn:aws:iam::{ACCOUNT}:role/{given['RoleName']}"]
        case "kms":
            keys = [*_one(given, "TargetKeyId"), *_one(given, "KeyId")]
            found = [key if key.startswith("arn:") else _arn("kms", f"key/{key}") for key in keys]
            return [*found, *(_arn("kms", name) for name in _one(given, "AliasName"))]
        case "scheduler":
            if "ScheduleGroup" in action:
                return [_arn("scheduler", f"schedule-group/{given['Name']}")]
            return [_arn("scheduler", f"schedule/{given.get('GroupName', 'default')}/{given['Name']}")]
        case "sns":
            return [given.get("TopicArn") or _arn("sns", given["Name"])]
        case "sqs":
            return [_arn("sqs", given.get("QueueName") or str(given["QueueUrl"]).rpartition("/")[2])]
        case "ssm":
            names = [*given.get("Names", []), *_one(given, "Name"), *_one(given, "ResourceId")]
            return [_arn("ssm", f"parameter{name}") for name in names]
        case "states":
            return [given.get("stateMachineArn") or _arn("states", f"stateMachine:{given['name']}")]
        case "cloudformation":
            if "StackName" not in given:
                return ["*"]  # the list of all stacks
            name = str(given["StackName"])
            return [name if name.startswith("arn:") else _arn("cloudformation", f"stack/{name}/1")]
        case "dynamodb":
            return [_arn("dynamodb", f"table/{str(given['TableName']).rpartition('/')[2]}")]
        case "mediaconnect":
            return [unquote(str(given["FlowArn"]))]
    raise LookupError(f"{service}:{action} is about nothing that is known here: {given}")


def _s3(response: Any, resource: str) -> Request:
    """Of a bucket, by what of it is asked; of an object, what moto itself says."""
    prefix = response.querystring.get("prefix", [""])[0]
    action = str(response.data["Action"])
    if "/" not in resource.rpartition(":")[2]:
        part = next((BUCKET_PARTS[key] for key in response.querystring if key in BUCKET_PARTS), None)
        action = "ListBucket" if action == "HeadBucket" else action
        if part:
            verb = {"GET": "Get", "PUT": "Put", "DELETE": "Put"}[response.method]
            action = "DeleteBucketPolicy" if (part, response.method) == ("BucketPolicy", "DELETE") else f"{verb}{part}"
    return Request(f"s3:{action}", resource, (("s3:prefix", prefix),))


def _fits(statement: Mapping[str, Any], asked: Request) -> bool:
    return (
        any(fnmatchcase(asked.action.lower(), pattern.lower()) for pattern in _listed(statement["Action"]))
        and any(fnmatchcase(asked.resource, pattern) for pattern in _listed(statement["Resource"]))
        and all(
            _holds(operator, key, values, asked)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _holds(operator: str, key: str, values: Any, asked: Request) -> bool:
    found = [value for name, value in asked.context if name == key]
    match operator:
        case "StringEquals" | "ForAnyValue:StringEquals":
            return any(value in _listed(values) for value in found)
        case "Null":
            return (not found) == (str(_listed(values)[0]).lower() == "true")
        case "StringLike":
            return any(fnmatchcase(value, pattern) for value in found for pattern in _listed(values))
    raise LookupError(f"the condition {operator} is not known here")


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


def _resource_context(service: str, arn: str, gate: Gate) -> tuple[tuple[str, str], ...]:
    if service == "mediaconnect":
        tags = mediaconnect_backends[ACCOUNT][REGION].tagger.get_tag_dict_for_resource(arn)
        return tuple((f"aws:ResourceTag/{key}", value) for key, value in tags.items())
    if service != "kms" or ":key/" not in arn:
        return ()
    if ":key/alias/" in arn:  # one of AWS's own keys, which is asked for by its alias
        return (("kms:ResourceAliases", arn.partition(":key/")[2]),)
    if not gate.sees_tags_of(arn):
        return ()
    backend = kms_backends[ACCOUNT][REGION]
    key = arn.rpartition("/")[2]
    tags = backend.list_resource_tags(key).get("Tags", [])
    aliases = list(backend.keys[key].aliases)
    return (
        *((f"aws:ResourceTag/{tag['TagKey']}", tag["TagValue"]) for tag in tags),
        *(("kms:ResourceAliases", alias) for alias in aliases),
    )


def _passed(value: Any) -> Iterator[str]:
    """The roles that a call hands over."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if key in {"Role", "RoleArn", "roleArn"} and isinstance(part, str) and part.startswith("arn:"):
                yield part
            else:
                yield from _passed(part)
    elif isinstance(value, list):
        for part in value:
            yield from _passed(part)


def _one(given: Mapping[str, Any], key: str) -> list[str]:
    return [str(given[key])] if given.get(key) else []


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
