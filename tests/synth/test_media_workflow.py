"""What the stack deploys, resource by resource, as an operator would be promised it."""

import json
import re
from typing import Any

import pytest

import measures
from components.alarms import SILENT
from components.event_patterns import DETAIL_TYPES, FLOWS_A_RULE
from components.health_rules import health_rules
from components.paths import PROJECT
from report import SCHEMA
from settings import load_environment
from tests.synth.conftest import Synthesized
from tools.operations.preflight import SHARED_RULES
from tools.plan_review.cost import PRICES

ALARM_PREFIX = "arn:${data.aws_partition.partition.partition}:cloudwatch:us-east-1:${data.aws_caller_identity.caller.account_id}:alarm:media-workflow-prod-"


@pytest.mark.parametrize(
    ("tf_type", "properties"),
    [
        ("aws_kms_key", {"enable_key_rotation": True, "deletion_window_in_days": 30}),
        ("aws_kms_alias", {"name": "alias/media-workflow-prod"}),
        ("aws_sns_topic", {"name": "media-workflow-prod-alerts"}),
        ("aws_sns_topic", {"name": "media-workflow-prod-chain"}),
        ("aws_sns_topic_policy", None),
        ("aws_sns_topic_subscription", {"protocol": "sms", "endpoint": "+12025550123", "filter_policy": '{"severity": ["CRITICAL"]}'}),
        ("aws_sns_topic_subscription", {"protocol": "https", "filter_policy": '{"severity": ["CRITICAL", "HIGH"]}'}),
        ("aws_sqs_queue", {"name": "media-workflow-prod-dead-letters", "message_retention_seconds": 1209600}),
        ("aws_sqs_queue_policy", None),
        ("aws_s3_bucket", {"force_destroy": True}),
        ("aws_s3_bucket_versioning", {"versioning_configuration": {"status": "Enabled"}}),
        ("aws_s3_bucket_public_access_block", {"block_public_acls": True, "block_public_policy": True, "ignore_public_acls": True, "restrict_public_buckets": True}),
        ("aws_s3_bucket_ownership_controls", {"rule": {"object_ownership": "BucketOwnerEnforced"}}),
        ("aws_s3_bucket_server_side_encryption_configuration", None),
        ("aws_s3_bucket_lifecycle_configuration", None),
        ("aws_s3_bucket_policy", None),
        ("aws_s3_object", None),
        ("aws_dynamodb_table", {"name": "media-workflow-prod-incidents", "billing_mode": "PAY_PER_REQUEST", "deletion_protection_enabled": True, "point_in_time_recovery": {"enabled": True}, "ttl": {"attribute_name": "expires", "enabled": True}}),
        ("aws_iam_role", {"name": "media-workflow-prod-stream-monitor"}),
        ("aws_iam_role_policy", {"name": "stream-monitor"}),
        ("aws_cloudwatch_log_group", {"name": "/aws/lambda/media-workflow-prod-stream-monitor", "retention_in_days": 90}),
        ("aws_cloudwatch_log_group", {"name": "/aws/vendedlogs/states/media-workflow-prod-workflow", "retention_in_days": 90}),
        ("aws_lambda_function", {"function_name": "media-workflow-prod-stream-monitor", "handler": "stream_monitor.handler.lambda_handler", "runtime": "python3.13", "architectures": ["arm64"], "tracing_config": {"mode": "Active"}}),
        ("aws_lambda_function", {"function_name": "media-workflow-prod-alert-handler", "handler": "alert_handler.handler.lambda_handler"}),
        ("aws_sfn_state_machine", {"name": "media-workflow-prod-workflow", "type": "STANDARD", "tracing_configuration": {"enabled": True}}),
        ("aws_cloudwatch_event_rule", {"name": "media-workflow-prod-alarm-raised"}),
        ("aws_cloudwatch_event_rule", {"name": "media-workflow-prod-presence-unknown"}),
        ("aws_cloudwatch_event_rule", {"name": "media-workflow-prod-events-1"}),
        ("aws_cloudwatch_event_target", {"target_id": "workflow"}),
        ("aws_scheduler_schedule_group", {"name": "media-workflow-prod"}),
        ("aws_scheduler_schedule", {"name": "channel-one", "schedule_expression": "rate(1 minute)"}),
        ("aws_cloudwatch_metric_alarm", {"alarm_name": "media-workflow-prod-channel-one/source-lost", "treat_missing_data": "missing"}),
        ("aws_cloudwatch_dashboard", {"dashboard_name": "media-workflow-prod"}),
        ("aws_ssm_parameter", {"name": "/media-workflow/prod/flows/channel-one/policy".removesuffix("/policy"), "tier": "Intelligent-Tiering"}),
        ("terraform_data", None),
    ],
)  # fmt: skip
def test_prod_deploys(prod: Synthesized, tf_type: str, properties: dict[str, Any] | None) -> None:
    prod.expect(tf_type, properties)


