"""EventBridge patterns of the events that start the workflow. Pure; `lambda_src` interprets the events.

Patterns name each detail-type: MediaConnect also sends a metadata event about every 20 seconds for each flow, which
would flood the workflow.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

PATTERN_LIMIT: Final = 2048
"""Characters of a pattern, by the default quota of an account; the API takes more."""
FLOWS_A_RULE: Final = 10
"""As many as fit the limit with the longest names. A rule per flow would exceed a bus's quota of 300 or 100 rules."""

DETAIL_TYPES: Final = (
    "MediaConnect Alert",
    "MediaConnect Flow Content Quality",
    "MediaConnect Flow Health",
    "MediaConnect Flow Maintenance",
    "MediaConnect Flow Status Change",
    "MediaConnect Output Health",
    "MediaConnect Output Status Change",
    "MediaConnect Source Health",
)


def written(pattern: Mapping[str, Any]) -> str:
    """A pattern as JSON without spaces, which count against the limit."""
    return json.dumps(pattern, separators=(",", ":"))


def flow_events(flow_arns: Sequence[str]) -> dict[str, Any]:
    """Events of some flows that start a check. `resources` of an event also has its source or output."""
    return {"source": ["aws.mediaconnect"], "detail-type": list(DETAIL_TYPES), "resources": list(flow_arns)}


def alarms_raised(alarm_arn_prefix: str) -> dict[str, Any]:
    """Any health alarm that goes to ALARM.

    Only health alarms have a slash in their names; self-monitoring alarms publish to their topic directly.
    """
    return _alarm_event("ALARM", [f"{alarm_arn_prefix}*/*"])


def presence_unknown(alarm_arn_prefix: str, keys: Sequence[str]) -> dict[str, Any]:
    """A presence alarm that has no data: the monitor finds out whether the flow is stopped or its source is gone.

    Args:
        alarm_arn_prefix: start of the ARN of every alarm of the environment.
        keys: keys of the health rules that watch presence.
    """
    return _alarm_event("INSUFFICIENT_DATA", [f"{alarm_arn_prefix}*/{key}" for key in keys])


def self_monitoring(self_monitoring_alarm_arn_prefix: str) -> dict[str, Any]:
    """A self-monitoring alarm that goes to a state in which CloudWatch publishes it.

    A flow can have the name of such an alarm, so the namespace decides: theirs is never MediaConnect's.
    """
    metric = {"namespace": [{"anything-but": ["AWS/MediaConnect"]}]}
    return {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "resources": [{"prefix": self_monitoring_alarm_arn_prefix}],  # an event bus takes 30 rules with wildcards
        "detail": {
            "state": {"value": ["ALARM", "INSUFFICIENT_DATA"]},
            "configuration": {"metrics": {"metricStat": {"metric": metric}}},
        },
    }


def _alarm_event(state: str, alarm_arns: Sequence[str]) -> dict[str, Any]:
    return {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "resources": [{"wildcard": arn} for arn in alarm_arns],
        "detail": {"state": {"value": [state]}},
    }
