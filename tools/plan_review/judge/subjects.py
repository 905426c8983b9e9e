"""What a resource is called in a sentence."""

from typing import Final

from tools.plan_review.plan import Change

NAMES: Final = ("alarm_name", "function_name", "dashboard_name", "bucket", "name", "endpoint", "rule")
"""Attributes that hold the name of a resource."""
WORDS: Final = {
    "aws_cloudwatch_metric_alarm": "alarm {name}",
    "aws_cloudwatch_composite_alarm": "alarm {name}",
    "aws_cloudwatch_event_rule": "rule {name}",
    "aws_cloudwatch_event_target": "the target of rule {name}",
    "aws_cloudwatch_dashboard": "dashboard {name}",
    "aws_cloudwatch_log_group": "log group {name}",
    "aws_cloudformation_stack": "{name}",
    "aws_dynamodb_table": "table {name}",
    "aws_iam_role": "role {name}",
    "aws_kms_alias": "{name}",
    "aws_kms_key": "the key {name}",
    "aws_lambda_function": "function {name}",
    "aws_s3_bucket": "bucket {name}",
    "aws_s3_bucket_lifecycle_configuration": "bucket {name}",
    "aws_s3_bucket_policy": "the policy of bucket {name}",
    "aws_s3_bucket_public_access_block": "bucket {name}",
    "aws_s3_bucket_server_side_encryption_configuration": "bucket {name}",
    "aws_s3_bucket_versioning": "bucket {name}",
    "aws_scheduler_schedule": "the schedule of {name}",
    "aws_scheduler_schedule_group": "schedule group {name}",
    "aws_sfn_state_machine": "state machine {name}",
    "aws_sns_topic": "topic {name}",
    "aws_sqs_queue": "queue {name}",
    "aws_ssm_parameter": "monitoring policy {name}",
}


def subject(change: Change) -> str:
    """A resource by its kind and name, or by its address if it has no name."""
    known = change.before or change.after or {}
    names = (str(known[key]) for key in NAMES if isinstance(known.get(key), str) and not change.is_sensitive(key))
    name = next(names, change.address)
    if change.type == "aws_sns_topic_subscription":
        return f"{known.get('protocol', 'subscriber')} {name}" if name != change.address else name
    if change.type == "aws_iam_role_policy":
        return f"the policy of role {known.get('role', name)}"
    return WORDS.get(change.type, "{name}").format(name=name)
