"""The ARNs that a call to AWS is about, by service. Pure; what a role may do with them is in `permissions`."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

ACCOUNT = "123456789012"
REGION = "us-east-1"

Parameters = Mapping[str, Any]


def arn(service: str, resource: str) -> str:
    """An ARN in the one account and Region."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def resources(service: str, action: str, given: Parameters) -> list[str]:
    """The ARNs that a call is about.

    Raises:
        LookupError: the service is not in the table.
    """
    for key in ("ResourceARN", "ResourceArn", "resourceArn", "Resource"):
        if isinstance(given.get(key), str) and given[key].startswith("arn:"):
            return [given[key].removesuffix(":*") if service == "logs" else given[key]]
    if service == "scheduler" and "ScheduleGroup" in action:
        return [arn("scheduler", f"schedule-group/{given['Name']}")]
    if service not in BY_SERVICE:
        raise LookupError(f"no resources are known for {service}:{action} with {given}: add the service to BY_SERVICE")
    return BY_SERVICE[service](given)


def _cloudwatch(given: Parameters) -> list[str]:
    boards = [*given.get("DashboardNames", []), *_one(given, "DashboardName")]
    alarms = [*given.get("AlarmNames", []), *_one(given, "AlarmName")]
    found = [f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}" for name in boards]
    return [*found, *(arn("cloudwatch", f"alarm:{name}") for name in alarms)] or ["*"]


def _cloudformation(given: Parameters) -> list[str]:
    if "StackName" not in given:
        return ["*"]  # the list of all stacks
    name = str(given["StackName"])
    return [name if name.startswith("arn:") else arn("cloudformation", f"stack/{name}/1")]


def _kms(given: Parameters) -> list[str]:
    keys = [*_one(given, "TargetKeyId"), *_one(given, "KeyId")]
    found = [key if key.startswith("arn:") else arn("kms", f"key/{key}") for key in keys]
    return [*found, *(arn("kms", name) for name in _one(given, "AliasName"))]


def _ssm(given: Parameters) -> list[str]:
    names = [*given.get("Names", []), *_one(given, "Name"), *_one(given, "ResourceId")]
    return [arn("ssm", f"parameter{name}") for name in names]


def _one(given: Parameters, key: str) -> list[str]:
    return [str(given[key])] if given.get(key) else []


BY_SERVICE: Mapping[str, Callable[[Parameters], list[str]]] = {
    "cloudformation": _cloudformation,
    "cloudwatch": _cloudwatch,
    "dynamodb": lambda given: [arn("dynamodb", f"table/{str(given['TableName']).rpartition('/')[2]}")],
    "events": lambda given: [arn("events", f"rule/{given.get('Rule') or given.get('Name')}")],
    "iam": lambda given: [f"arn:aws:iam::{ACCOUNT}:role/{given['RoleName']}"],
    "kms": _kms,
    "lambda": lambda given: [arn("lambda", f"function:{str(given['FunctionName']).rpartition('function:')[2]}")],
    "logs": lambda given: [arn("logs", f"log-group:{given['logGroupName']}")],
    "mediaconnect": lambda given: [unquote(str(given["FlowArn"]))],
    "scheduler": lambda given: [arn("scheduler", f"schedule/{given.get('GroupName', 'default')}/{given['Name']}")],
    "sns": lambda given: [given.get("TopicArn") or arn("sns", given["Name"])],
    "sqs": lambda given: [arn("sqs", given.get("QueueName") or str(given["QueueUrl"]).rpartition("/")[2])],
    "ssm": _ssm,
    "states": lambda given: [given.get("stateMachineArn") or arn("states", f"stateMachine:{given['name']}")],
}
