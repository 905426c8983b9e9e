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
    ("sns:Publish", Rank.NOBODY_TOLD, "nothing can be told without it"),
    ("kms:*", Rank.NOBODY_TOLD, "the topic is encrypted, and nothing can be told without it"),
    ("lambda:InvokeFunction", Rank.UNWATCHED, "the workflow runs nothing without it"),
    ("states:StartExecution", Rank.UNWATCHED, "the workflow does not start without it"),
    ("mediaconnect:*", Rank.UNWATCHED, "the monitor cannot look at the flow without it"),
    ("cloudwatch:GetMetric*", Rank.UNWATCHED, "the monitor sees no metrics without it"),
    ("ssm:GetParameter*", Rank.UNWATCHED, "the monitor does not know what is a fault without it"),
    ("dynamodb:*", Rank.UNWATCHED, "incidents are not remembered without it"),
    ("sts:AssumeRole", Rank.UNWATCHED, "the service that watches cannot act without it"),
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
    Row("aws_cloudwatch_metric_alarm", "actions_enabled", _is(False), Rank.NOBODY_TOLD, "{what} still rings but tells nobody"),
    Row("aws_cloudwatch_metric_alarm", "metric_name", _any, Rank.UNWATCHED, "{what} looks at {after} instead of {before}"),
    Row("aws_cloudwatch_metric_alarm", "namespace", _any, Rank.UNWATCHED, "{what} looks at metrics of {after} instead of {before}"),
    Row("aws_cloudwatch_metric_alarm", "dimensions*", _any, Rank.UNWATCHED, "{what} looks at {after} instead of {before}"),
    Row("aws_cloudwatch_metric_alarm", "statistic", _any, Rank.UNWATCHED, "{what} takes the {after} instead of the {before}"),
    Row("aws_cloudwatch_metric_alarm", "extended_statistic", _any, Rank.UNWATCHED, "{what} takes {after} instead of {before}"),
    Row("aws_cloudwatch_metric_alarm", "metric_query*", _any, Rank.UNWATCHED, "{what} looks at something else ({after} instead of {before})"),
    Row("aws_cloudwatch_metric_alarm", "unit", _any, Rank.UNWATCHED, "{what} counts only datapoints in {after}, before in {before}"),
    Row("aws_cloudwatch_composite_alarm", "actions_enabled", _is(False), Rank.NOBODY_TOLD, "{what} still rings but tells nobody"),
    Row("aws_cloudwatch_composite_alarm", "alarm_rule", _any, Rank.UNWATCHED, "{what} rings for {after}, before for {before}"),
    Row("aws_cloudwatch_event_rule", "state", _is("DISABLED"), Rank.UNWATCHED, "{what} is disabled: nothing starts the workflow by it"),
    Row("aws_cloudwatch_event_rule", "state", _any, Rank.CHANGED, "{what} is {after}, before {before}"),
    Row("aws_cloudwatch_event_rule", "event_bus_name", _any, Rank.UNWATCHED, "{what} listens elsewhere"),
    Row("aws_cloudwatch_event_target", "arn", _any, Rank.UNWATCHED, "{what} starts {after} instead of {before}"),
    Row("aws_cloudwatch_event_target", "role_arn", _any, Rank.UNWATCHED, "{what} starts the workflow by another role, {after}"),
    Row("aws_cloudwatch_event_target", "dead_letter_config*", _went, Rank.AT_RISK, "{what}: an event that cannot be delivered is lost and nobody notices"),
    Row("aws_cloudwatch_event_target", "retry_policy*", _fell, Rank.AT_RISK, "{what} tries less often to deliver an event"),
    Row("aws_cloudwatch_event_target", "input*", _any, Rank.UNWATCHED, "{what} hands on something else than the whole event"),
    Row("aws_scheduler_schedule", "state", _is("DISABLED"), Rank.UNWATCHED, "{what} is disabled: what events and alarms lose is found by nobody"),
    Row("aws_scheduler_schedule", "schedule_expression", _rarer, Rank.AT_RISK, "{what} looks at {after} instead of {before}: what events and alarms lose is found later"),
    Row("aws_scheduler_schedule", "target.arn", _any, Rank.UNWATCHED, "{what} starts {after} instead of {before}"),
    Row("aws_scheduler_schedule", "target.role_arn", _any, Rank.UNWATCHED, "{what} starts the workflow by another role, {after}"),
    Row("aws_scheduler_schedule", "target.input*", _any, Rank.UNWATCHED, "{what} asks for something else than before"),
    Row("aws_scheduler_schedule", "target.dead_letter_config*", _went, Rank.AT_RISK, "{what}: a run that cannot be started is lost and nobody notices"),
    Row("aws_sns_topic", "kms_master_key_id", _went, Rank.PROTECTION, "{what} is no longer encrypted"),
    Row("aws_sns_topic", "kms_master_key_id", _any, Rank.NOBODY_TOLD, "{what} is encrypted under another key: whoever may not use that key can tell nobody"),
    Row("aws_sns_topic_subscription", "raw_message_delivery", _any, Rank.AT_RISK, "{what} is sent messages in another form"),
    Row("aws_sqs_queue", "message_retention_seconds", _fell, Rank.RETENTION, "{what} keeps undelivered events for {after} s instead of {before} s"),
    Row("aws_sqs_queue", "kms_master_key_id", _went, Rank.PROTECTION, "{what} is no longer encrypted under our key"),
    Row("aws_lambda_function", "reserved_concurrent_executions", _is(0), Rank.UNWATCHED, "{what} may never run"),
    Row("aws_lambda_function", "handler", _any, Rank.CODE, "{what} runs {after} instead of {before}"),
    Row("aws_lambda_function", "runtime", _any, Rank.CODE, "{what} runs on {after} instead of {before}"),
    Row("aws_lambda_function", "layers*", _any, Rank.CODE, "{what} runs with other layers"),
    Row("aws_lambda_function", "image_uri", _any, Rank.CODE, "{what} runs another image"),
    Row("aws_lambda_function", "environment*", _any, Rank.CODE, "{what} runs with other environment variables"),
    Row("aws_lambda_function", "role", _any, Rank.ACCESS, "{what} runs with another role, {after}"),
    Row("aws_lambda_function", "timeout", _fell, Rank.AT_RISK, "{what} has {after} s instead of {before} s"),
    Row("aws_lambda_function", "memory_size", _fell, Rank.AT_RISK, "{what} has {after} MB instead of {before} MB"),
    Row("aws_lambda_function", "tracing_config*", _any, Rank.CHANGED, "{what} is traced otherwise ({after}, before {before})"),
    Row("aws_sfn_state_machine", "definition*", _any, Rank.CODE, "{what} takes other steps"),
    Row("aws_sfn_state_machine", "role_arn", _any, Rank.ACCESS, "{what} runs with another role, {after}"),
    Row("aws_sfn_state_machine", "logging_configuration.level", _is("OFF", "FATAL", "ERROR"), Rank.RETENTION, "{what} logs {after} only, before {before}"),
    Row("aws_sfn_state_machine", "logging_configuration*", _went, Rank.RETENTION, "{what} keeps no history of what it did"),
    Row("aws_cloudwatch_log_group", "retention_in_days", _kept_shorter, Rank.RETENTION, "{what} is kept for {after} days instead of {before}"),
    Row("aws_cloudwatch_log_group", "kms_key_id", _went, Rank.PROTECTION, "{what} is no longer encrypted under our key"),
    Row("aws_cloudwatch_event_archive", "retention_days", _kept_shorter, Rank.RETENTION, "{what} is kept for {after} days instead of {before}"),
    Row("aws_kms_key", "is_enabled", _is(False), Rank.NOBODY_TOLD, "{what} is disabled: nothing can be told through an encrypted topic"),
    Row("aws_kms_key", "enable_key_rotation", _is(False, None), Rank.PROTECTION, "{what} is no longer rotated"),
    Row("aws_kms_key", "deletion_window_in_days", _fell, Rank.PROTECTION, "{what} can be saved for {after} days after its deletion instead of {before}"),
    Row("aws_kms_alias", "target_key_*", _any, Rank.NOBODY_TOLD, "{what} means another key"),
    Row("aws_s3_bucket_public_access_block", "*", _is(False, None), Rank.PROTECTION, "{what} may be opened to the public ({path})"),
    Row("aws_s3_bucket_versioning", "versioning_configuration.status", _is("Suspended", "Disabled", None), Rank.PROTECTION, "{what} keeps no old versions"),
    Row("aws_s3_bucket_server_side_encryption_configuration", "rule*", _went, Rank.PROTECTION, "{what} is encrypted less"),
    Row("aws_s3_bucket_server_side_encryption_configuration", "rule*.sse_algorithm", _is("AES256"), Rank.PROTECTION, "{what} is encrypted under Amazon's key instead of ours"),
    Row("aws_s3_bucket_lifecycle_configuration", "rule*days", _kept_shorter, Rank.RETENTION, "{what} keeps old versions for {after} days instead of {before}"),
    Row("aws_s3_bucket", "force_destroy", _is(True), Rank.PROTECTION, "{what} may be deleted with all that is in it"),
    Row("aws_ssm_parameter", "tags.OnAir", lambda before, _: before == "always", Rank.UNWATCHED, "{what}: a stopped flow is no longer a fault (on air: {after} instead of {before})"),
    Row("aws_ssm_parameter", "tags.OnAir", _any, Rank.CHANGED, "{what}: whether a stopped flow is a fault changes (on air: {after} instead of {before})"),
    Row("aws_dynamodb_table", "deletion_protection_enabled", _is(False, None), Rank.PROTECTION, "{what} may be deleted"),
    Row("aws_dynamodb_table", "point_in_time_recovery*", _is(False, None), Rank.PROTECTION, "{what} can no longer be brought back as it was"),
    Row("aws_dynamodb_table", "server_side_encryption*", _went, Rank.PROTECTION, "{what} is no longer encrypted under our key"),
    Row("aws_dynamodb_table", "ttl*", _any, Rank.RETENTION, "{what} forgets at another time ({after} instead of {before})"),
    Row("aws_cloudformation_stack", "policy_body*", _any, Rank.CHANGED, "the stack policy of {what} changes"),
    Row("aws_cloudformation_stack", "on_failure", _any, Rank.CHANGED, "a failed creation of {what} ends otherwise ({after} instead of {before})"),
)  # fmt: skip

