"""With each gap filled, the call answers as AWS documents it. Every test fails without its gap."""

import json
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.empty_region import EmptyRegion
from tools.local_aws import LocalAws
from tools.local_aws.executions import wait_for
from tools.local_aws.gaps.mediaconnect_flow_status import set_flow_status

SOURCE = {"Name": "encoder", "Protocol": "rtp", "IngestPort": 5000, "WhitelistCidr": "203.0.113.10/32"}


@pytest.fixture
def region(aws: LocalAws) -> EmptyRegion:
    return EmptyRegion(aws)


def template(source: dict[str, Any] | None = None, **more: Any) -> str:
    """A flow with an output and a backup source, and all of their attributes as outputs."""
    backup = {**SOURCE, "Name": "spare", "IngestPort": 5100, "Description": "spare", "FlowArn": {"Ref": "Flow"}}
    output = {"Name": "primary", "Protocol": "rtp", "Destination": "198.51.100.10", "Port": 5001}
    attributes = {
        "Arn": {"Ref": "Flow"},
        "Zone": {"Fn::GetAtt": ["Flow", "FlowAvailabilityZone"]},
        "Egress": {"Fn::GetAtt": ["Flow", "EgressIp"]},
        "Ingest": {"Fn::GetAtt": ["Flow", "Source.IngestIp"]},
        "IngestPort": {"Fn::GetAtt": ["Flow", "Source.SourceIngestPort"]},
        "SourceArn": {"Fn::GetAtt": ["Flow", "Source.SourceArn"]},
        "BackupArn": {"Fn::GetAtt": ["Backup", "SourceArn"]},
        "BackupIngest": {"Fn::GetAtt": ["Backup", "IngestIp"]},
        "OutputArn": {"Fn::GetAtt": ["Output", "OutputArn"]},
    }
    return json.dumps(
        {
            "Resources": {
                "Flow": {
                    "Type": "AWS::MediaConnect::Flow",
                    "Properties": {"Name": "channel-one", "Source": SOURCE | (source or {}), **more},
                },
                "Backup": {"Type": "AWS::MediaConnect::FlowSource", "Properties": backup},
                "Output": {
                    "Type": "AWS::MediaConnect::FlowOutput",
                    "Properties": {**output, "FlowArn": {"Ref": "Flow"}},
                },
            },
            "Outputs": {name: {"Value": value} for name, value in attributes.items()},
        }
    )


