"""The live impact of changed permissions: more access, or something that monitoring can no longer do."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from tools.plan_review.findings import Impact, Rank
from tools.plan_review.judge import grants
from tools.plan_review.judge.grants import Grant
from tools.plan_review.plan import Change

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
    ("sns:Publish", Rank.NOBODY_NOTIFIED, "nobody is notified without it"),
    ("kms:*", Rank.NOBODY_NOTIFIED, "nobody is notified through an encrypted topic without it"),
    ("lambda:InvokeFunction", Rank.UNWATCHED, "the workflow cannot run its functions without it"),
    ("states:StartExecution", Rank.UNWATCHED, "the workflow does not start without it"),
    ("mediaconnect:*", Rank.UNWATCHED, "the monitor cannot check the flow without it"),
    ("cloudwatch:GetMetric*", Rank.UNWATCHED, "the monitor cannot read metrics without it"),
    ("ssm:GetParameter*", Rank.UNWATCHED, "the monitor cannot read its rules without it"),
    ("dynamodb:*", Rank.UNWATCHED, "incidents cannot be stored without it"),
    ("sts:AssumeRole", Rank.UNWATCHED, "the service cannot use this role without it"),
)
"""Permissions without which a stream is not monitored: action, rank of losing it, and why."""
SHOWN: Final = 3
NO_LONGER_DENIED: Final = " (no longer denied)"
NOW_DENIED: Final = " (now denied)"


def impacts(change: Change, what: str, flows: str) -> Iterator[Impact]:
    """The impact of each changed policy document of a resource."""
    for name in DOCUMENTS.get(change.type, ()):
        if change.is_unknown(name):
            yield Rank.ACCESS, f"{what}: the new permissions ({name}) are known only after apply"
            continue
        before, after = (grants.grants((state or {}).get(name)) for state in (change.before, change.after))
        if before == after:
            continue
        if before is None or after is None:
            yield Rank.ACCESS, f"{what}: the permissions ({name}) change and cannot be read"
            continue
        yield from _gained(grants.gained(before, after), what)
        lost = grants.lost(before, after)
        role = f"role/{(change.before or {}).get('name')}"
        spare = [grant for grant in lost if _is_spare(grant, role, flows)]
        if spare:
            yield Rank.CHANGED, f"{what} allows less, but no flow needs it: {_some(spare, NOW_DENIED)}"
        yield from _lost([grant for grant in lost if grant not in spare], what)


def _gained(gained: Sequence[Grant], what: str) -> Iterator[Impact]:
    if gained:
        wildcards = [grant for grant in gained if grant.is_open]
        warning = ", a wildcard permission" if wildcards else ""
        yield Rank.ACCESS, f"{what} allows more: {_some(wildcards or gained, NO_LONGER_DENIED)}{warning}"


def _is_spare(grant: Grant, role: str, flows: str) -> bool:
    """Whether a permission was for a flow's secret or role that no planned flow uses."""
    return (grant.action.startswith("secretsmanager:") and grant.resource not in flows) or (
        grant.principal == "mediaconnect.amazonaws.com" and role not in flows
    )


def _lost(lost: Sequence[Grant], what: str) -> Iterator[Impact]:
    for pattern, rank, why in NEEDED:
        missing = [grant for grant in lost if _is_about(grant, pattern)]
        if missing:
            yield rank, f"{what} no longer allows {_some(missing, NOW_DENIED)}: {why}"
    others = [grant for grant in lost if not any(_is_about(grant, pattern) for pattern, _, _ in NEEDED)]
    if others:
        verb = "denies more" if all(grant.effect == "Deny" for grant in others) else "allows less"
        yield Rank.CHANGED, f"{what} {verb}: {_some(others, NOW_DENIED)}"


def _is_about(grant: Grant, pattern: str) -> bool:
    return fnmatchcase(grant.action, pattern) or fnmatchcase(pattern, grant.action)


def _some(found: Sequence[Grant], denied: str) -> str:
    words = "; ".join(f"{grant}{denied if grant.effect == 'Deny' else ''}" for grant in found[:SHOWN])
    return words + (f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else "")
