"""The whole stack, deployed and destroyed by the real terraform and provider."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.conftest import Deployed, cdktf, files
from tools.local_aws import LocalAws
from tools.rehearsal.deployment import Deployment
from tools.terraform.binary import TerraformError, terraform

pytestmark = pytest.mark.xdist_group("environments")

BUCKET = "media-workflow-state-123456789012-us-east-1"


def test_configuration_is_valid(deployment: Deployment) -> None:
    assert json.loads(deployment.run("validate", "-json").stdout)["diagnostics"] == []


def test_second_plan_is_empty(deployment: Deployment) -> None:
    assert not deployment.has_changes()


def test_each_environment_has_its_own_state(deployed: Deployed, aws: LocalAws) -> None:
    del deployed
    listed = aws.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    assert {item["Key"] for item in listed} >= {
        "media-workflow/dev/media-workflow.tfstate",
        "media-workflow/prod/media-workflow.tfstate",
        "media-workflow/staging/media-workflow.tfstate",
    }


def test_plan_fails_at_once_while_the_state_is_locked(deployment: Deployment, aws: LocalAws) -> None:
    lock = {"Bucket": BUCKET, "Key": "media-workflow/dev/media-workflow.tfstate.tflock"}
    held = {"ID": "1", "Operation": "OperationTypeApply", "Who": "somebody@example.com", "Created": "2026-11-23T20:00:00Z"}  # fmt: skip
    aws.client("s3").put_object(**lock, Body=json.dumps(held).encode())
    try:
        with pytest.raises(TerraformError, match=r"Error acquiring the state lock(.|\n)*somebody@example.com"):
            deployment.run("plan", "-no-color")
    finally:
        aws.client("s3").delete_object(**lock)


def test_configuration_is_refused_in_another_workspace(deployed: Deployed) -> None:
    environ = {**deployed.dev.environ, "TF_WORKSPACE": "staging"}
    with pytest.raises(TerraformError, match=r"synthesized for dev, but the workspace(.|\n)*TF_WORKSPACE=dev"):
        terraform("plan", "-no-color", folder=deployed.dev.root, environ=environ)


def test_outputs_name_what_is_deployed(deployment: Deployment, aws: LocalAws) -> None:
    outputs = deployment.outputs()
    assert outputs["ingest"] == {"live-stream": {"address": "192.0.2.10", "port": 5000}}
    flow = aws.client("mediaconnect").describe_flow(FlowArn=outputs["flow_arns"]["live-stream"])["Flow"]
    assert (flow["Name"], flow["Status"]) == ("live-stream", "STANDBY")
    assert {output["Name"] for output in flow["Outputs"]} == {"primary", "backup"}
    aws.client("stepfunctions").describe_state_machine(stateMachineArn=outputs["state_machine_arn"])
    aws.client("sns").get_topic_attributes(TopicArn=outputs["topic_arn"])
    for function in ("stream_monitor_arn", "alert_handler_arn"):
        aws.client("lambda").get_function(FunctionName=outputs[function])
    assert outputs["dashboard_url"].endswith("#dashboards/dashboard/media-workflow-dev")


def test_ingest_output_has_the_backup_address(deployed: Deployed) -> None:
    assert deployed.prod.outputs()["ingest"]["remote-venue"] == {
        "address": "192.0.2.10",
        "port": 5000,
        "backup": {"address": "192.0.2.11", "port": 5100},
    }


def test_cdktf_cli_synthesizes_the_same_bytes(deployment: Deployment, tmp_path: Path, aws: LocalAws) -> None:
    other = Deployment(aws, "dev", tmp_path)
    cdktf(other, "synth")
    assert files(other.folder) == files(deployment.folder)


@pytest.mark.parametrize("environment", ["dev", "staging"])
def test_cdktf_cli_finds_nothing_to_change(deployed: Deployed, environment: str) -> None:
    deployment: Deployment = getattr(deployed, environment)
    assert "No changes." in cdktf(deployment, "diff", "media-workflow", "--skip-provider-lock")


@pytest.fixture
def left(deployed: Deployed, aws: LocalAws) -> list[str]:
    """The account after `staging` was destroyed."""
    deployed.staging.initialize()
    deployed.staging.destroy()
    return all_names(aws)


def test_destroy_removes_one_environment_and_nothing_else(deployed: Deployed, left: list[str]) -> None:
    assert [name for name in left if "staging" in name] == []
    assert len([name for name in left if "media-workflow-dev" in name]) > 40
    assert not deployed.dev.has_changes()


def all_names(aws: LocalAws) -> list[str]:
    """The names of everything in the account that this project creates."""

    def named(service: str, call: str, *path: str) -> Iterator[str]:
        pages = aws.client(service).get_paginator(call).paginate()
        for page in pages:
            found: Any = page[path[0]]
            yield from (str(item[path[1]] if len(path) > 1 else item) for item in found)

    names: list[str] = []
    for service, call, *path in (
        ("cloudformation", "describe_stacks", "Stacks", "StackName"),
        ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
        ("events", "list_rules", "Rules", "Name"),
        ("iam", "list_roles", "Roles", "RoleName"),
        ("kms", "list_aliases", "Aliases", "AliasName"),
        ("lambda", "list_functions", "Functions", "FunctionName"),
        ("mediaconnect", "list_flows", "Flows", "FlowArn"),
        ("logs", "describe_log_groups", "logGroups", "logGroupName"),
        ("s3", "list_buckets", "Buckets", "Name"),
        ("scheduler", "list_schedules", "Schedules", "GroupName"),
        ("scheduler", "list_schedule_groups", "ScheduleGroups", "Name"),
        ("sns", "list_topics", "Topics", "TopicArn"),
        ("sns", "list_subscriptions", "Subscriptions", "TopicArn"),
        ("sqs", "list_queues", "QueueUrls"),
        ("ssm", "describe_parameters", "Parameters", "Name"),
        ("stepfunctions", "list_state_machines", "stateMachines", "name"),
    ):
        names += named(service, call, *path)
    return names