def outputs(region: EmptyRegion) -> dict[str, str]:
    (stack,) = region.client("cloudformation").describe_stacks(StackName="flow")["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def create(region: EmptyRegion, **more: Any) -> dict[str, str]:
    region.client("cloudformation").create_stack(StackName="flow", TemplateBody=template(), **more)
    return outputs(region)


def update(region: EmptyRegion, body: str) -> dict[str, str]:
    region.client("cloudformation").update_stack(StackName="flow", TemplateBody=body)
    return outputs(region)


def flow(region: EmptyRegion, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = region.client("mediaconnect").describe_flow(FlowArn=arn)["Flow"]
    return found


def test_cloudformation_creates_a_flow_in_standby(region: EmptyRegion) -> None:
    """With its source, its output, its backup source, and all attributes."""
    created = create(region)
    arn = created["Arn"]
    assert arn.startswith("arn:aws:mediaconnect:eu-west-1:123456789012:flow:")
    assert arn.endswith(":channel-one")
    assert (created["Zone"], created["Egress"], created["Ingest"], created["IngestPort"], created["BackupIngest"]) == (
        "eu-west-1a", "192.0.2.1", "192.0.2.10", "5000", "192.0.2.11",
    )  # fmt: skip
    found = flow(region, arn)
    assert found["Status"] == "STANDBY"
    assert [output["OutputArn"] for output in found["Outputs"]] == [created["OutputArn"]]
    assert created["BackupArn"] in [source["SourceArn"] for source in found["Sources"]]


def test_change_in_place_keeps_the_flow(region: EmptyRegion) -> None:
    before = create(region)
    after = update(region, template({"WhitelistCidr": "203.0.113.0/24"}))
    assert after["Arn"] == before["Arn"]
    assert flow(region, after["Arn"])["Source"]["WhitelistCidr"] == "203.0.113.0/24"


@pytest.mark.parametrize("change", [{"source": {"Name": "other"}}, {"AvailabilityZone": "eu-west-1b"}])
def test_change_of_a_create_only_property_replaces_the_flow(region: EmptyRegion, change: dict[str, Any]) -> None:
    before = create(region)
    after = update(region, template(**change))
    assert after["Arn"] != before["Arn"]
    with pytest.raises(ClientError, match="NotFound"):
        flow(region, before["Arn"])


def test_stack_policy_prevents_replacement_of_a_flow(region: EmptyRegion) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": ["Update:Replace"], "Resource": "LogicalResourceId/Flow"}
    before = create(region, StackPolicyBody=json.dumps({"Statement": [deny]}))
    after = update(region, template({"Name": "other"}))
    assert after == before
    assert flow(region, before["Arn"])["Source"]["Name"] == "encoder"
    client = region.client("cloudformation")
    assert client.describe_stacks(StackName="flow")["Stacks"][0]["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    reasons = [event.get("ResourceStatusReason", "") for event in client.describe_stack_events(StackName="flow")["StackEvents"]]  # fmt: skip
    assert any("denied by stack policy" in reason for reason in reasons)


def test_running_flow_that_is_replaced_stays_behind(region: EmptyRegion) -> None:
    before = create(region)["Arn"]
    set_flow_status(before, "ACTIVE")
    after = update(region, template({"Name": "other"}))["Arn"]
    listed = region.client("mediaconnect").list_flows()["Flows"]
    assert {item["FlowArn"] for item in listed} == {before, after}


def test_started_flow_passes_through_starting(region: EmptyRegion) -> None:
    arn, client = create(region)["Arn"], region.client("mediaconnect")
    assert client.start_flow(FlowArn=arn)["Status"] == "STARTING"
    assert flow(region, arn)["Status"] == "ACTIVE"
    assert client.stop_flow(FlowArn=arn)["Status"] == "STOPPING"
    assert flow(region, arn)["Status"] == "STANDBY"


@pytest.mark.parametrize("status", ["ACTIVE", "STARTING", "STOPPING", "UPDATING", "ERROR"])
def test_flow_outside_standby_is_not_deleted(region: EmptyRegion, status: str) -> None:
    arn = create(region)["Arn"]
    set_flow_status(arn, status)
    with pytest.raises(ClientError, match=f"BadRequestException.*is {status}; stop it"):
        region.client("mediaconnect").delete_flow(FlowArn=arn)


def test_deletion_of_a_stack_with_a_running_flow_fails(region: EmptyRegion) -> None:
    arn, client = create(region)["Arn"], region.client("cloudformation")
    set_flow_status(arn, "ACTIVE")
    client.delete_stack(StackName="flow")
    (stack,) = client.describe_stacks(StackName="flow")["Stacks"]
    reasons = [event.get("ResourceStatusReason", "") for event in client.describe_stack_events(StackName="flow")["StackEvents"]]  # fmt: skip
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert any("stop it before you delete it" in reason for reason in reasons)
    set_flow_status(arn, "STANDBY")
    client.delete_stack(StackName="flow")
    with pytest.raises(ClientError, match="does not exist"):
        client.describe_stacks(StackName="flow")


def test_deleting_a_running_flow_removes_its_outputs_first(region: EmptyRegion) -> None:
    created, client = create(region), region.client("cloudformation")
    set_flow_status(created["Arn"], "ACTIVE")
    client.delete_stack(StackName="flow")
    left = flow(region, created["Arn"])
    assert (left["Status"], left["Outputs"]) == ("ACTIVE", [])
    assert [source["Name"] for source in left.get("Sources", [])] != ["spare"]
    listed = client.list_stack_resources(StackName="flow")["StackResourceSummaries"]
    assert [item["LogicalResourceId"] for item in listed] == ["Flow"]
    assert outputs(region) == created
    (stack,) = client.describe_stacks(StackName="flow")["Stacks"]
    assert "failed to delete: [Flow]" in stack["StackStatusReason"]
    with pytest.raises(ClientError, match="is in DELETE_FAILED state and can not be updated"):
        update(region, template({"IngestPort": 5002}))


def test_termination_protection_refuses_to_delete_a_stack(region: EmptyRegion) -> None:
    created, client = create(region), region.client("cloudformation")
    client.update_termination_protection(StackName="flow", EnableTerminationProtection=True)
    assert client.describe_stacks(StackName="flow")["Stacks"][0]["EnableTerminationProtection"] is True
    words = r"ValidationError.*Stack \[flow\] cannot be deleted while TerminationProtection is enabled"
    with pytest.raises(ClientError, match=words):
        client.delete_stack(StackName="flow")
    assert len(flow(region, created["Arn"])["Outputs"]) == 1
    client.update_termination_protection(StackName="flow", EnableTerminationProtection=False)
    client.delete_stack(StackName="flow")


def test_stack_policy_does_not_prevent_deletion(region: EmptyRegion) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": ["Update:*"], "Resource": "*"}
    create(region, StackPolicyBody=json.dumps({"Statement": [deny]}))
    region.client("cloudformation").delete_stack(StackName="flow")
    assert region.client("mediaconnect").list_flows()["Flows"] == []


@pytest.mark.parametrize("part", [{}, {"Metadata": {"Protect": True}}, {"Description": "other"}])
def test_update_without_a_changed_resource_is_refused(region: EmptyRegion, part: dict[str, Any]) -> None:
    create(region)
    policy = json.dumps({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "Update:*", "Resource": "*"}]})
    client, body = region.client("cloudformation"), json.dumps(json.loads(template()) | part)
    with pytest.raises(ClientError, match=r"No updates are to be performed\."):
        client.update_stack(StackName="flow", TemplateBody=body, StackPolicyBody=policy)
    assert "StackPolicyBody" not in client.get_stack_policy(StackName="flow")


def test_metadata_of_a_resource_is_an_update(region: EmptyRegion) -> None:
    """The stack policy of the same call is stored."""
    before, client = create(region), region.client("cloudformation")
    policy = json.dumps({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "Update:*", "Resource": "*"}]})
    body = json.loads(template())
    body["Resources"]["Flow"]["Metadata"] = {"Protect": True}
    client.update_stack(StackName="flow", TemplateBody=json.dumps(body), StackPolicyBody=policy)
    assert client.get_stack_policy(StackName="flow")["StackPolicyBody"] == policy
    assert outputs(region) == before


