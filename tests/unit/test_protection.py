"""Which flows a plan deletes: by Terraform, by a replacement trigger, or by CloudFormation inside an update."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tools.operations.deletions import DeletedFlow, deleted_by_destroy, deleted_by_plan

PLANS: Final = Path(__file__).resolve().parents[1] / "plans"


def plan(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress((PLANS / f"{name}.json.gz").read_bytes()))
    return found


def stacks(name: str) -> list[tuple[str, str]]:
    return [(flow.stack, flow.how) for flow in deleted_by_plan(json.dumps(plan(name)))]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("nothing_prod", []),
        ("output_removed", []),
        ("protection_off", []),
        ("flow_added", []),
        ("flow_renamed_prod", [("media-workflow-prod-channel-one", "deleted")]),
        ("source_renamed_prod", [("media-workflow-prod-channel-one", "replaced")]),
        ("zone_changed", [("media-workflow-prod-channel-one", "replaced")]),
        ("everything_destroyed", [("media-workflow-dev-live-stream", "deleted")]),
    ],
)
def test_deleted_by_plan_lists_deleted_and_replaced_flows(name: str, found: list[tuple[str, str]]) -> None:
    assert stacks(name) == found


def _renamed(resource: dict[str, Any]) -> None:
    resource["Flow"]["Properties"]["Source"]["Name"] = "other"


def _removed(resource: dict[str, Any]) -> None:
    resource["Other"] = resource.pop("Flow")


def _moved(resource: dict[str, Any]) -> None:
    resource["Flow"]["Properties"]["AvailabilityZone"] = "us-east-1c"


def _described(resource: dict[str, Any]) -> None:
    resource["Flow"]["Metadata"] = {"Protected": True}


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (_renamed, "Source.Name cannot change in place"),
        (_moved, "AvailabilityZone cannot change in place"),
        (_removed, "it is not in the new template"),
        (_described, None),
        (None, "known only after apply"),
    ],
)
def test_deleted_by_plan_includes_replacement_in_an_update(
    edit: Callable[[dict[str, Any]], None] | None, words: str | None
) -> None:
    content = plan("nothing_prod")
    change = next(item for item in content["resource_changes"] if "channel-one" in item["address"] and item["type"] == "aws_cloudformation_stack")["change"]  # fmt: skip
    change["actions"] = ["update"]
    if edit is None:
        del change["after"]["template_body"]
        change["after_unknown"] = {"template_body": True}
    else:
        body = json.loads(change["after"]["template_body"])
        edit(body["Resources"])
        change["after"]["template_body"] = json.dumps(body)
    found = deleted_by_plan(json.dumps(content))
    if words is None:
        assert found == ()
        return
    (flow,) = found
    assert (flow.stack, flow.deletes_stack) == ("media-workflow-prod-channel-one", False)
    assert words in flow.how


def test_deleted_by_plan_skips_stacks_without_a_flow() -> None:
    content = plan("everything_destroyed")
    for item in content["resource_changes"]:
        if item["type"] == "aws_cloudformation_stack":
            item["change"]["before"]["template_body"] = json.dumps({"Resources": {"A": {"Type": "AWS::SNS::Topic"}}})
    assert deleted_by_plan(json.dumps(content)) == ()


def test_deleted_by_destroy_finds_flows_at_any_depth() -> None:
    body = json.dumps({"Resources": {"Flow": {"Type": "AWS::MediaConnect::Flow", "Properties": {}}}})
    stack = {"address": "module.a.module.b.x", "type": "aws_cloudformation_stack", "values": {"name": "s", "template_body": body}}  # fmt: skip
    state = {"values": {"root_module": {"child_modules": [{"child_modules": [{"resources": [stack]}]}]}}}
    assert deleted_by_destroy(state) == (DeletedFlow(address="module.a.module.b.x", stack="s", how="deleted"),)
    assert deleted_by_destroy({"format_version": "1.0"}) == ()