REMOVED: Final[Mapping[str, Meaning]] = {
    "aws_cloudwatch_metric_alarm": (Rank.UNWATCHED, "{what} is removed: nothing rings for it any more"),
    "aws_cloudwatch_composite_alarm": (Rank.UNWATCHED, "{what} is removed: nothing rings for it any more"),
    "aws_cloudwatch_event_rule": (Rank.UNWATCHED, "{what} is removed: nothing starts the workflow by it"),
    "aws_cloudwatch_event_target": (Rank.UNWATCHED, "{what} is removed: its rule starts nothing"),
    "aws_scheduler_schedule": (Rank.UNWATCHED, "{what} is removed: what events and alarms lose is found by nobody"),
    "aws_scheduler_schedule_group": (Rank.UNWATCHED, "{what} is removed with its schedules"),
    "aws_sfn_state_machine": (Rank.UNWATCHED, "{what} is removed: nothing looks at a stream"),
    "aws_lambda_function": (Rank.UNWATCHED, "{what} is removed: the workflow fails without it"),
    "aws_ssm_parameter": (Rank.UNWATCHED, "{what} is removed: the monitor does not know what is a fault"),
    "aws_dynamodb_table": (Rank.NOBODY_TOLD, "{what} is removed with what is remembered of open incidents"),
    "aws_sns_topic": (Rank.NOBODY_TOLD, "{what} is removed: nothing can be told through it"),
    "aws_sns_topic_subscription": (Rank.AT_RISK, "{what} is no longer told"),
    "aws_kms_key": (Rank.NOBODY_TOLD, "{what} is deleted: nothing encrypted under it can be read or told"),
    "aws_kms_alias": (Rank.CHANGED, "{what} is removed"),
    "aws_sqs_queue": (Rank.AT_RISK, "{what} is removed: undelivered events are lost"),
    "aws_cloudwatch_log_group": (Rank.RETENTION, "{what} is deleted with all that is in it"),
    "aws_s3_bucket": (Rank.RETENTION, "{what} is deleted"),
    "aws_s3_bucket_public_access_block": (Rank.PROTECTION, "{what} may be opened to the public"),
    "aws_s3_bucket_versioning": (Rank.PROTECTION, "{what} keeps no old versions"),
    "aws_s3_bucket_server_side_encryption_configuration": (Rank.PROTECTION, "{what} is encrypted less"),
    "aws_s3_bucket_lifecycle_configuration": (Rank.CHANGED, "{what} no longer forgets old versions"),
    "aws_cloudwatch_dashboard": (Rank.CHANGED, "{what} is removed"),
    "aws_lambda_permission": (Rank.UNWATCHED, "{what} is removed: a service can no longer call the function"),
}
"""What it means when a resource goes and nothing comes in its place."""
REPLACED: Final[Mapping[str, Meaning]] = {
    "aws_sfn_state_machine": (Rank.AT_RISK, "{what} is replaced: runs under way are lost, and so is its history"),
    "aws_sns_topic": (Rank.AT_RISK, "{what} is replaced by a new one"),
    "aws_kms_key": (Rank.PROTECTION, "{what} is replaced: what is encrypted under it can be read until it is deleted"),
    "aws_cloudwatch_log_group": (Rank.RETENTION, "{what} is replaced: what is in it is deleted"),
    "aws_dynamodb_table": (Rank.AT_RISK, "{what} is replaced: open incidents are forgotten"),
    "aws_sqs_queue": (Rank.AT_RISK, "{what} is replaced: what waits in it is lost"),
    "aws_cloudwatch_metric_alarm": (Rank.CHANGED, "{what} is replaced by a new one, which begins without data"),
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
        yield Rank.CHANGED, f"{what} stays as it is, but Terraform no longer knows of it"
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
    "aws_ssm_parameter": "what the monitor knows of a flow ({name})",
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
        yield Rank.ACCESS, f"{what}: {(change.after or {}).get('principal')} may call a function"
    if change.type.endswith("_policy_attachment"):
        yield (
            Rank.ACCESS,
            f"{change.address} attaches the policy {(change.after or {}).get('policy_arn', '(known after apply)')}",
        )
    if change.type == "aws_sns_topic_subscription":
        yield Rank.CHANGED, f"{what} is told from now on"


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
        yield Rank.UNWATCHED, f"{what} may be loosened: {', '.join(hidden)} known only after apply"
        return
    loosened, tightened = compared(before, after)
    if loosened:
        yield Rank.UNWATCHED, f"{what} is loosened: {'; '.join(loosened)}"
    if tightened:
        yield Rank.CHANGED, f"{what} is tightened: {'; '.join(tightened)}"
    if not change.is_unknown("alarm_actions"):
        lost = sorted({*(before.get("alarm_actions") or ())} - {*(after.get("alarm_actions") or ())})
        if lost and not after.get("alarm_actions"):
            yield Rank.NOBODY_TOLD, f"{what} still rings but tells nobody"
        elif lost:
            yield Rank.AT_RISK, f"{what} no longer tells {', '.join(lost)}"


def compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """In what an alarm rings later or less often than before, and in what sooner or more often."""
    loosened: list[str] = []
    tightened: list[str] = []

    def note(looser: bool, words: str) -> None:  # noqa: FBT001  which of the two lists
        (loosened if looser else tightened).append(words)

    old, new = before.get("comparison_operator"), after.get("comparison_operator")
    if old != new:
        same_direction = str(old)[:4] == str(new)[:4]
        note(not (same_direction and "OrEqual" in str(new)), f"rings when {new} instead of {old}")
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
        note(STRICTNESS.get(new, 0) < STRICTNESS.get(old, 0), f"missing data is {new} instead of {old}")
    return loosened, tightened


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _policy_of_flow(change: Change, what: str) -> Iterator[Meaning]:
    """The monitor's policy. Its value counts as sensitive: only names of what differs are told."""
    value = [parsed((state or {}).get("value")) for state in (change.before, change.after)]
    if change.is_unknown("value"):
        yield Rank.CHANGED, f"{what} changes to what is known only after apply"
        return
    if value[0] == value[1]:
        return
    if not all(isinstance(policy, Mapping) for policy in value):
        yield Rank.UNWATCHED, f"{what} changes and cannot be read: what is a fault may be loosened"
        return
    before, after = value
    told_by_tag = all("OnAir" in ((state or {}).get("tags") or {}) for state in (change.before, change.after))
    if before.get("on_air") != after.get("on_air") and not told_by_tag:
        rank = Rank.UNWATCHED if before.get("on_air") == "always" else Rank.CHANGED
        yield rank, f"{what}: whether a stopped flow is a fault (on_air) changes"
    rules = [{rule["key"]: rule for rule in policy.get("rules", [])} for policy in value]
    for key in sorted({*rules[0]} - {*rules[1]}):
        yield Rank.UNWATCHED, f"{what}: the rule {key} is removed"
    for key in sorted({*rules[1]} - {*rules[0]}):
        yield Rank.CHANGED, f"{what}: the rule {key} is added"
    for key in sorted({*rules[0]} & {*rules[1]}):
        old, new = rules[0][key], rules[1][key]
        if old == new:
            continue
        loosened, _ = compared(_as_alarm(old), _as_alarm(new))
        other = any(old.get(part) != new.get(part) for part in ("metric", "statistic"))
        yield (
            (Rank.UNWATCHED, f"{what}: the rule {key} is loosened or looks at something else")
            if loosened or other
            else (Rank.CHANGED, f"{what}: the rule {key} changes")
        )
    others = sorted(key for key in {*before, *after} - {"on_air", "rules"} if before.get(key) != after.get(key))
    if others:
        rank = Rank.UNWATCHED if {"flow_arn", "flow_name"} & {*others} else Rank.CHANGED
        yield rank, f"{what}: {', '.join(others)} changes"


def _as_alarm(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule of the policy in the words of an alarm."""
    return {**rule, "comparison_operator": rule.get("comparison"), "treat_missing_data": rule.get("missing")}


def _event_rule(change: Change, what: str) -> Iterator[Meaning]:
    if change.is_unknown("event_pattern"):
        return
    missed, added = missed_events(change)
    if missed:
        yield Rank.UNWATCHED, f"{what} no longer reacts to {', '.join(f'{path} {value}' for path, value in missed)}"
    elif added:
        yield Rank.CHANGED, f"{what} also looks at {', '.join(f'{path} {value}' for path, value in added)}"


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
        yield Rank.PROTECTION, f"the protection of {what} is known only after apply"
    elif protects(change.before) and not protects(change.after):
        yield (
            Rank.PROTECTION,
            f"CloudFormation would no longer refuse updates that replace or delete the flow of {what}",
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
            yield Rank.ACCESS, f"{what}: its permissions ({name}) are known only after apply"
            continue
        before, after = (permissions.grants((state or {}).get(name)) for state in (change.before, change.after))
        if before == after:
            continue
        if before is None or after is None:
            yield Rank.ACCESS, f"{what}: its permissions ({name}) change and cannot be read"
            continue
        if more := permissions.gained(before, after):
            stars = [grant for grant in more if grant.is_open]
            warning = ", which is open to everything" if stars else ""
            yield Rank.ACCESS, f"{what} allows more: {_some(stars or more)}{warning}"
        less = permissions.lost(before, after)
        role = f"role/{(change.before or {}).get('name')}"
        spare = [
            grant
            for grant in less
            if (grant.action.startswith("secretsmanager:") and grant.resource not in flows)
            or (grant.principal == "mediaconnect.amazonaws.com" and role not in flows)
        ]
        if spare:
            yield Rank.CHANGED, f"{what} allows less, which no flow needs any more: {_some(spare)}"
        yield from _lost([grant for grant in less if grant not in spare], what)


def _lost(less: list[permissions.Grant], what: str) -> Iterator[Meaning]:
    for pattern, rank, why in NEEDED:
        missing = [grant for grant in less if fnmatchcase(grant.action, pattern) or fnmatchcase(pattern, grant.action)]
        if missing:
            yield rank, f"{what} no longer allows {_some(missing)}: {why}"
    others = [
        grant for grant in less
        if not any(fnmatchcase(grant.action, pattern) or fnmatchcase(pattern, grant.action) for pattern, _, _ in NEEDED)
    ]  # fmt: skip
    if others:
        denied = all(grant.effect == "Deny" for grant in others)
        yield Rank.CHANGED, f"{what} {'refuses more' if denied else 'allows less'}: {_some(others)}"


def _some(grants: list[permissions.Grant], limit: int = 3) -> str:
    words = "; ".join(str(grant) for grant in grants[:limit])
    return words + (f"; and {len(grants) - limit} more" if len(grants) > limit else "")
