"""What a change of a Terraform attribute means for the watching of a stream: one table, and the few that need code.

An attribute that no row names is still listed by the report. The flow itself is judged in `tools.plan_review.template`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from tools.plan_review import permissions
from tools.plan_review.findings import Rank
from tools.plan_review.plan import Change, parsed

Meaning = tuple[Rank, str]
FOREVER: Final = float("inf")
NO_LONGER_DENIED: Final = " (no longer denied)"
NOW_DENIED: Final = " (now denied)"
STRICTNESS: Final = {"notBreaching": 0, "ignore": 1, "missing": 2, "breaching": 3}
DOCUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "aws_iam_role": ("assume_role_policy",),
    "aws_iam_role_policy": ("policy",),
    "aws_iam_policy": ("policy",),
    "aws_kms_key": ("policy",),
    "aws_s3_bucket_policy": ("policy",),
    "aws_sns_topic_policy": ("policy",),
    "aws_sqs_queue_policy": ("policy",),
}
"""Attributes that hold a policy document."""
NEEDED: Final = (
    ("secretsmanager:*", Rank.OFF_AIR, "an encrypted flow cannot read its key without it"),
    ("sns:Publish", Rank.NOBODY_TOLD, "nobody is notified without it"),
    ("kms:*", Rank.NOBODY_TOLD, "nobody is notified through an encrypted topic without it"),
    ("lambda:InvokeFunction", Rank.UNWATCHED, "the workflow cannot run its functions without it"),
    ("states:StartExecution", Rank.UNWATCHED, "the workflow does not start without it"),
    ("mediaconnect:*", Rank.UNWATCHED, "the monitor cannot check the flow without it"),
    ("cloudwatch:GetMetric*", Rank.UNWATCHED, "the monitor cannot read metrics without it"),
    ("ssm:GetParameter*", Rank.UNWATCHED, "the monitor cannot read its rules without it"),
    ("dynamodb:*", Rank.UNWATCHED, "incidents cannot be stored without it"),
    ("sts:AssumeRole", Rank.UNWATCHED, "the service cannot use this role without it"),
)
"""Permissions without which a stream is not watched: action, what it means to lose it, and why."""


def _any(_before: Any, _after: Any) -> bool:
    return True


def _is(*values: Any) -> Callable[[Any, Any], bool]:
    return lambda _before, after: after in values


def _went(before: Any, after: Any) -> bool:
    return before not in (None, "", [], {}) and after in (None, "", [], {})


def _fell(before: Any, after: Any) -> bool:
    return _number(after) < _number(before)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0


def _kept_shorter(before: Any, after: Any) -> bool:
    return (_number(after) or FOREVER) < (_number(before) or FOREVER)  # 0 days means for ever


def _rarer(before: Any, after: Any) -> bool:
    return _minutes(after) > _minutes(before)


def _minutes(expression: Any) -> float:
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", str(expression))
    return int(found[1]) * {"minute": 1, "hour": 60, "day": 1440}[found[2]] if found else FOREVER


@dataclass(frozen=True, slots=True)
class Row:
    """What a change of an attribute means. The first row that fits speaks."""

    type: str
    path: str  # of the attribute, list positions left out, `*` for any part
    fits: Callable[[Any, Any], bool]
    rank: Rank
    words: str  # of {what}, {before}, {after}


ROWS: Final = (
    Row("aws_cloudwatch_metric_alarm", "actions_enabled", _is(False), Rank.NOBODY_TOLD, "the actions of {what} are disabled: nobody is notified when it triggers"),
    Row("aws_cloudwatch_metric_alarm", "metric_name", _any, Rank.UNWATCHED, "{what} checks metric {after} instead of {before}"),
    Row("aws_cloudwatch_metric_alarm", "namespace", _any, Rank.UNWATCHED, "{what} checks metrics of namespace {after} instead of {before}"),
    Row("aws_cloudwatch_metric_alarm", "dimensions*", _any, Rank.UNWATCHED, "{what} checks the metric of {after} instead of {before}"),
    Row("aws_cloudwatch_metric_alarm", "statistic", _any, Rank.UNWATCHED, "{what} uses the statistic {after} instead of {before}"),
    Row("aws_cloudwatch_metric_alarm", "extended_statistic", _any, Rank.UNWATCHED, "{what} uses the statistic {after} instead of {before}"),
    Row("aws_cloudwatch_metric_alarm", "metric_query*", _any, Rank.UNWATCHED, "{what} evaluates {after} instead of {before}"),
    Row("aws_cloudwatch_metric_alarm", "unit", _any, Rank.UNWATCHED, "{what} counts only datapoints with unit {after} instead of {before}"),
    Row("aws_cloudwatch_composite_alarm", "actions_enabled", _is(False), Rank.NOBODY_TOLD, "the actions of {what} are disabled: nobody is notified when it triggers"),
    Row("aws_cloudwatch_composite_alarm", "alarm_rule", _any, Rank.UNWATCHED, "{what} triggers on {after} instead of {before}"),
    Row("aws_cloudwatch_event_rule", "state", _is("DISABLED"), Rank.UNWATCHED, "{what} is disabled: its events no longer start the workflow"),
    Row("aws_cloudwatch_event_rule", "state", _any, Rank.CHANGED, "{what} is {after} instead of {before}"),
    Row("aws_cloudwatch_event_rule", "event_bus_name", _any, Rank.UNWATCHED, "{what} listens on another event bus"),
    Row("aws_cloudwatch_event_target", "arn", _any, Rank.UNWATCHED, "{what} starts {after} instead of {before}"),
    Row("aws_cloudwatch_event_target", "role_arn", _any, Rank.UNWATCHED, "{what} starts the workflow with another role, {after}"),
    Row("aws_cloudwatch_event_target", "dead_letter_config*", _went, Rank.AT_RISK, "{what} has no dead-letter queue any more: events that cannot be delivered are lost, and nobody is notified"),
    Row("aws_cloudwatch_event_target", "retry_policy*", _fell, Rank.AT_RISK, "{what} retries less often or for less time"),
    Row("aws_cloudwatch_event_target", "input*", _any, Rank.UNWATCHED, "{what} passes other input to the workflow than the whole event"),
    Row("aws_scheduler_schedule", "state", _is("DISABLED"), Rank.UNWATCHED, "{what} is disabled: no scheduled check finds what events and alarms miss"),
    Row("aws_scheduler_schedule", "schedule_expression", _rarer, Rank.AT_RISK, "{what} runs at {after} instead of {before}: what events and alarms miss is found later"),
    Row("aws_scheduler_schedule", "target.arn", _any, Rank.UNWATCHED, "{what} starts {after} instead of {before}"),
    Row("aws_scheduler_schedule", "target.role_arn", _any, Rank.UNWATCHED, "{what} starts the workflow with another role, {after}"),
    Row("aws_scheduler_schedule", "target.input*", _any, Rank.UNWATCHED, "{what} passes other input to the workflow"),
    Row("aws_scheduler_schedule", "target.dead_letter_config*", _went, Rank.AT_RISK, "{what} has no dead-letter queue any more: checks that cannot be started are lost, and nobody is notified"),
    Row("aws_sns_topic", "kms_master_key_id", _went, Rank.PROTECTION, "{what} is no longer encrypted"),
    Row("aws_sns_topic", "kms_master_key_id", _any, Rank.NOBODY_TOLD, "{what} is encrypted with another key: nobody is notified by a publisher that may not use it"),
    Row("aws_sns_topic_subscription", "raw_message_delivery", _any, Rank.AT_RISK, "{what} receives messages in another format"),
    Row("aws_sqs_queue", "message_retention_seconds", _fell, Rank.RETENTION, "{what} keeps undelivered events for {after} s instead of {before} s"),
    Row("aws_sqs_queue", "kms_master_key_id", _went, Rank.PROTECTION, "{what} is no longer encrypted with a KMS key"),
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
    Row("aws_sfn_state_machine", "logging_configuration*", _went, Rank.RETENTION, "{what} no longer logs its executions"),
    Row("aws_cloudwatch_log_group", "retention_in_days", _kept_shorter, Rank.RETENTION, "{what} keeps logs for {after} instead of {before} days"),
    Row("aws_cloudwatch_log_group", "kms_key_id", _went, Rank.PROTECTION, "{what} is no longer encrypted with a KMS key"),
    Row("aws_cloudwatch_event_archive", "retention_days", _kept_shorter, Rank.RETENTION, "{what} keeps events for {after} instead of {before} days"),
    Row("aws_kms_key", "is_enabled", _is(False), Rank.NOBODY_TOLD, "{what} is disabled: nobody is notified through a topic that is encrypted with it"),
    Row("aws_kms_key", "enable_key_rotation", _is(False, None), Rank.PROTECTION, "{what} is no longer rotated"),
    Row("aws_kms_key", "deletion_window_in_days", _fell, Rank.PROTECTION, "{what} can be recovered for {after} instead of {before} days after its deletion"),
    Row("aws_kms_alias", "target_key_*", _any, Rank.NOBODY_TOLD, "{what} points to another key: nobody is notified by a publisher that may not use it"),
    Row("aws_s3_bucket_public_access_block", "*", _is(False, None), Rank.PROTECTION, "{what} can be made public ({path} is off)"),
    Row("aws_s3_bucket_versioning", "versioning_configuration.status", _is("Suspended", "Disabled", None), Rank.PROTECTION, "{what} no longer keeps old versions"),
    Row("aws_s3_bucket_server_side_encryption_configuration", "rule*", _went, Rank.PROTECTION, "{what} loses part of its encryption settings"),
    Row("aws_s3_bucket_server_side_encryption_configuration", "rule*.sse_algorithm", _is("AES256"), Rank.PROTECTION, "{what} is encrypted with an S3 managed key instead of a KMS key"),
    Row("aws_s3_bucket_lifecycle_configuration", "rule*days", _kept_shorter, Rank.RETENTION, "{what} keeps old versions for {after} instead of {before} days"),
    Row("aws_s3_bucket", "force_destroy", _is(True), Rank.PROTECTION, "{what} can be deleted with everything in it"),
    Row("aws_ssm_parameter", "tags.OnAir", lambda before, _: before == "always", Rank.UNWATCHED, "{what}: a stopped flow is no longer an incident (on_air is {after} instead of {before})"),
    Row("aws_ssm_parameter", "tags.OnAir", _any, Rank.CHANGED, "{what}: on_air is {after} instead of {before}, which decides whether a stopped flow is an incident"),
    Row("aws_dynamodb_table", "deletion_protection_enabled", _is(False, None), Rank.PROTECTION, "{what} can be deleted"),
    Row("aws_dynamodb_table", "point_in_time_recovery*", _is(False, None), Rank.PROTECTION, "{what} can no longer be restored to a point in time"),
    Row("aws_dynamodb_table", "server_side_encryption*", _went, Rank.PROTECTION, "{what} is no longer encrypted with a KMS key"),
    Row("aws_dynamodb_table", "ttl*", _any, Rank.RETENTION, "{what} deletes old entries by other rules ({after} instead of {before})"),
    Row("aws_cloudformation_stack", "policy_body*", _any, Rank.CHANGED, "the stack policy of {what} changes"),
    Row("aws_cloudformation_stack", "on_failure", _any, Rank.CHANGED, "on_failure of {what} is {after} instead of {before}"),
)  # fmt: skip

REMOVED: Final[Mapping[str, Meaning]] = {
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
    "aws_dynamodb_table": (Rank.NOBODY_TOLD, "{what} is removed: open incidents are lost"),
    "aws_sns_topic": (Rank.NOBODY_TOLD, "{what} is removed: nobody is notified through it"),
    "aws_sns_topic_subscription": (Rank.AT_RISK, "{what} is no longer notified"),
    "aws_kms_key": (
        Rank.NOBODY_TOLD,
        "{what} is deleted: what it encrypts cannot be read, and nobody is notified through a topic that is encrypted with it",
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
"""What it means when a resource goes and nothing comes in its place."""
REPLACED: Final[Mapping[str, Meaning]] = {
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
"""What it means when a new resource comes in the place of the old one, beside what its attributes mean."""


def meanings(change: Change, *, flows: str = "") -> Iterator[Meaning]:
    """What a change of anything but a flow's template means; nothing for what is only listed.

    Args:
        change: of one resource.
        flows: the templates of all flows as they will be, to see whether one still needs what is taken away.
    """
    what = subject(change)
    if change.action == "forget":
        yield Rank.CHANGED, f"{what} stays as it is, but Terraform no longer manages it"
        return
    if change.gone:
        yield from _permissions(change, what, flows)
        if change.type in REMOVED:
            rank, words = REMOVED[change.type]
            yield rank, words.format(what=what)
        return
    if change.before is None:
        yield from _created(change, what)
        return
    if change.action == "replace" and change.type in REPLACED:
        rank, words = REPLACED[change.type]
        yield rank, words.format(what=what)
    if change.type == "aws_cloudwatch_metric_alarm":
        yield from _alarm(change, what)
    if change.type == "aws_ssm_parameter":
        yield from _policy_of_flow(change, what)
    if change.type == "aws_cloudwatch_event_rule":
        yield from _event_rule(change, what)
    if change.type == "aws_cloudformation_stack":
        yield from _stack_policy(change, what)
    yield from _permissions(change, what, flows)
    yield from _by_table(change, what)


def subject(change: Change) -> str:
    """A resource as a person calls it."""
    known = change.before or change.after or {}
    name = next(
        (
            str(known[key])
            for key in ("alarm_name", "function_name", "dashboard_name", "bucket", "name", "endpoint", "rule")
            if isinstance(known.get(key), str) and not change.is_sensitive(key)
        ),
        change.address,
    )
    if change.type == "aws_sns_topic_subscription":
        return f"{known.get('protocol', 'subscriber')} {name}" if name != change.address else name
    if change.type == "aws_iam_role_policy":
        return f"the policy of role {known.get('role', name)}"
    return WORDS.get(change.type, "{name}").format(name=name)


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


def _by_table(change: Change, what: str) -> Iterator[Meaning]:
    told = set()
    for leaf in change.leaves():
        if leaf.unknown:
            continue  # what will be is not known: listed, and judged only where that matters
        plain = re.sub(r"\[\d+\]", "", leaf.path)
        for row in ROWS:
            if change.type == row.type and fnmatchcase(plain, row.path) and row.fits(leaf.before, leaf.after):
                words = row.words.format(what=what, path=plain, before=leaf.shown_before, after=leaf.shown_after)
                if words not in told:
                    told.add(words)
                    yield row.rank, words
                break


def _created(change: Change, what: str) -> Iterator[Meaning]:
    if change.type == "aws_lambda_permission":
        yield Rank.ACCESS, f"{what} lets {(change.after or {}).get('principal')} call a function"
    if change.type.endswith("_policy_attachment"):
        yield (
            Rank.ACCESS,
            f"{change.address} attaches the policy {(change.after or {}).get('policy_arn', '(known after apply)')}",
        )
    if change.type == "aws_sns_topic_subscription":
        yield Rank.CHANGED, f"{what} is notified from now on"


def _alarm(change: Change, what: str) -> Iterator[Meaning]:
    before, after = change.before or {}, change.after or {}
    judged = (
        "threshold",
        "comparison_operator",
        "evaluation_periods",
        "datapoints_to_alarm",
        "period",
        "treat_missing_data",
    )
    hidden = [
        name
        for name in judged
        if change.is_unknown(name) and before.get(name) is not None and name != "datapoints_to_alarm"
    ]
    if hidden:
        yield Rank.UNWATCHED, f"{what} may be loosened: {', '.join(hidden)} will be known only after apply"
        return
    loosened, tightened = compared(before, after)
    if loosened:
        yield Rank.UNWATCHED, f"{what} is loosened: {'; '.join(loosened)}"
    if tightened:
        yield Rank.CHANGED, f"{what} is tightened: {'; '.join(tightened)}"
    if not change.is_unknown("alarm_actions"):
        lost = sorted({*(before.get("alarm_actions") or ())} - {*(after.get("alarm_actions") or ())})
        if lost and not after.get("alarm_actions"):
            yield Rank.NOBODY_TOLD, f"{what} has no actions any more: nobody is notified when it triggers"
        elif lost:
            yield Rank.AT_RISK, f"{what} no longer notifies {', '.join(lost)}"


def compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """In what an alarm rings later or less often than before, and in what sooner or more often."""
    loosened: list[str] = []
    tightened: list[str] = []

    def note(looser: bool, words: str) -> None:  # noqa: FBT001  which of the two lists
        (loosened if looser else tightened).append(words)

    old, new = before.get("comparison_operator"), after.get("comparison_operator")
    if old != new:
        same_direction = str(old)[:4] == str(new)[:4]
        note(not (same_direction and "OrEqual" in str(new)), f"triggers on {new} instead of {old}")
    old, new = before.get("threshold"), after.get("threshold")
    if old != new:
        rings_above = str(after.get("comparison_operator")).startswith("Greater")
        higher = _number(new) > _number(old)
        note(old is None or new is None or higher == rings_above, f"threshold {_plain(new)} instead of {_plain(old)}")
    times = [
        (
            _number(alarm.get("datapoints_to_alarm")) or _number(alarm.get("evaluation_periods")),
            _number(alarm.get("evaluation_periods")),
        )
        for alarm in (before, after)
    ]
    if times[0] != times[1]:
        (old_of, old_all), (new_of, new_all) = times
        words = f"after {new_of:g} of {new_all:g} periods instead of {old_of:g} of {old_all:g}"
        note(new_of > old_of or (new_of == old_of and new_all < old_all), words)
    old, new = before.get("period"), after.get("period")
    if old != new:
        summed = after.get("statistic") in {"Sum", "SampleCount"}  # less is counted in a shorter period
        note(_number(new) > _number(old) or summed, f"periods of {_plain(new)} s instead of {_plain(old)} s")
    old, new = (str(alarm.get("treat_missing_data") or "missing") for alarm in (before, after))
    if old != new:
        note(STRICTNESS.get(new, 0) < STRICTNESS.get(old, 0), f"missing data counts as {new} instead of {old}")
    return loosened, tightened


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _policy_of_flow(change: Change, what: str) -> Iterator[Meaning]:
    """The monitor's policy. Its value counts as sensitive: only names of what differs are told."""
    value = [parsed((state or {}).get("value")) for state in (change.before, change.after)]
    if change.is_unknown("value"):
        yield Rank.CHANGED, f"{what} changes; its new content is known only after apply"
        return
    if value[0] == value[1]:
        return
    if not all(isinstance(policy, Mapping) for policy in value):
        yield Rank.UNWATCHED, f"{what} changes and cannot be read: its rules may be loosened"
        return
    before, after = value
    told_by_tag = all("OnAir" in ((state or {}).get("tags") or {}) for state in (change.before, change.after))
    if before.get("on_air") != after.get("on_air") and not told_by_tag:
        rank = Rank.UNWATCHED if before.get("on_air") == "always" else Rank.CHANGED
        yield rank, f"{what}: on_air changes, which decides whether a stopped flow is an incident"
    rules = [{rule["key"]: rule for rule in policy.get("rules", [])} for policy in value]
    for key in sorted({*rules[0]} - {*rules[1]}):
        yield Rank.UNWATCHED, f"{what}: rule {key} is removed"
    for key in sorted({*rules[1]} - {*rules[0]}):
        yield Rank.CHANGED, f"{what}: rule {key} is added"
    for key in sorted({*rules[0]} & {*rules[1]}):
        old, new = rules[0][key], rules[1][key]
        if old == new:
            continue
        loosened, _ = compared(_as_alarm(old), _as_alarm(new))
        other = any(old.get(part) != new.get(part) for part in ("metric", "statistic"))
        yield (
            (Rank.UNWATCHED, f"{what}: rule {key} is loosened or checks something else")
            if loosened or other
            else (Rank.CHANGED, f"{what}: rule {key} changes")
        )
    others = sorted(key for key in {*before, *after} - {"on_air", "rules"} if before.get(key) != after.get(key))
    if others:
        rank = Rank.UNWATCHED if {"flow_arn", "flow_name"} & {*others} else Rank.CHANGED
        yield rank, f"{what} changes: {', '.join(others)}"


