"""IAM policy documents as JSON. Pure; permissions are listed beside the resource that needs them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

Statement = Mapping[str, Any]


def document(*statements: Statement) -> str:
    """A policy document with the given statements, in order."""
    return json.dumps({"Version": "2012-10-17", "Statement": [dict(statement) for statement in statements]})


def allow(
    actions: Sequence[str],
    resources: str | Sequence[str],
    *,
    principal: Mapping[str, str] | None = None,
    condition: Mapping[str, Any] | None = None,
    sid: str | None = None,
) -> Statement:
    """One Allow statement; `principal` only where the policy is attached to a resource."""
    statement: dict[str, Any] = {"Sid": sid} if sid else {}
    statement |= {"Effect": "Allow", "Action": list(actions)}
    statement["Resource"] = resources if isinstance(resources, str) else list(resources)
    if principal:
        statement["Principal"] = dict(principal)
    if condition:
        statement["Condition"] = dict(condition)
    return statement


def own_account(account_id: str, *, source_arn: str | None = None) -> dict[str, Any]:
    """Condition: the service acts for this account, and for `source_arn` (a pattern) if given.

    Without it another account could make the service use our resource (confused deputy).
    """
    condition: dict[str, Any] = {"StringEquals": {"aws:SourceAccount": account_id}}
    if source_arn:
        condition["ArnLike"] = {"aws:SourceArn": source_arn}
    return condition


def trust(service: str, *, condition: Mapping[str, Any] | None = None) -> str:
    """Trust policy of a role for an AWS service; for the condition see `own_account`."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    if condition:
        statement["Condition"] = dict(condition)
    return document(statement)


def tls_only(bucket_arn: str) -> Statement:
    """Deny requests to a bucket without TLS."""
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn, f"{bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


WRITE_TRACES: Final = allow(
    ["xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    "*",  # X-Ray has no resource for these actions
)
DELIVER_LOGS: Final = allow(
    [
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    ],
    "*",  # log delivery has no resource; without these on "*" the service refuses a machine that logs
)
