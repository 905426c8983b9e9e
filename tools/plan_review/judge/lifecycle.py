"""The live impact of a resource that is created, removed or replaced: one row per resource type."""

from collections.abc import Iterator, Mapping
from typing import Final

from tools.plan_review.differences import KNOWN_AFTER_APPLY
from tools.plan_review.findings import Impact, Rank
from tools.plan_review.plan import Change

REMOVED: Final[Mapping[str, Impact]] = {
    "aws_cloudwatch_metric_alarm": (Rank.UNWATCHED, "{what} is removed and no longer triggers"),
    "aws_cloudwatch_composite_alarm": (Rank.UNWATCHED, "{what} is removed and no longer triggers"),
    "aws_cloudwatch_event_rule": (Rank.UNWATCHED, "{what} is removed: its events no longer start the workflow"),
    "aws_cloudwatch_event_target": (Rank.UNWATCHED, "{what} is removed: the rule starts nothing"),
    "aws_scheduler_schedule": (
        Rank.UNWATCHED,
        "{what} is removed: no scheduled check finds what events and alarms miss",
    ),
    "aws_scheduler_schedule_group": (Rank.UNWATCHED, "{what} is removed with its schedules: no scheduled check runs"),
    "aws_sfn_state_machine": (Rank.UNWATCHED, "{what} is removed: no stream is checked"),
    "aws_lambda_function": (Rank.UNWATCHED, "{what} is removed: the workflow fails without it"),
    "aws_ssm_parameter": (Rank.UNWATCHED, "{what} is removed: the monitor has no rules for the flow"),
    "aws_dynamodb_table": (Rank.NOBODY_NOTIFIED, "{what} is removed: open incidents are lost"),
    "aws_sns_topic": (Rank.NOBODY_NOTIFIED, "{what} is removed: nobody is notified through it"),
    "aws_sns_topic_subscription": (Rank.AT_RISK, "{what} is no longer notified"),
    "aws_kms_key": (
        Rank.NOBODY_NOTIFIED,
        "{what} is deleted: topics encrypted with it notify nobody, and data encrypted with it is lost",
    ),
    "aws_kms_alias": (Rank.CHANGED, "{what} is removed"),
    "aws_sqs_queue": (Rank.AT_RISK, "{what} is removed: undelivered events are lost"),
    "aws_cloudwatch_log_group": (Rank.RETENTION, "{what} is deleted with all its logs"),
    "aws_s3_bucket": (Rank.RETENTION, "{what} is deleted"),
    "aws_s3_bucket_public_access_block": (Rank.PROTECTION, "{what} can be made public"),
    "aws_s3_bucket_versioning": (Rank.PROTECTION, "{what} no longer keeps old versions"),
    "aws_s3_bucket_server_side_encryption_configuration": (Rank.PROTECTION, "{what} loses its encryption settings"),
    "aws_s3_bucket_lifecycle_configuration": (Rank.CHANGED, "{what} no longer deletes old versions"),
    "aws_cloudwatch_dashboard": (Rank.CHANGED, "{what} is removed"),
    "aws_lambda_permission": (Rank.UNWATCHED, "{what} is removed: a service can no longer call the function"),
}
"""The impact when a resource is removed and nothing replaces it."""
REPLACED: Final[Mapping[str, Impact]] = {
    "aws_sfn_state_machine": (Rank.AT_RISK, "{what} is replaced: running executions and the history are lost"),
    "aws_sns_topic": (Rank.AT_RISK, "{what} is replaced by a new one"),
    "aws_kms_key": (
        Rank.PROTECTION,
        "{what} is replaced: data encrypted with the old key can be read only until that key is deleted",
    ),
    "aws_cloudwatch_log_group": (Rank.RETENTION, "{what} is replaced: its logs are deleted"),
    "aws_dynamodb_table": (Rank.AT_RISK, "{what} is replaced: open incidents are lost"),
    "aws_sqs_queue": (Rank.AT_RISK, "{what} is replaced: the messages in it are lost"),
    "aws_cloudwatch_metric_alarm": (Rank.CHANGED, "{what} is replaced by a new one, which starts without data"),
}
"""The impact when a resource is replaced, beside that of its attributes."""


def created(change: Change, what: str) -> Iterator[Impact]:
    """The impact of a new resource."""
    after = change.after or {}
    if change.type == "aws_lambda_permission":
        yield Rank.ACCESS, f"{what} lets {after.get('principal')} call a function"
    if change.type.endswith("_policy_attachment"):
        yield Rank.ACCESS, f"{change.address} attaches the policy {after.get('policy_arn', KNOWN_AFTER_APPLY)}"
    if change.type == "aws_sns_topic_subscription":
        yield Rank.CHANGED, f"{what} is notified from now on"


def removed(change: Change, what: str) -> Iterator[Impact]:
    """The impact of a resource that nothing replaces."""
    yield from _in_table(REMOVED, change, what)


def replaced(change: Change, what: str) -> Iterator[Impact]:
    """The impact of a replacement, beside that of the attributes."""
    if change.action == "replace":
        yield from _in_table(REPLACED, change, what)


def _in_table(table: Mapping[str, Impact], change: Change, what: str) -> Iterator[Impact]:
    if change.type in table:
        rank, sentence = table[change.type]
        yield rank, sentence.format(what=what)
