"""CloudFormation creates AWS::MediaConnect::Flow, FlowSource and FlowOutput.

Attributes and create-only properties are those of the CloudFormation resource schemas. Addresses are of the
documentation ranges. A stack policy that denies replacement is obeyed. A replaced flow gets new sources and outputs;
the old ones are deleted after the update, those that refer to another first.

moto 5.2.5: its CloudFormation skips types that it does not know, and an update leaves dependents of a replaced resource
as they are.
AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-mediaconnect-flow.html
AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
Remove when: moto has these three resource types and replaces what refers to a replaced resource.
"""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar, Final

from moto.cloudformation import parsing
from moto.cloudformation.models import cloudformation_backends
from moto.core.common_models import CloudFormationModel
from moto.core.exceptions import JsonRESTError
from moto.mediaconnect.models import mediaconnect_backends

from tools.local_aws import backends
from tools.local_aws.gaps.cloudformation_failures import references
from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)

INGEST_ADDRESSES = ("192.0.2.10", "192.0.2.11")
EGRESS_ADDRESS = "192.0.2.1"
REPLACED: Final = threading.local()
"""`old`: the resources that an update in this thread has replaced, in order."""


def _in_api_case(properties: Any) -> Any:
    """Properties with the names of the API, at any depth: `IngestPort` becomes `ingestPort`."""
    if isinstance(properties, dict):
        return {key[:1].lower() + key[1:]: _in_api_case(value) for key, value in properties.items()}
    if isinstance(properties, list):
        return [_in_api_case(value) for value in properties]
    return properties


class _Model:
    """What the three types have in common: an ARN as physical id, and some attributes."""

    type_name: ClassVar[str]
    attributes: ClassVar[frozenset[str]]
    create_only: ClassVar[frozenset[str]]

    def __init__(self, flow: Any, properties: dict[str, Any]) -> None:
        self.flow = flow
        self.properties = properties

    @classmethod
    def cloudformation_name_type(cls) -> str:
        return "Name"

    @classmethod
    def cloudformation_type(cls) -> str:
        return f"AWS::MediaConnect::{cls.type_name}"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.attributes

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: Any
    ) -> Any:
        del resource_name
        return cls.create(cloudformation_json["Properties"], mediaconnect_backends[account_id][region_name])

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Any:
        del new_resource_name
        properties = cloudformation_json["Properties"]
        backend = mediaconnect_backends[account_id][region_name]
        if cls.key_of(properties) == cls.key_of(original_resource.properties):
            original_resource.change(properties)
            return original_resource
        _obey_stack_policy(original_resource.logical_resource_id, original_resource, account_id, region_name)
        replacement = cls.create(properties, backend)
        REPLACED.old.append(original_resource)
        return replacement

    @classmethod
    def key_of(cls, properties: dict[str, Any]) -> tuple[Any, ...]:
        """The values of the create-only properties."""
        found = []
        for path in sorted(cls.create_only):
            value: Any = properties
            for step in path.split("/"):
                value = (value or {}).get(step)
            found.append(value)
        return tuple(found)

    @classmethod
    def create(cls, properties: dict[str, Any], backend: Any) -> "_Model":
        raise NotImplementedError

    def change(self, properties: dict[str, Any]) -> None:
        raise NotImplementedError


class CfnFlow(_Model, CloudFormationModel):
    """A flow, created in STANDBY."""

    type_name = "Flow"
    attributes = frozenset(
        {
            "FlowArn",
            "FlowAvailabilityZone",
            "EgressIp",
            "Source.SourceArn",
            "Source.IngestIp",
            "Source.SourceIngestPort",
        }
    )
    create_only = frozenset({"Name", "AvailabilityZone", "Source/Name"})

    @classmethod
    def create(cls, properties: dict[str, Any], backend: Any) -> "CfnFlow":
        flow = backend.create_flow(
            availability_zone=properties.get("AvailabilityZone") or f"{backend.region_name}a",
            entitlements=[],
            name=properties["Name"],
            outputs=[],
            source=_in_api_case(properties["Source"]),
            source_failover_config=_in_api_case(properties.get("SourceFailoverConfig", {})),
            sources=[],
            vpc_interfaces=[],
            maintenance=_in_api_case(properties.get("Maintenance")),
        )
        flow.egress_ip = EGRESS_ADDRESS
        flow.source["ingestIp"] = INGEST_ADDRESSES[0]
        backend.tagger.tag_resource(flow.flow_arn, properties.get("Tags", []))
        return cls(flow, properties)

    def change(self, properties: dict[str, Any]) -> None:
        self.flow.source.update(_in_api_case(properties["Source"]))
        self.flow.source_failover_config = _in_api_case(properties.get("SourceFailoverConfig", {}))
        self.flow.maintenance = _in_api_case(properties.get("Maintenance"))
        self.properties = properties

    def delete(self, account_id: str, region_name: str) -> None:
        mediaconnect_backends[account_id][region_name].delete_flow(self.flow.flow_arn)

    @property
    def physical_resource_id(self) -> str:
        return str(self.flow.flow_arn)

    def get_cfn_attribute(self, attribute_name: str) -> str:
        source = self.flow.source
        values: dict[str, str] = {
            "FlowArn": self.flow.flow_arn,
            "FlowAvailabilityZone": self.flow.availability_zone,
            "EgressIp": self.flow.egress_ip,
            "Source.SourceArn": source["sourceArn"],
            "Source.IngestIp": source["ingestIp"],
            "Source.SourceIngestPort": str(source.get("ingestPort", "")),
        }
        return values[attribute_name]