def test_outputs_of_a_replaced_flow_are_replaced(region: EmptyRegion) -> None:
    """The old flow loses them."""
    before = create(region)["Arn"]
    set_flow_status(before, "ACTIVE")
    after = update(region, template({"Name": "other"}))["Arn"]
    assert [output["Name"] for output in flow(region, after)["Outputs"]] == ["primary"]
    assert (flow(region, before)["Status"], flow(region, before)["Outputs"]) == ("ACTIVE", [])


def test_new_alarm_has_no_data_and_changed_alarm_keeps_its_state(region: EmptyRegion) -> None:
    client = region.client("cloudwatch")
    alarm = {
        "AlarmName": "jitter",
        "Namespace": "AWS/MediaConnect",
        "MetricName": "SourceJitter",
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }

    def state() -> str:
        return str(client.describe_alarms(AlarmNames=["jitter"])["MetricAlarms"][0]["StateValue"])

    client.put_metric_alarm(**alarm, Threshold=50)
    assert state() == "INSUFFICIENT_DATA"
    client.set_alarm_state(AlarmName="jitter", StateValue="ALARM", StateReason="test")
    client.put_metric_alarm(**alarm, Threshold=60)
    assert state() == "ALARM"


CODE = """
import json, os, sys, time

def handler(event, context):
    if event.get("do") == "fail":
        raise LookupError("no such flow")
    if event.get("do") == "sleep":
        time.sleep(60)
    if event.get("do") == "exit":
        os._exit(3)
    print("a line for the log")
    return {
        "event": event, "colour": os.environ["COLOUR"], "name": context.function_name,
        "left": context.get_remaining_time_in_millis() <= 3000, "strange": [m for m in sys.modules if m.startswith("moto")],
        "mine": "SECRET_OF_THE_LAPTOP" in os.environ,
    }
"""


def look(region: EmptyRegion, **more: Any) -> Any:
    """Create the function `look`; returns a client of Lambda."""
    region.function("look", "app/main.py", CODE, Timeout=3, Environment={"Variables": {"COLOUR": "green"}}, **more)
    return region.client("lambda")