def test_every_deployed_type_has_an_expectation(prod: Synthesized) -> None:
    (mark,) = vars(test_prod_deploys)["pytestmark"]
    assert set(prod.content["resource"]) == {row[0] for row in mark.args[1]}


def test_broken_expectation_shows_what_was_found(dev: Synthesized) -> None:
    with pytest.raises(pytest.fail.Exception, match="media-workflow-dev-alerts"):
        dev.expect("aws_sns_topic", {"name": "other"})


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_each_rule_has_alarm_policy_row_and_graph_line(stacks: dict[str, Synthesized], environment: str) -> None:
    settings = load_environment(environment, root=PROJECT, environ={}, context={})
    stack = stacks[environment]
    body = json.loads(stack.one("aws_cloudwatch_dashboard")["dashboard_body"])
    for flow in settings.flows:
        rules = health_rules(flow, settings.thresholds_of(flow))
        policy = json.loads(
            stack.one("aws_ssm_parameter", name=f"/media-workflow/{environment}/flows/{flow.name}")["value"]
        )
        assert [row["key"] for row in policy["rules"]] == [rule.key for rule in rules]
        assert policy["on_air"] == flow.on_air
        lines = [
            (line["label"], line["value"])
            for widget in body["widgets"]
            if widget["properties"].get("title", "").startswith(f"{flow.name}: ")
            for line in widget["properties"].get("annotations", {}).get("horizontal", [])
        ]
        assert sorted(lines) == sorted((f"{rule.severity} {rule.key}", rule.threshold) for rule in rules)
        prefix = f"media-workflow-{environment}-{flow.name}/"
        alarms = [alarm["alarm_name"] for alarm in stack.all_of("aws_cloudwatch_metric_alarm")]
        kept = [rule for rule in rules if rule.has_alarm]
        assert {name for name in alarms if name.startswith(prefix)} == {
            *(f"{prefix}{rule.key}" for rule in kept),
            f"{prefix}{SILENT}",
        }
        for rule in kept:
            alarm = stack.one(
                "aws_cloudwatch_metric_alarm", alarm_name=f"media-workflow-{environment}-{flow.name}/{rule.key}"
            )
            assert (alarm["metric_name"], alarm["threshold"], alarm["treat_missing_data"]) == (
                rule.metric,
                rule.threshold,
                rule.missing,
            )
            assert alarm["dimensions"].keys() == {"FlowARN"}
            assert "unit" not in alarm
            assert "alarm_actions" not in alarm