class _Part(_Model):
    """A source or an output of a flow."""

    list_name: ClassVar[str]
    arn_word: ClassVar[str]

    @classmethod
    def create(cls, properties: dict[str, Any], backend: Any) -> "_Part":
        del backend
        flow = backends.flow(properties["FlowArn"])
        part = _in_api_case({key: value for key, value in properties.items() if key != "FlowArn"})
        part[f"{cls.arn_word}Arn"] = flow.flow_arn.replace(":flow:", f":{cls.arn_word}:").replace(
            f":{flow.name}", f":{properties['Name']}"
        )
        if cls.arn_word == "source":
            part["ingestIp"] = INGEST_ADDRESSES[1]
        getattr(flow, cls.list_name).append(part)
        return cls(flow, properties)

    @property
    def part(self) -> dict[str, Any]:
        """The source or output as the flow holds it."""
        found: dict[str, Any] = next(
            part for part in getattr(self.flow, self.list_name) if part["name"] == self.properties["Name"]
        )
        return found

    def change(self, properties: dict[str, Any]) -> None:
        self.part.update(_in_api_case({key: value for key, value in properties.items() if key != "FlowArn"}))
        self.properties = properties

    def delete(self, account_id: str, region_name: str) -> None:
        del account_id, region_name
        getattr(self.flow, self.list_name).remove(self.part)

    @property
    def physical_resource_id(self) -> str:
        return str(self.part[f"{self.arn_word}Arn"])

    def get_cfn_attribute(self, attribute_name: str) -> str:
        part = self.part
        values: dict[str, str] = {
            f"{self.arn_word.capitalize()}Arn": part[f"{self.arn_word}Arn"],
            "IngestIp": part.get("ingestIp", ""),
            "SourceIngestPort": str(part.get("ingestPort", "")),
        }
        return values[attribute_name]


class CfnFlowSource(_Part, CloudFormationModel):
    """The backup source."""

    type_name = "FlowSource"
    attributes = frozenset({"SourceArn", "IngestIp", "SourceIngestPort"})
    create_only = frozenset({"FlowArn", "Name", "Protocol"})
    list_name = "sources"
    arn_word = "source"


class CfnFlowOutput(_Part, CloudFormationModel):
    """An output."""

    type_name = "FlowOutput"
    attributes = frozenset({"OutputArn"})
    create_only = frozenset({"FlowArn", "Name"})
    list_name = "outputs"
    arn_word = "output"


def _obey_stack_policy(logical_id: str, resource: Any, account_id: str, region_name: str) -> None:
    """Obey a stack policy that denies the replacement of a resource.

    Raises:
        ValueError: it does.
    """
    for stack in cloudformation_backends[account_id][region_name].stacks.values():
        if stack.resource_map.get(logical_id) is not resource or not stack.policy:
            continue
        for statement in json.loads(stack.policy)["Statement"]:
            if (
                statement["Effect"] == "Deny"
                and "Update:Replace" in statement["Action"]
                and statement["Resource"] in {"*", f"LogicalResourceId/{logical_id}"}
            ):
                raise ValueError(f"Action denied by stack policy: Update:Replace on {logical_id}")


@GAP.wraps(parsing.ResourceMap, "update", "(self, template, parameters=None)")
def _replace_dependents(
    update: Callable[..., None], self: Any, template: dict[str, Any], parameters: dict[str, Any] | None = None
) -> None:
    """Also replace what refers to a replaced resource, and then delete the old ones."""
    REPLACED.old = []
    update(self, template, parameters)
    gone = {resource.logical_resource_id for resource in REPLACED.old}
    for name, body in template["Resources"].items():
        if gone & set(references(body)):
            again = parsing.parse_and_update_resource(name, body, self, self._account_id, self._region_name)
            self._parsed_resources[name] = again
    # What refuses to be deleted, such as an active flow, stays behind without its dependents.
    for resource in reversed(REPLACED.old):
        with suppress(JsonRESTError):
            resource.delete(self._account_id, self._region_name)


# moto caches the resource types, possibly before these were defined.
for _types in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
    _types.cache_clear()