def test_function_runs_its_zip_in_an_interpreter_of_its_own(
    region: EmptyRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_LAPTOP", "1")
    answer = look(region).invoke(FunctionName="look", Payload=b'{"flow": "a"}')
    assert json.loads(answer["Payload"].read()) == {
        "event": {"flow": "a"}, "colour": "green", "name": "look", "left": True, "strange": [], "mine": False,
    }  # fmt: skip
    assert "FunctionError" not in answer


@pytest.mark.parametrize(
    ("do", "words"),
    [("fail", "no such flow"), ("sleep", "Task timed out after 3.00 seconds"), ("exit", "Runtime exited")],
)
def test_function_that_fails_has_the_error_of_lambda(region: EmptyRegion, do: str, words: str) -> None:
    client, started = look(region), time.monotonic()
    answer = client.invoke(FunctionName="look", Payload=json.dumps({"do": do}).encode())
    assert answer["FunctionError"] == "Unhandled"
    assert words in json.loads(answer["Payload"].read())["errorMessage"]
    assert time.monotonic() - started < 20


def test_settings_of_a_function_are_stored_and_changed(region: EmptyRegion) -> None:
    queue = region.queue("letters")
    logging = {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "WARN", "LogGroup": "/mine"}
    client = look(region, LoggingConfig=logging, DeadLetterConfig={"TargetArn": queue})
    found = client.get_function_configuration(FunctionName="look")
    assert (found["LoggingConfig"], found["DeadLetterConfig"]) == (logging, {"TargetArn": queue})
    client.update_function_configuration(FunctionName="look", LoggingConfig={**logging, "SystemLogLevel": "DEBUG"})
    changed = client.get_function_configuration(FunctionName="look")
    assert changed["LoggingConfig"]["SystemLogLevel"] == "DEBUG"
    assert changed["DeadLetterConfig"] == {"TargetArn": queue}


@pytest.mark.parametrize(
    ("condition", "refused"),
    [
        ({}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"StringNotEquals": {"aws:PrincipalAccount": "123456789012"}}, True),
    ],
)
def test_bucket_policy_counts_only_where_its_condition_holds(
    region: EmptyRegion,
    condition: dict[str, Any],
    refused: bool,  # noqa: FBT001
) -> None:
    client = region.client("s3")
    bucket = f"conditions-{abs(hash(json.dumps(condition))):x}"
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region.name})
    deny: dict[str, Any] = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    if condition:
        deny["Condition"] = condition
    client.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    try:
        if refused:
            with pytest.raises(ClientError, match=r"AccessDenied|Forbidden"):
                client.put_object(Bucket=bucket, Key="a", Body=b"")
        else:
            client.put_object(Bucket=bucket, Key="a", Body=b"")
    finally:
        client.delete_bucket_policy(Bucket=bucket)
        client.delete_object(Bucket=bucket, Key="a")
        client.delete_bucket(Bucket=bucket)


def test_definition_is_validated_without_a_state_machine(region: EmptyRegion) -> None:
    client = region.client("stepfunctions")
    good = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    assert client.validate_state_machine_definition(definition=json.dumps(good))["result"] == "OK"
    answer = client.validate_state_machine_definition(definition='{"States": {}}')
    assert answer["result"] == "FAIL"
    assert answer["diagnostics"][0]["message"]


def test_state_machine_has_no_versions(region: EmptyRegion) -> None:
    arn = region.state_machine()
    answer = region.client("stepfunctions").list_state_machine_versions(stateMachineArn=arn)
    assert answer["stateMachineVersions"] == []


def test_executions_without_a_name_get_different_ones(region: EmptyRegion) -> None:
    arn, client = region.state_machine(), region.client("stepfunctions")
    first, second = (client.start_execution(stateMachineArn=arn)["executionArn"] for _ in range(2))
    assert first != second
    assert "None" not in first


def test_start_of_an_execution_is_text(region: EmptyRegion) -> None:
    text = {"Type": "Pass", "Parameters": {"text.$": "States.Format('at {}', $$.Execution.StartTime)"}, "End": True}
    arn, client = region.state_machine(Text=text), region.client("stepfunctions")
    execution = client.start_execution(stateMachineArn=arn)["executionArn"]
    assert wait_for(execution).status == "SUCCEEDED"
    found = client.describe_execution(executionArn=execution)
    start = json.loads(found["output"])["text"].removeprefix("at ")
    assert start.endswith("Z")
    assert abs(datetime.fromisoformat(start) - found["startDate"]) < timedelta(seconds=1)


def test_retry_waits_a_hundredth_of_its_interval(region: EmptyRegion) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 60, "MaxAttempts": 2, "BackoffRate": 1}]
    look = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Parameters": {"QueueUrl": "http://127.0.0.1:1/gone", "MessageBody": "a"},
        "Retry": retry,
        "End": True,
    }
    arn, started = region.state_machine(Look=look), time.monotonic()
    execution = region.client("stepfunctions").start_execution(stateMachineArn=arn)["executionArn"]
    assert wait_for(execution).status == "FAILED"
    assert 1 < time.monotonic() - started < 30