def metrics_of(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics that an alarm reads: its own, or those of its queries."""
    return (
        [query["metric"] for query in alarm["metric_query"] if "metric" in query]
        if "metric_query" in alarm
        else [alarm]
    )


def test_self_monitoring_alarms_publish_without_filter(prod: Synthesized) -> None:
    self_monitored = [alarm for alarm in prod.all_of("aws_cloudwatch_metric_alarm") if "-chain-" in alarm["alarm_name"]]
    watched = {(metric["namespace"], metric["metric_name"]) for alarm in self_monitored for metric in metrics_of(alarm)}
    assert watched == {
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/States", "ExecutionsFailed"),
        ("AWS/States", "ExecutionsTimedOut"),
        ("AWS/States", "ExecutionThrottled"),
        ("AWS/Scheduler", "InvocationAttemptCount"),
        ("AWS/Scheduler", "InvocationDroppedCount"),
        ("AWS/Events", "FailedInvocations"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/SNS", "NumberOfNotificationsRedrivenToDlq"),
        ("AWS/SNS", "NumberOfNotificationsFailedToRedriveToDlq"),
        ("MediaWorkflow", "InputsRefused"),  # taken off
    }
    (topic,) = {action for alarm in self_monitored for action in alarm["alarm_actions"]}
    subscriptions = [item for item in prod.all_of("aws_sns_topic_subscription") if item["topic_arn"] == topic]
    assert {item["endpoint"] for item in subscriptions} == {
        "noc@example.com",
        "+12025550123",
        "https://pager.example.com/media-workflow",
    }
    assert not any("filter_policy" in item for item in subscriptions)


def test_event_patterns_name_detail_types(prod: Synthesized) -> None:
    for rule in prod.all_of("aws_cloudwatch_event_rule"):
        pattern = json.loads(rule["event_pattern"])
        assert pattern["detail-type"]
        assert pattern["resources"]
    pattern = json.loads(prod.one("aws_cloudwatch_event_rule", name="media-workflow-prod-events-1")["event_pattern"])
    assert pattern["detail-type"] == list(DETAIL_TYPES)


def test_preflight_counts_the_deployed_rules(prod: Synthesized) -> None:
    flows = len(prod.all_of("aws_scheduler_schedule"))
    assert len(prod.all_of("aws_cloudwatch_event_rule")) == SHARED_RULES + -(-flows // FLOWS_A_RULE)


def test_missing_data_starts_workflow_for_presence_alarms_only(prod: Synthesized) -> None:
    pattern = json.loads(
        prod.one("aws_cloudwatch_event_rule", name="media-workflow-prod-presence-unknown")["event_pattern"]
    )
    assert pattern["detail"] == {"state": {"value": ["INSUFFICIENT_DATA"]}}
    assert pattern["resources"] == [{"wildcard": f"{ALARM_PREFIX}*/{key}"} for key in ("source-lost", SILENT)]


def test_targets_retry_and_have_a_dead_letter_queue(prod: Synthesized) -> None:
    of_rules = [item for item in prod.all_of("aws_cloudwatch_event_target") if item["target_id"] == "workflow"]
    targets = of_rules + [item["target"] for item in prod.all_of("aws_scheduler_schedule")]
    assert len(targets) == 5
    for target in targets:
        assert target["dead_letter_config"]["arn"].startswith("${aws_sqs_queue.")
        assert target["retry_policy"]["maximum_retry_attempts"] > 0


def test_schedule_passes_flow_and_time(prod: Synthesized) -> None:
    given = json.loads(prod.one("aws_scheduler_schedule", name="channel-one")["target"]["input"])
    assert given["kind"] == "schedule"
    assert given["time"] == "<aws.scheduler.scheduled-time>"
    assert given["flow_arn"].endswith(".flow_arn}")


def statements(stack: Synthesized) -> list[dict[str, Any]]:
    return [found for role in stack.all_of("aws_iam_role_policy") for found in json.loads(role["policy"])["Statement"]]


XRAY = {"xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}


def test_traced_roles_have_all_tracing_permissions(prod: Synthesized) -> None:
    traced = {function["role"] for function in prod.all_of("aws_lambda_function")}
    traced |= {
        machine["role_arn"] for machine in prod.all_of("aws_sfn_state_machine") if "tracing_configuration" in machine
    }
    assert len(traced) == 3
    for role in traced:
        (policy,) = [
            found["policy"]
            for found in prod.all_of("aws_iam_role_policy")
            if found["role"] == role.replace(".arn", ".id")
        ]
        allowed = {action for found in json.loads(policy)["Statement"] for action in found["Action"]}
        assert allowed >= XRAY


def test_wildcard_permissions_have_no_resource(prod: Synthesized) -> None:
    everything = {action for found in statements(prod) if found["Resource"] == "*" for action in found["Action"]}
    assert everything == {
        "cloudwatch:GetMetricData",
        *XRAY,
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    }
    assert not any("*" in action for found in statements(prod) for action in found["Action"])


def test_monitor_describes_own_flows_only(prod: Synthesized) -> None:
    (described,) = [found for found in statements(prod) if "mediaconnect:DescribeFlow" in found["Action"]]
    assert described["Action"] == ["mediaconnect:DescribeFlow", "mediaconnect:DescribeFlowSourceMetadata"]
    assert described["Resource"].endswith(":flow:*")
    required = {
        key.removeprefix("aws:ResourceTag/"): tag for key, tag in described["Condition"]["StringEquals"].items()
    }
    assert required == {"Project": "media-workflow", "Environment": "prod"}
    for module in prod.content["module"].values():
        assert required.items() <= module["tags"].items(), "a flow without these tags cannot be checked"


def test_heartbeat_alarm_waits_three_intervals(
    prod: Synthesized,
) -> None:
    alarm = prod.one("aws_cloudwatch_metric_alarm", alarm_name="media-workflow-prod-chain-no-scheduled-checks")
    # Four minutes more, because its datapoints may be late as well.
    assert (alarm["period"], alarm["evaluation_periods"], alarm["datapoints_to_alarm"]) == (60, 7, 3)
    assert alarm["dimensions"].keys() == {"ScheduleGroup"}
    # Without data, as when schedules stop, it goes to INSUFFICIENT_DATA, which notifies; a new alarm starts there silently.
    assert alarm["treat_missing_data"] == "missing"
    assert alarm["insufficient_data_actions"] == alarm["alarm_actions"]


def test_only_alert_handler_changes_encrypted_incidents(prod: Synthesized) -> None:
    encryption = prod.one("aws_dynamodb_table")["server_side_encryption"]
    assert encryption["kms_key_arn"].startswith("${aws_kms_key.")
    (allowed,) = [found for found in statements(prod) if any("dynamodb" in action for action in found["Action"])]
    assert allowed["Action"] == ["dynamodb:GetItem", "dynamodb:PutItem"]
    assert allowed["Resource"].startswith("${aws_dynamodb_table.")
    role = next(role for role in prod.all_of("aws_iam_role_policy") if "dynamodb" in role["policy"])
    assert role["name"] == "alert-handler"


def test_incident_policy_is_in_the_monitoring_policy(prod: Synthesized) -> None:
    policy = json.loads(prod.one("aws_ssm_parameter", name="/media-workflow/prod/flows/channel-one")["value"])
    assert policy["schema"] == SCHEMA
    assert policy["incident_policy"] == {
        "reminder_minutes": 30,
        "recovery_checks": 2,
        "settling_minutes": 3,
        "incident_history_days": 90,
    }


def test_functions_and_policies_are_updated_readers_first(prod: Synthesized) -> None:
    """Each reads what the next one writes, and knows older schemas but no newer ones."""
    functions = prod.content["resource"]["aws_lambda_function"]
    addresses = {
        item["function_name"].rpartition("-prod-")[2]: f"aws_lambda_function.{key}" for key, item in functions.items()
    }
    (monitor,) = [item for item in functions.values() if item["function_name"].endswith("stream-monitor")]
    assert addresses["alert-handler"] in monitor["depends_on"]
    assert {tuple(item["depends_on"]) for item in prod.all_of("aws_ssm_parameter")} == {(addresses["stream-monitor"],)}


def test_dashboard_shows_what_the_functions_count(prod: Synthesized) -> None:
    body = json.loads(prod.one("aws_cloudwatch_dashboard")["dashboard_body"])
    drawn = [metric for widget in body["widgets"] for metric in widget["properties"].get("metrics", [])]
    ours = [metric for metric in drawn if metric[0] == measures.NAMESPACE]
    assert ours == [[measures.NAMESPACE, name, measures.DIMENSION, "prod"] for name in measures.METRICS]


def test_each_function_has_its_own_role(prod: Synthesized) -> None:
    roles = [function["role"] for function in prod.all_of("aws_lambda_function")]
    assert len(set(roles)) == len(roles) == 2


@pytest.mark.parametrize("service", ["states.amazonaws.com", "events.amazonaws.com", "scheduler.amazonaws.com"])
def test_services_assume_roles_for_own_account_only(prod: Synthesized, service: str) -> None:
    trusts = [json.loads(role["assume_role_policy"])["Statement"][0] for role in prod.all_of("aws_iam_role")]
    found = [trust for trust in trusts if trust["Principal"]["Service"] == service]
    assert found
    assert all("aws:SourceAccount" in trust["Condition"]["StringEquals"] for trust in found)


def test_self_monitoring_works_without_the_key(prod: Synthesized) -> None:
    keys = {topic["name"]: topic.get("kms_master_key_id") for topic in prod.all_of("aws_sns_topic")}
    assert keys.pop("media-workflow-prod-chain") is None
    (alerts,) = keys.values()
    assert str(alerts).startswith("${aws_kms_key.")
    for queue in prod.all_of("aws_sqs_queue"):
        assert (queue.get("kms_master_key_id"), queue["sqs_managed_sse_enabled"]) == (None, True)
    (blind,) = {
        json.loads(machine["definition"])["States"]["MonitorBlind"]["Parameters"]["TopicArn"]
        for machine in prod.all_of("aws_sfn_state_machine")
        if "MonitorBlind" in machine["definition"]
    }
    (alarmed,) = {
        action for alarm in prod.all_of("aws_cloudwatch_metric_alarm") for action in alarm.get("alarm_actions", [])
    }
    assert blind == alarmed
    services = [
        statement["Principal"].get("Service", "")
        for statement in json.loads(prod.one("aws_kms_key")["policy"])["Statement"]
    ]
    assert services == ["", "logs.us-east-1.${data.aws_partition.partition.dns_suffix}"]


def test_undelivered_messages_are_kept_and_counted_once(prod: Synthesized) -> None:
    """NumberOfNotificationsFailed counts each attempt on an https endpoint, also those that a retry delivers."""
    queue = "media-workflow-prod-undelivered"
    assert prod.one("aws_sqs_queue", name=queue)["message_retention_seconds"] == 1209600
    for subscription in prod.all_of("aws_sns_topic_subscription"):
        assert (
            "aws_sqs_queue.notifications_undelivered"
            in json.loads(subscription["redrive_policy"])["deadLetterTargetArn"]
        )
    for part in ("alerts", "chain"):
        alarm = prod.one(
            "aws_cloudwatch_metric_alarm", alarm_name=f"media-workflow-prod-chain-deliveries-of-{part}-failed"
        )
        assert alarm["metric_name"] == "NumberOfNotificationsRedrivenToDlq"
        assert queue in alarm["alarm_description"] or "undelivered" in alarm["alarm_description"]


def test_dead_letter_alarm_keeps_state_without_data(prod: Synthesized) -> None:
    alarm = prod.one("aws_cloudwatch_metric_alarm", alarm_name="media-workflow-prod-chain-dead-letters")
    assert alarm["treat_missing_data"] == "ignore"


def test_readme_has_the_costs_of_self_monitoring(prod: Synthesized) -> None:
    self_monitored = [alarm for alarm in prod.all_of("aws_cloudwatch_metric_alarm") if "-chain-" in alarm["alarm_name"]]
    metrics = sum(len(metrics_of(alarm)) for alarm in self_monitored)
    dollars = f"{metrics * PRICES['alarm'].dollars:.2f}"
    words = f"{dollars} a month for its {len(self_monitored)} alarms, which read {metrics} metrics"
    assert words in (PROJECT / "README.md").read_text(encoding="utf-8")
    on_scale = " ".join((PROJECT / "docs" / "scale.md").read_text(encoding="utf-8").split())
    assert f"{dollars} for its self-monitoring alarms" in on_scale
    assert f"about {PRICES['flow'].dollars:.0f} a month" in (PROJECT / "README.md").read_text(encoding="utf-8")


def test_second_path_takes_self_monitoring_alarms_only(prod: Synthesized) -> None:
    pattern = json.loads(
        prod.one("aws_cloudwatch_event_rule", name="media-workflow-prod-self-monitoring")["event_pattern"]
    )
    assert pattern["resources"] == [{"prefix": f"{ALARM_PREFIX}chain-"}]
    assert pattern["detail"]["state"] == {"value": ["ALARM", "INSUFFICIENT_DATA"]}
    namespaces = {
        metric["namespace"]
        for alarm in prod.all_of("aws_cloudwatch_metric_alarm")
        if "-chain-" in alarm["alarm_name"]
        for metric in metrics_of(alarm)
    }
    (excluded,) = pattern["detail"]["configuration"]["metrics"]["metricStat"]["metric"]["namespace"][0]["anything-but"]
    assert excluded == "AWS/MediaConnect"
    assert excluded not in namespaces


def test_code_bucket_requires_tls(prod: Synthesized) -> None:
    (deny,) = json.loads(prod.one("aws_s3_bucket_policy")["policy"])["Statement"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_code_object_is_named_by_its_hash(prod: Synthesized) -> None:
    key = prod.one("aws_s3_object")["key"]
    assert re.fullmatch("functions/[0-9a-f]{64}.zip", key)
    assert all(len(function["source_code_hash"]) == 44 for function in prod.all_of("aws_lambda_function"))


def test_plan_fails_in_another_workspace(prod: Synthesized) -> None:
    (guard,) = prod.one("terraform_data")["lifecycle"]["precondition"]
    assert guard["condition"] == '${terraform.workspace == "prod"}'
    assert "TF_WORKSPACE=prod" in guard["error_message"]


def test_state_is_in_s3_with_lock_file_and_workspace(prod: Synthesized) -> None:
    assert prod.content["terraform"]["backend"]["s3"] == {
        "bucket": "media-workflow-state-123456789012-us-east-1",
        "key": "media-workflow.tfstate",
        "workspace_key_prefix": "media-workflow",
        "region": "us-east-1",
        "encrypt": True,
        "use_lockfile": True,
        "allowed_account_ids": ["123456789012"],
    }


def test_only_allowed_account_can_be_changed(prod: Synthesized) -> None:
    (provider,) = prod.content["provider"]["aws"]
    assert provider["allowed_account_ids"] == ["123456789012"]
    assert provider["default_tags"][0]["tags"]["Environment"] == "prod"


def test_trial_has_local_state_and_any_account(
    stacks: dict[str, Synthesized],
) -> None:
    trial = stacks["trial"].content
    assert trial["terraform"]["backend"] == {
        "local": {"path": "../../../media-workflow.tfstate", "workspace_dir": "../../../media-workflow.tfstate.d"}
    }
    assert "allowed_account_ids" not in trial["provider"]["aws"][0]
    assert trial["terraform"]["required_version"] == ">= 1.10"


@pytest.mark.parametrize(
    "name",
    [
        "flow_arns",
        "ingest",
        "state_machine_arn",
        "topic_arn",
        "dead_letters_url",
        "incidents_table",
        "dashboard_url",
        "stream_monitor_arn",
        "alert_handler_arn",
    ],
)
def test_outputs_are_complete(prod: Synthesized, name: str) -> None:
    assert prod.content["output"][name]["description"]
    if name in {"flow_arns", "ingest"}:
        assert set(prod.content["output"][name]["value"]) == {"channel-one", "remote-venue"}


def test_both_sources_have_an_ingest_address(prod: Synthesized) -> None:
    ingest = prod.content["output"]["ingest"]["value"]
    assert set(ingest["channel-one"]) == {"address", "port"}
    assert set(ingest["remote-venue"]) == {"address", "port", "backup"}
    assert re.search(r"\.backup_ingest_ip\}", ingest["remote-venue"]["backup"]["address"])
    assert re.search(r"\.backup_ingest_port\}", ingest["remote-venue"]["backup"]["port"])


@pytest.mark.parametrize(
    ("text", "outputs"),
    [
        ("README.md", None),
        ("docs/adopt.md", None),
        ("modules/mediaconnect_flow/README.md", "modules/mediaconnect_flow/examples/plain/main.tf"),
    ],
)
def test_texts_name_existing_outputs(prod: Synthesized, text: str, outputs: str | None) -> None:
    named = set(re.findall(r"terraform output (?:-\w+\s+)*(\w+)", (PROJECT / text).read_text(encoding="utf-8")))
    there = set(prod.content["output"])
    if outputs:
        there = set(re.findall(r'^output "(\w+)"', (PROJECT / outputs).read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= there


@pytest.mark.parametrize(("environment", "protected"), [("dev", False), ("prod", True)])
def test_flows_are_protected_where_configured(
    stacks: dict[str, Synthesized],
    environment: str,
    protected: bool,  # noqa: FBT001
) -> None:
    assert {module["protect"] for module in stacks[environment].content["module"].values()} == {protected}


def test_state_bucket_is_private_versioned_and_protected(
    stacks: dict[str, Synthesized],
) -> None:
    state = stacks["state-backend"]
    bucket = state.one("aws_s3_bucket", bucket="media-workflow-state-123456789012-us-east-1")
    assert bucket["lifecycle"]["prevent_destroy"] is True
    assert bucket["force_destroy"] is False
    state.expect("aws_s3_bucket_versioning", {"versioning_configuration": {"status": "Enabled"}})
    state.expect("aws_s3_bucket_public_access_block", {"restrict_public_buckets": True})
    assert "TlsOnly" in state.one("aws_s3_bucket_policy")["policy"]
    assert state.content["terraform"]["backend"]["local"]["path"].endswith("-us-east-1.tfstate")
