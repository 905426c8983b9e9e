"""The live impact of a changed attribute: one row per attribute, in one table.

An attribute without a row is still listed by the report. What needs more than two values has a file of its own.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from tools.plan_review.differences import is_empty
from tools.plan_review.findings import Impact, Rank
from tools.plan_review.judge.numbers import number
from tools.plan_review.plan import Change

FOREVER: Final = float("inf")


def _any(_before: Any, _after: Any) -> bool:
    return True


def _is(*values: Any) -> Callable[[Any, Any], bool]:
    return lambda _before, after: after in values


def _was_always(before: Any, _after: Any) -> bool:
    return bool(before == "always")


def _unset(before: Any, after: Any) -> bool:
    return not is_empty(before) and is_empty(after)


def _fell(before: Any, after: Any) -> bool:
    return number(after) < number(before)


def _limited(before: Any, after: Any) -> bool:
    return not number(before) and number(after) > 0  # 0 days: no limit


def _kept_shorter(before: Any, after: Any) -> bool:
    return (number(after) or FOREVER) < (number(before) or FOREVER)


def _rarer(before: Any, after: Any) -> bool:
    return _minutes(after) > _minutes(before)


def _minutes(expression: Any) -> float:
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", str(expression))
    return int(found[1]) * {"minute": 1, "hour": 60, "day": 1440}[found[2]] if found else FOREVER


@dataclass(frozen=True, slots=True)
class Row:
    """The impact of a changed attribute. The first row that fits counts."""

    type: str
    path: str  # of the attribute without list positions, `*` for any part
    fits: Callable[[Any, Any], bool]
    rank: Rank
    sentence: str  # with {what}, {path}, {before}, {after}


ROWS: Final = (
    Row("aws_cloudwatch_metric_alarm", "actions_enabled", _is(False), Rank.NOBODY_NOTIFIED, "the actions of {what} are disabled: nobody is notified when it triggers"),
    Row("aws_cloudwatch_metric_alarm", "metric_name", _any, Rank.UNWATCHED, "{what} checks metric {after} instead of {before}"),
    Row("aws_cloudwatch_metric_alarm", "namespace", _any, Rank.UNWATCHED, "{what} checks metrics of namespace {after} instead of {before}"),
    Row("aws_cloudwatch_metric_alarm", "dimensions*", _any, Rank.UNWATCHED, "{what} checks the metric of {after} instead of {before}"),
    Row("aws_cloudwatch_metric_alarm", "statistic", _any, Rank.UNWATCHED, "{what} uses the statistic {after} instead of {before}"),
    Row("aws_cloudwatch_metric_alarm", "extended_statistic", _any, Rank.UNWATCHED, "{what} uses the statistic {after} instead of {before}"),
    Row("aws_cloudwatch_metric_alarm", "metric_query*", _any, Rank.UNWATCHED, "{what} evaluates {after} instead of {before}"),
    Row("aws_cloudwatch_metric_alarm", "unit", _any, Rank.UNWATCHED, "{what} counts only datapoints with unit {after} instead of {before}"),
    Row("aws_cloudwatch_composite_alarm", "actions_enabled", _is(False), Rank.NOBODY_NOTIFIED, "the actions of {what} are disabled: nobody is notified when it triggers"),
    Row("aws_cloudwatch_composite_alarm", "alarm_rule", _any, Rank.UNWATCHED, "{what} triggers on {after} instead of {before}"),
    Row("aws_cloudwatch_event_rule", "state", _is("DISABLED"), Rank.UNWATCHED, "{what} is disabled: its events no longer start the workflow"),
    Row("aws_cloudwatch_event_rule", "state", _any, Rank.CHANGED, "{what} is {after} instead of {before}"),
    Row("aws_cloudwatch_event_rule", "event_bus_name", _any, Rank.UNWATCHED, "{what} listens on another event bus"),
    Row("aws_cloudwatch_event_target", "arn", _any, Rank.UNWATCHED, "{what} starts {after} instead of {before}"),
    Row("aws_cloudwatch_event_target", "role_arn", _any, Rank.UNWATCHED, "{what} starts the workflow with another role, {after}"),
    Row("aws_cloudwatch_event_target", "dead_letter_config*", _unset, Rank.AT_RISK, "{what} has no dead-letter queue any more: events that cannot be delivered are lost, and nobody is notified"),
    Row("aws_cloudwatch_event_target", "retry_policy*", _fell, Rank.AT_RISK, "{what} retries less often or for less time"),
    Row("aws_cloudwatch_event_target", "input*", _any, Rank.UNWATCHED, "{what} passes other input to the workflow than the whole event"),
    Row("aws_scheduler_schedule", "state", _is("DISABLED"), Rank.UNWATCHED, "{what} is disabled: no scheduled check finds what events and alarms miss"),
    Row("aws_scheduler_schedule", "schedule_expression", _rarer, Rank.AT_RISK, "{what} runs at {after} instead of {before}: what events and alarms miss is found later"),
    Row("aws_scheduler_schedule", "target.arn", _any, Rank.UNWATCHED, "{what} starts {after} instead of {before}"),
    Row("aws_scheduler_schedule", "target.role_arn", _any, Rank.UNWATCHED, "{what} starts the workflow with another role, {after}"),
    Row("aws_scheduler_schedule", "target.input*", _any, Rank.UNWATCHED, "{what} passes other input to the workflow"),
    Row("aws_scheduler_schedule", "target.dead_letter_config*", _unset, Rank.AT_RISK, "{what} has no dead-letter queue any more: checks that cannot be started are lost, and nobody is notified"),
    Row("aws_sns_topic", "kms_master_key_id", _unset, Rank.PROTECTION, "{what} is no longer encrypted"),
    Row("aws_sns_topic", "kms_master_key_id", _any, Rank.NOBODY_NOTIFIED, "{what} is encrypted with another key: nobody is notified by a publisher that may not use it"),
    Row("aws_sns_topic_subscription", "raw_message_delivery", _any, Rank.AT_RISK, "{what} receives messages in another format"),
    Row("aws_sqs_queue", "message_retention_seconds", _fell, Rank.RETENTION, "{what} keeps undelivered events for {after} s instead of {before} s"),
    Row("aws_sqs_queue", "kms_master_key_id", _unset, Rank.PROTECTION, "{what} is no longer encrypted with a KMS key"),
    Row("aws_lambda_function", "reserved_concurrent_executions", _is(0), Rank.UNWATCHED, "{what} can no longer run: its reserved concurrency is 0"),
    Row("aws_lambda_function", "handler", _any, Rank.CODE, "{what} runs handler {after} instead of {before}"),
    Row("aws_lambda_function", "runtime", _any, Rank.CODE, "{what} runs on {after} instead of {before}"),
    Row("aws_lambda_function", "layers*", _any, Rank.CODE, "{what} runs with other layers"),
    Row("aws_lambda_function", "image_uri", _any, Rank.CODE, "{what} runs another image"),
    Row("aws_lambda_function", "environment*", _any, Rank.CODE, "{what} runs with other environment variables"),
    Row("aws_lambda_function", "role", _any, Rank.ACCESS, "{what} runs with another role, {after}"),
    Row("aws_lambda_function", "timeout", _fell, Rank.AT_RISK, "{what} has a timeout of {after} s instead of {before} s"),
    Row("aws_lambda_function", "memory_size", _fell, Rank.AT_RISK, "{what} has {after} MB of memory instead of {before} MB"),
    Row("aws_lambda_function", "tracing_config*", _any, Rank.CHANGED, "tracing of {what} is {after} instead of {before}"),
    Row("aws_sfn_state_machine", "definition*", _any, Rank.CODE, "{what} runs other steps"),
    Row("aws_sfn_state_machine", "role_arn", _any, Rank.ACCESS, "{what} runs with another role, {after}"),
    Row("aws_sfn_state_machine", "logging_configuration.level", _is("OFF", "FATAL", "ERROR"), Rank.RETENTION, "{what} logs only {after} instead of {before}"),
    Row("aws_sfn_state_machine", "logging_configuration*", _unset, Rank.RETENTION, "{what} no longer logs its executions"),
    Row("aws_cloudwatch_log_group", "retention_in_days", _limited, Rank.RETENTION, "{what} keeps logs for {after} days instead of without limit"),
    Row("aws_cloudwatch_log_group", "retention_in_days", _kept_shorter, Rank.RETENTION, "{what} keeps logs for {after} instead of {before} days"),
    Row("aws_cloudwatch_log_group", "kms_key_id", _unset, Rank.PROTECTION, "{what} is no longer encrypted with a KMS key"),
    Row("aws_kms_key", "is_enabled", _is(False), Rank.NOBODY_NOTIFIED, "{what} is disabled: nobody is notified through a topic that is encrypted with it"),
    Row("aws_kms_key", "enable_key_rotation", _is(False, None), Rank.PROTECTION, "{what} is no longer rotated"),
    Row("aws_kms_key", "deletion_window_in_days", _fell, Rank.PROTECTION, "{what} can be recovered for {after} instead of {before} days after its deletion"),
    Row("aws_kms_alias", "target_key_*", _any, Rank.NOBODY_NOTIFIED, "{what} points to another key: nobody is notified by a publisher that may not use it"),
    Row("aws_s3_bucket_public_access_block", "*", _is(False, None), Rank.PROTECTION, "{what} can be made public ({path} is off)"),
    Row("aws_s3_bucket_versioning", "versioning_configuration.status", _is("Suspended", "Disabled", None), Rank.PROTECTION, "{what} no longer keeps old versions"),
    Row("aws_s3_bucket_server_side_encryption_configuration", "rule*", _unset, Rank.PROTECTION, "{what} loses part of its encryption settings"),
    Row("aws_s3_bucket_server_side_encryption_configuration", "rule*.sse_algorithm", _is("AES256"), Rank.PROTECTION, "{what} is encrypted with an S3 managed key instead of a KMS key"),
    Row("aws_s3_bucket_lifecycle_configuration", "rule*days", _limited, Rank.RETENTION, "{what} keeps old versions for {after} days instead of without limit"),
    Row("aws_s3_bucket_lifecycle_configuration", "rule*days", _kept_shorter, Rank.RETENTION, "{what} keeps old versions for {after} instead of {before} days"),
    Row("aws_s3_bucket", "force_destroy", _is(True), Rank.PROTECTION, "{what} can be deleted with everything in it"),
    Row("aws_ssm_parameter", "tags.OnAir", _was_always, Rank.UNWATCHED, "{what}: a stopped flow is no longer an incident (on_air is {after} instead of {before})"),
    Row("aws_ssm_parameter", "tags.OnAir", _any, Rank.CHANGED, "{what}: on_air is {after} instead of {before}, which decides whether a stopped flow is an incident"),
    Row("aws_dynamodb_table", "deletion_protection_enabled", _is(False, None), Rank.PROTECTION, "{what} can be deleted"),
    Row("aws_dynamodb_table", "point_in_time_recovery*", _is(False, None), Rank.PROTECTION, "{what} can no longer be restored to a point in time"),
    Row("aws_dynamodb_table", "server_side_encryption*", _unset, Rank.PROTECTION, "{what} is no longer encrypted with a KMS key"),
    Row("aws_dynamodb_table", "ttl*", _any, Rank.RETENTION, "{what} deletes old entries by other rules ({after} instead of {before})"),
    Row("aws_cloudformation_stack", "policy_body*", _any, Rank.CHANGED, "the stack policy of {what} changes"),
    Row("aws_cloudformation_stack", "on_failure", _any, Rank.CHANGED, "on_failure of {what} is {after} instead of {before}"),
)  # fmt: skip


def impacts(change: Change, what: str) -> Iterator[Impact]:
    """The impact of each attribute of a change that has a row, each sentence once."""
    seen = set()
    for item in change.differences():
        if item.unknown:
            continue  # only listed; where an unknown value matters, a file of its own judges it
        path = re.sub(r"\[\d+\]", "", item.path)
        row = next((row for row in ROWS if _fits(row, change.type, path, item.before, item.after)), None)
        if row is None:
            continue
        sentence = row.sentence.format(what=what, path=path, before=item.shown_before, after=item.shown_after)
        if sentence not in seen:
            seen.add(sentence)
            yield row.rank, sentence


def _fits(row: Row, kind: str, path: str, before: Any, after: Any) -> bool:
    return kind == row.type and fnmatchcase(path, row.path) and row.fits(before, after)
