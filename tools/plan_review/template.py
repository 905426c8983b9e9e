"""Reads the CloudFormation template of a flow; judges nothing."""

from collections.abc import Mapping
from typing import Any, Final

from tools.plan_review.differences import Difference, parsed

FLOW: Final = "AWS::MediaConnect::Flow"
SOURCE: Final = "AWS::MediaConnect::FlowSource"
OUTPUT: Final = "AWS::MediaConnect::FlowOutput"
CREATE_ONLY: Final[Mapping[str, tuple[str, ...]]] = {
    FLOW: ("Name", "AvailabilityZone", "Source.Name"),
    SOURCE: ("FlowArn", "Name", "Protocol"),
    OUTPUT: ("FlowArn", "Name"),
    "AWS::MediaConnect::FlowEntitlement": ("FlowArn", "Name", "DataTransferSubscriberFeePercent"),
    "AWS::MediaConnect::FlowVpcInterface": ("FlowArn", "Name"),
}
"""Properties for which CloudFormation replaces a resource, from the schemas of the resource types."""
Resource = Mapping[str, Any]


def resources(template: Any) -> dict[str, Resource] | None:
    """Resources of a template by logical id; empty for no template, None if it cannot be read."""
    content = parsed(template)
    if content in (None, ""):
        return {}
    if not isinstance(content, Mapping) or not isinstance(content.get("Resources"), Mapping):
        return None
    return dict(content["Resources"])


def flow_of(template: Any) -> Resource | None:
    """The properties of the flow in a template, if there is one."""
    for resource in (resources(template) or {}).values():
        if resource.get("Type") == FLOW:
            return dict(resource.get("Properties", {}))
    return None


def create_only_changes(before: Resource, after: Resource) -> list[Difference]:
    """The differences for which CloudFormation replaces a resource."""
    found = []
    for path in CREATE_ONLY.get(before["Type"], ()):
        old, new = (at(resource.get("Properties", {}), path) for resource in (before, after))
        if old != new:
            found.append(Difference(path, old, new))
    return found


def at(value: Any, path: str) -> Any:
    """The part of a value at a dotted path; None if there is none."""
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
