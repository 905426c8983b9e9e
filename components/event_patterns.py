"""EventBridge patterns: which events start the workflow. Pure; what an event means is read in `lambda_src`.

Detail-types are named one by one, never the source alone: MediaConnect also sends a metadata event about every
20 seconds for each flow, which would flood the workflow.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

PATTERN_LIMIT: Final = 2048
"""Characters of a pattern that an account may use by default, whatever the API would take."""
FLOWS_A_RULE: Final = 10
"""As many as fit the limit with the longest names; a rule for each flow would pass a bus's 300 rules, or 100."""

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
    """A pattern as it is sent: without the spaces that count against the limit."""
    return json.dumps(pattern, separators=(",", ":"))


def flow_events(flow_arns: Sequence[str]) -> dict[str, Any]:
    """Every event of some flows that is worth a look. `resources` also names the source or output it is about."""
    return {"source": ["aws.mediaconnect"], "detail-type": list(DETAIL_TYPES), "resources": list(flow_arns)}


def alarms_raised(alarm_arn_prefix: str) -> dict[str, Any]:
    """Any health alarm of any flow going to ALARM.

    Only health alarms have a slash in their names; those on the chain itself go to people directly.
    """
    return _alarm_event("ALARM", [f"{alarm_arn_prefix}*/*"])


def presence_unknown(alarm_arn_prefix: str, keys: Sequence[str]) -> dict[str, Any]:
    """A presence alarm losing its data: off air on purpose or dead on air, which the monitor finds out.

    Args:
        alarm_arn_prefix: what all health alarms of the environment begin with.
        keys: keys of the rules that watch presence.
    """
    return _alarm_event("INSUFFICIENT_DATA", [f"{alarm_arn_prefix}*/{key}" for key in keys])


def self_monitoring(self_monitoring_alarm_arn_prefix: str) -> dict[str, Any]:
    """A self-monitoring alarm going to a state in which CloudWatch publishes it.

    A flow may be called like one of them, so the namespace decides: theirs is never MediaConnect's.
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
