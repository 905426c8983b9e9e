"""Commands of workflows and operators, end to end: plan, comment, apply, refuse, destroy.

The tests share one environment and run in order, because each step with Terraform is slow.
"""

import json
from collections.abc import Iterator

import pytest

from alert_handler.handling import handle
from alert_handler.table import Table
from report import moment
from tests.local.checkout import BUCKET, Checkout
from tests.local.github import GitHub
from tests.unit.stream import check, issue
from tools.local_aws import LocalAws


@pytest.fixture(scope="module")
def checkout(aws: LocalAws, github: GitHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """prod, deployed from a reviewed plan; its state is deleted afterwards."""
    found = Checkout(tmp_path_factory.mktemp("checkout"), aws, github.environment())
    printed = found.run("plan", "prod", "--save", "reviewed")
    assert "channel-one is a new flow, created in STANDBY" in printed
    found.run("apply", "prod", "reviewed")
    with found.one_provider():
        yield found
    found.forget_state("prod")


def test_second_plan_has_no_changes(checkout: Checkout) -> None:
    assert "Nothing changes in prod" in checkout.run("plan", "prod")


def test_applied_plan_cannot_be_applied_again(checkout: Checkout) -> None:
    assert "the state has changed, from serial" in checkout.run("apply", "prod", "reviewed", expect=1)


def protected(aws: LocalAws) -> set[bool]:
    """Termination protection of the flow stacks of prod."""
    found = aws.client("cloudformation").describe_stacks()["Stacks"]
    return {stack["EnableTerminationProtection"] for stack in found if "-prod-" in stack["StackName"]}


def test_drift_reports_missing_protection_after_apply(checkout: Checkout, aws: LocalAws) -> None:
    assert protected(aws) == {True}
    aws.client("cloudformation").update_termination_protection(
        StackName="media-workflow-prod-channel-one", EnableTerminationProtection=False
    )
    printed = checkout.run("drift", "prod", expect=3)
    assert "prod is deployed as it is configured." in printed
    assert "channel-one: termination protection of its stack media-workflow-prod-channel-one is off" in printed


def test_rename_of_a_live_flow_is_blocked(checkout: Checkout, github: GitHub) -> None:
    checkout.run("start", "prod", "channel-one", "--yes")
    checkout.edit('name = "channel-one"', 'name = "channel-1"')
    printed = checkout.run("plan", "prod", "--save", "renamed", expect=1)
    assert "Blocked in prod: off air" in printed
    assert "channel-one goes off air: its flow is deleted, and its ingest address 192.0.2.10:5000 is lost" in printed
    assert "It is renamed: channel-1 is a new flow in STANDBY" in printed
    for _ in range(2):
        checkout.run("comment", "renamed/review.md", "--number", "7")
    (comment,) = github.comments
    assert comment["issue"] == 7
    assert "**Off air** (blocked)" in comment["body"]
    assert "its review blocks it" in checkout.run("apply", "prod", "renamed", expect=1)
    address = next(line for line in printed.splitlines() if line.startswith("--allow")).split("'")[1]
    assert "Allowed for prod: off air" in checkout.run("plan", "prod", "--allow", address, "--save", "allowed")
    refused = checkout.run("apply", "prod", "allowed", expect=1)
    assert "Nothing was changed: a flow that is not stopped would be deleted" in refused
    assert "is ACTIVE" in refused
    checkout.edit('name = "channel-1"', 'name = "channel-one"')


def test_plan_of_another_configuration_is_refused(checkout: Checkout) -> None:
    checkout.edit("log_retention_days = 90", "log_retention_days = 120")
    checkout.run("plan", "prod", "--save", "kept-longer")
    checkout.edit("log_retention_days = 120", "log_retention_days = 150")
    assert "settings or code have changed since" in checkout.run("apply", "prod", "kept-longer", expect=1)
    checkout.edit("log_retention_days = 150", "log_retention_days = 120")
    plan_file = checkout.folder / "kept-longer" / "media-workflow.tfplan"
    content = plan_file.read_bytes()
    plan_file.write_bytes(content + b"\0")
    assert "not the one that was reviewed" in checkout.run("apply", "prod", "kept-longer", expect=1)
    plan_file.write_bytes(content)
    checkout.run("apply", "prod", "kept-longer")


def test_protected_environment_is_not_destroyed(checkout: Checkout, aws: LocalAws) -> None:
    checkout.edit("protect = true", "protect = false")  # that it is set, but not deployed, changes nothing
    refused = checkout.run("destroy", "prod", "--stop-flows", "--yes", expect=1)
    assert (
        "it is protected, and would be left half destroyed. To remove the protection, run `make deploy ENV=prod`"
        in refused
    )
    assert "channel-one: stopping" not in refused
    assert protected(aws) == {True}  # the plan of before has set again what was taken away by hand
    checkout.run("deploy", "prod", environ={"TF_CLI_ARGS_apply": "-auto-approve"})
    assert protected(aws) == {False}


def test_destroy_is_refused_until_the_incident_is_closed(checkout: Checkout, aws: LocalAws) -> None:
    store = Table(aws.client("dynamodb"), "media-workflow-prod-incidents")
    report = check(0, issue(), flow_name="remote-venue", environment="prod")
    handle(report, execution="e", store=store, send=lambda _: None, clock=lambda: moment(report["timestamp"]))
    refused = checkout.run("destroy", "prod", "--stop-flows", "--yes", expect=1)
    assert "an incident of remote-venue is open" in refused
    assert "channel-one is ACTIVE: it is on air" in refused
    assert "run `media-workflow close prod remote-venue --reason TEXT`" in refused
    printed = checkout.run("close", "prod", "remote-venue", "--reason", "the venue is torn down")
    assert "Its recipients are notified." in printed


def test_flow_on_air_is_destroyed_only_after_stop(checkout: Checkout, aws: LocalAws) -> None:
    refused = checkout.run("destroy", "prod", "--yes", expect=1)
    assert "the flow channel-one is ACTIVE: it is on air" in refused
    assert "`media-workflow stop prod channel-one`, or destroy with --stop-flows" in refused
    assert "remote-venue" not in refused
    names = {flow["Name"] for flow in aws.client("mediaconnect").list_flows()["Flows"]}
    assert {"channel-one", "remote-venue"} <= names
    assert "channel-one: was ACTIVE, now STANDBY" in checkout.run("destroy", "prod", "--stop-flows", "--yes")
    left = {flow["Name"]: flow["FlowArn"] for flow in aws.client("mediaconnect").list_flows()["Flows"]}
    assert "remote-venue" not in left
    assert "channel-one: not deployed" in checkout.run("status", "prod")
    alarms = aws.client("cloudwatch").describe_alarms(AlarmNamePrefix="media-workflow-prod-")["MetricAlarms"]
    assert alarms == []
    state = json.loads(
        aws.client("s3").get_object(Bucket=BUCKET, Key="media-workflow/prod/media-workflow.tfstate")["Body"].read()
    )
    assert state["resources"] == []