def _as_alarm(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule of the policy in the words of an alarm."""
    return {**rule, "comparison_operator": rule.get("comparison"), "treat_missing_data": rule.get("missing")}


def _event_rule(change: Change, what: str) -> Iterator[Meaning]:
    if change.is_unknown("event_pattern"):
        return
    missed, added = missed_events(change)
    if missed:
        yield Rank.UNWATCHED, f"{what} no longer matches {', '.join(f'{path} {value}' for path, value in missed)}"
    elif added:
        yield Rank.CHANGED, f"{what} also matches {', '.join(f'{path} {value}' for path, value in added)}"


def missed_events(change: Change) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What a rule's pattern names no longer, and what it names newly: paths and values."""
    before, after = (_flat(parsed((state or {}).get("event_pattern"))) for state in (change.before, change.after))
    return sorted(before - after), sorted(after - before)


def _flat(value: Any, path: str = "") -> set[tuple[str, str]]:
    if isinstance(value, Mapping):
        return {pair for key, part in value.items() for pair in _flat(part, f"{path}.{key}".lstrip("."))}
    if isinstance(value, list):
        return {pair for part in value for pair in _flat(part, path)}
    return {(path, str(value))}


def _stack_policy(change: Change, what: str) -> Iterator[Meaning]:
    """Whether a stack policy still refuses updates that replace or delete the flow; it does not see a deletion."""
    if change.is_unknown("policy_body"):
        yield Rank.PROTECTION, f"the stack policy of {what} is known only after apply"
    elif protects(change.before) and not protects(change.after):
        yield (
            Rank.PROTECTION,
            f"CloudFormation no longer refuses updates that replace or delete the flow of {what}",
        )
    elif protects(change.after) and not protects(change.before):
        yield Rank.CHANGED, f"CloudFormation refuses updates that replace or delete the flow of {what} from now on"


def protects(stack: Mapping[str, Any] | None) -> bool:
    """Whether a stack's policy denies replacing or deleting something."""
    policy = parsed((stack or {}).get("policy_body"))
    statements = policy.get("Statement", []) if isinstance(policy, Mapping) else []
    return any(
        statement.get("Effect") == "Deny"
        and {"Update:Replace", "Update:Delete", "Update:*"} & {*_list(statement.get("Action"))}
        for statement in statements
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _permissions(change: Change, what: str, flows: str) -> Iterator[Meaning]:
    for name in DOCUMENTS.get(change.type, ()):
        if change.is_unknown(name):
            yield Rank.ACCESS, f"{what}: the new permissions ({name}) are known only after apply"
            continue
        before, after = (permissions.grants((state or {}).get(name)) for state in (change.before, change.after))
        if before == after:
            continue
        if before is None or after is None:
            yield Rank.ACCESS, f"{what}: the permissions ({name}) change and cannot be read"
            continue
        if more := permissions.gained(before, after):
            stars = [grant for grant in more if grant.is_open]
            warning = ", a wildcard permission" if stars else ""
            yield Rank.ACCESS, f"{what} allows more: {_some(stars or more, NO_LONGER_DENIED)}{warning}"
        less = permissions.lost(before, after)
        role = f"role/{(change.before or {}).get('name')}"
        spare = [
            grant
            for grant in less
            if (grant.action.startswith("secretsmanager:") and grant.resource not in flows)
            or (grant.principal == "mediaconnect.amazonaws.com" and role not in flows)
        ]
        if spare:
            yield Rank.CHANGED, f"{what} allows less, but no flow needs it: {_some(spare, NOW_DENIED)}"
        yield from _lost([grant for grant in less if grant not in spare], what)


def _lost(less: list[permissions.Grant], what: str) -> Iterator[Meaning]:
    for pattern, rank, why in NEEDED:
        missing = [grant for grant in less if fnmatchcase(grant.action, pattern) or fnmatchcase(pattern, grant.action)]
        if missing:
            yield rank, f"{what} no longer allows {_some(missing, NOW_DENIED)}: {why}"
    others = [
        grant for grant in less
        if not any(fnmatchcase(grant.action, pattern) or fnmatchcase(pattern, grant.action) for pattern, _, _ in NEEDED)
    ]  # fmt: skip
    if others:
        denied = all(grant.effect == "Deny" for grant in others)
        yield Rank.CHANGED, f"{what} {'denies more' if denied else 'allows less'}: {_some(others, NOW_DENIED)}"


def _some(grants: list[permissions.Grant], denied: str, limit: int = 3) -> str:
    words = "; ".join(f"{grant}{denied if grant.effect == 'Deny' else ''}" for grant in grants[:limit])
    return words + (f"; and {len(grants) - limit} more" if len(grants) > limit else "")
