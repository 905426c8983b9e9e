"""EventBridge patterns: which events start the workflow. Pure; what an event means is read in `lambda_src`.

Detail-types are named one by one, never the source alone: MediaConnect also sends a metadata event about every
20 seconds for each flow, which would flood the workflow.
"""

from collections.abc import Sequence
from typing import Any, Final

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


def flow_events(flow_arn: str) -> dict[str, Any]:
    """Every event of one flow that is worth a look. `resources` also names the source or output it is about."""
    return {"source": ["aws.mediaconnect"], "detail-type": list(DETAIL_TYPES), "resources": [flow_arn]}


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


def _alarm_event(state: str, alarm_arns: Sequence[str]) -> dict[str, Any]:
    return {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "resources": [{"wildcard": arn} for arn in alarm_arns],
        "detail": {"state": {"value": [state]}},
    }
