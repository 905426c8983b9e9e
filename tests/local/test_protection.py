"""Deleting a running flow is refused before any change, and protection is set in CloudFormation.

The guard works on stacks as the flow module creates them; real Terraform and its provider change them.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from settings import Environment
from tests.local.empty_region import EmptyRegion
from tests.modules.test_flow_module import copied
from tests.provider import one_provider
from tests.unit.environments import GOOD, load
from tools.local_aws import LocalAws
from tools.local_aws.gaps.mediaconnect_flow_status import set_flow_status
from tools.operations import protection
from tools.operations.deletions import DeletedFlow, deleted_by_destroy, deleted_by_plan
from tools.operations.protection import (
    ALLOW,
    DENY,
    ProtectionError,
    changed_by_hand,
    differences,
    guarded,
    guarded_environment,
    protect,
)
from tools.terraform.binary import TerraformError, terraform, terraform_environment

STACK: Final = "media-workflow-dev-live"
DELETED: Final = DeletedFlow(address="module.flow.aws_cloudformation_stack.this", stack=STACK, how="replaced")
SOURCE: Final = {"Name": "encoder", "Protocol": "rtp", "IngestPort": 5000, "WhitelistCidr": "203.0.113.10/32"}
OUTPUT: Final = {"Name": "primary", "Protocol": "rtp", "Destination": "198.51.100.10", "Port": 5001}


def template(**outputs: Any) -> str:
    flow = {"Type": "AWS::MediaConnect::Flow", "Properties": {"Name": "live", "Source": SOURCE}}
    output = {"Type": "AWS::MediaConnect::FlowOutput", "Properties": {**OUTPUT, "FlowArn": {"Ref": "Flow"}}}
    return json.dumps({"Resources": {"Flow": flow, "Output": output}, "Outputs": outputs})


@pytest.fixture
def region(aws: LocalAws) -> EmptyRegion:
    return EmptyRegion(aws)


@pytest.fixture
def flow(region: EmptyRegion) -> str:
    """The ARN of a flow of the environment `dev` whose stack has one output and no protection."""
    client = region.client("cloudformation")
    body = template(FlowArn={"Value": {"Ref": "Flow"}})
    client.create_stack(StackName=STACK, TemplateBody=body, StackPolicyBody=json.dumps({"Statement": [ALLOW]}))
    return str(client.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"][0]["OutputValue"])


@pytest.fixture
def protected(tmp_path: Path) -> Environment:
    return load(tmp_path, f"protect = true\n{GOOD}")


@pytest.fixture
def unprotected(tmp_path: Path) -> Environment:
    return load(tmp_path, GOOD)


def is_protected(region: EmptyRegion) -> bool:
    (stack,) = region.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return bool(stack["EnableTerminationProtection"])


@pytest.mark.parametrize("status", ["ACTIVE", "STARTING", "STOPPING", "UPDATING", "ERROR"])
def test_running_flow_is_not_deleted(region: EmptyRegion, flow: str, protected: Environment, status: str) -> None:
    protect(region.client, protected, say=lambda _: None)
    set_flow_status(flow, status)
    words = rf"Nothing was changed(.|\n)*module\.flow.*is replaced: its flow {flow} is {status}(.|\n)*Stop it first"
    with pytest.raises(ProtectionError, match=words), guarded(region.client, protected, [DELETED], say=print):
        pytest.fail("it went on")
    assert is_protected(region)


def test_all_running_flows_are_listed(region: EmptyRegion, flow: str, protected: Environment) -> None:
    set_flow_status(flow, "ACTIVE")
    other = DeletedFlow(address="module.other", stack=STACK, how="deleted")
    with pytest.raises(ProtectionError) as refused, guarded(region.client, protected, [DELETED, other], say=print):
        pytest.fail("it went on")
    assert str(refused.value).count(flow) == 2


@pytest.mark.parametrize("state", ["stopped", "deleted by hand", "never deployed"])
def test_stopped_or_missing_flow_may_be_deleted(
    region: EmptyRegion, flow: str, unprotected: Environment, state: str
) -> None:
    if state == "deleted by hand":
        region.client("mediaconnect").delete_flow(FlowArn=flow)
    going = DeletedFlow(address="a", stack="none", how="deleted") if state == "never deployed" else DELETED
    passed = []
    with guarded(region.client, unprotected, [going], say=print):
        passed.append(state)
    assert passed == [state]


def test_stack_with_unknown_flow_is_not_deleted(region: EmptyRegion, unprotected: Environment) -> None:
    region.client("cloudformation").create_stack(StackName=STACK, TemplateBody=template())
    with pytest.raises(ProtectionError, match="has no output with the flow's ARN"):
        protection.check_standby(region.client, [DELETED])


def test_protection_is_removed_for_the_apply_and_set_again(
    region: EmptyRegion, flow: str, protected: Environment
) -> None:
    printed: list[str] = []
    protect(region.client, protected, say=printed.append)
    assert is_protected(region)
    client = region.client("cloudformation")
    with guarded(region.client, protected, [DELETED], say=printed.append):
        client.delete_stack(StackName=STACK)  # as a replacement does
        client.create_stack(StackName=STACK, TemplateBody=template(FlowArn={"Value": {"Ref": "Flow"}}))
    assert is_protected(region)
    assert printed == [
        f"Termination protection of {STACK} is on.",
        f"The policy of {STACK} refuses updates that replace or delete the flow.",
        f"Termination protection of {STACK} is off.",
        f"Termination protection of {STACK} is on.",
        f"The policy of {STACK} refuses updates that replace or delete the flow.",
    ]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_failed_apply_leaves_stacks_protected(
    region: EmptyRegion, flow: str, protected: Environment, failure: type[BaseException]
) -> None:
    protect(region.client, protected, say=lambda _: None)

    def apply() -> None:
        with guarded(region.client, protected, [DELETED], say=lambda _: None):
            assert not is_protected(region)
            raise failure

    with pytest.raises(failure):
        apply()
    assert is_protected(region)


def test_unprotected_environment_loses_protection(
    region: EmptyRegion, flow: str, protected: Environment, unprotected: Environment
) -> None:
    protect(region.client, protected, say=lambda _: None)
    assert differences(region.client, protected) == []
    assert differences(region.client, unprotected) == [
        f"live: termination protection of its stack {STACK} is on",
        f"live: the policy of its stack {STACK} refuses updates that replace or delete the flow",
    ]
    with guarded(region.client, unprotected, [], say=lambda _: None):
        pass
    assert not is_protected(region)
    assert differences(region.client, unprotected) == []


def test_differences_lists_manual_changes(region: EmptyRegion, flow: str, protected: Environment) -> None:
    protect(region.client, protected, say=lambda _: None)
    client = region.client("cloudformation")
    client.update_termination_protection(StackName=STACK, EnableTerminationProtection=False)
    client.set_stack_policy(StackName=STACK, StackPolicyBody=json.dumps({"Statement": [ALLOW]}))
    assert differences(region.client, protected) == [
        f"live: termination protection of its stack {STACK} is off",
        f"live: the policy of its stack {STACK} does not refuse updates that replace or delete the flow",
    ]


def test_trial_from_the_context_is_guarded(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"sourceWhitelistCidr": "203.0.113.0/24", "primaryOutputDestination": "198.51.100.1"}
    for name, value in {**aws.environment(), "CDKTF_CONTEXT_JSON": json.dumps(given)}.items():
        monkeypatch.setenv(name, value)
    assert changed_by_hand("trial") == []
    with guarded_environment("trial", ()):
        pass


def test_differences_are_empty_without_a_deployment(region: EmptyRegion, protected: Environment) -> None:
    assert differences(region.client, protected) == []


class Root:
    """A root module of plain Terraform with one flow, applied to the local AWS."""

    def __init__(self, aws: LocalAws, folder: Path) -> None:
        self.aws = aws
        copied(folder)
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.environ = terraform_environment({**kept, **aws.environment()})
        self.write()
        terraform("init", "-no-color", folder=folder, environ=self.environ)

    def write(self, **changes: Any) -> None:
        flow = {
            "source": "./mediaconnect_flow",
            "name": "channel",
            "primary_source": {"name": "studio", "protocol": "rtp", "port": 5000, "allowed_cidr": "203.0.113.10/32"},
            "outputs": {"primary": {"protocol": "rtp", "destination": "198.51.100.10", "port": 5001}},
        }
        root = {
            "module": {"channel": {**flow, **changes}},
            "output": {name: {"value": f"${{module.channel.{name}}}"} for name in ("flow_arn", "stack_id")},
        }
        (self.folder / "main.tf.json").write_text(json.dumps(root))

    def run(self, *arguments: str) -> str:
        return terraform(*arguments, folder=self.folder, environ=self.environ).stdout

    def plan(self) -> str:
        self.run("plan", "-out=plan")
        return self.run("show", "-json", "plan")

    @property
    def stack(self) -> dict[str, Any]:
        (found,) = self.aws.client("cloudformation").describe_stacks(StackName="mediaconnect-flow-channel")["Stacks"]
        return dict(found)

    @property
    def policy(self) -> dict[str, Any]:
        answer = self.aws.client("cloudformation").get_stack_policy(StackName="mediaconnect-flow-channel")
        return dict(json.loads(answer["StackPolicyBody"]))

    def flow(self, arn: str) -> dict[str, Any]:
        return dict(self.aws.client("mediaconnect").describe_flow(FlowArn=arn)["Flow"])


@pytest.fixture(scope="module")
def root(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    """A flow by plain Terraform, which the tests below change in order."""
    found = Root(aws, tmp_path_factory.mktemp("root"))
    alone = found.environ
    with one_provider(found.folder, alone) as found.environ:
        found.run("apply", "-auto-approve")
        yield found


def test_change_of_protect_alone_keeps_the_flow(root: Root) -> None:
    arn = json.loads(root.run("output", "-json"))["flow_arn"]["value"]
    assert root.policy == {"Statement": [ALLOW]}
    root.write(protect=True)
    shown = json.loads(root.plan())["resource_changes"]
    changed = [(item["type"], item["change"]["actions"]) for item in shown if item["change"]["actions"] != ["no-op"]]
    assert changed == [("aws_cloudformation_stack", ["update"])]
    root.run("apply", "plan")
    assert root.policy == {"Statement": [ALLOW, DENY]}
    assert json.loads(root.run("output", "-json"))["flow_arn"]["value"] == arn
    root.write(protect=False)
    root.run("apply", "-auto-approve")
    assert root.policy == {"Statement": [ALLOW]}
    root.write(protect=True)
    root.run("apply", "-auto-approve")
    assert root.policy == {"Statement": [ALLOW, DENY]}


def test_replacement_ignores_the_stack_policy(root: Root) -> None:
    root.write(protect=True, availability_zone="us-east-1b")
    (going,) = deleted_by_plan(root.plan())
    assert (going.stack, going.how) == ("mediaconnect-flow-channel", "replaced")
    before = root.stack["StackId"]
    root.run("apply", "plan")
    assert root.stack["StackId"] != before


def test_provider_forgets_a_stack_with_termination_protection(root: Root) -> None:
    """As the module's README says. Once fixed, the guard need not remove the protection before."""
    client = root.aws.client("cloudformation")
    stack = root.stack["StackName"]
    arn = json.loads(root.run("output", "-json"))["flow_arn"]["value"]
    client.update_termination_protection(StackName=stack, EnableTerminationProtection=True)
    state = json.loads(root.run("show", "-json"))
    assert [flow.stack for flow in deleted_by_destroy(state)] == [stack]
    root.run("destroy", "-auto-approve")
    assert deleted_by_destroy(json.loads(root.run("show", "-json"))) == ()
    assert len(root.flow(arn)["Outputs"]) == 1
    with pytest.raises(TerraformError, match="already exists"):
        root.run("apply", "-auto-approve", "-no-color")
    root.run("import", "module.channel.aws_cloudformation_stack.this", stack)
    client.update_termination_protection(StackName=stack, EnableTerminationProtection=False)


def test_delete_of_a_running_flow_removes_its_outputs(root: Root) -> None:
    """The fact that requires the check, through the real provider."""
    arn = next(item["OutputValue"] for item in root.stack["Outputs"] if item["OutputKey"] == "FlowArn")
    set_flow_status(arn, "ACTIVE")
    with pytest.raises(TerraformError, match="DELETE_FAILED"):
        root.run("destroy", "-auto-approve", "-no-color")
    assert root.flow(arn)["Outputs"] == []
    set_flow_status(arn, "STANDBY")
    root.run("destroy", "-auto-approve", "-no-color")
    with pytest.raises(ClientError, match="does not exist"):
        _ = root.stack
