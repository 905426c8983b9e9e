"""A flow's ARN, rule and policy to change, shared by the tests of both functions."""

from typing import Any, Final, cast

from report import Policy, Report, Rule

FLOW_ARN: Final = "arn:aws:mediaconnect:us-east-1:123456789012:flow:1-AbC:live-stream"
EXECUTION: Final = "arn:aws:states:us-east-1:123456789012:execution:media-workflow-prod-workflow:abc"
STARTED: Final = "2026-11-23T20:05:30.123Z"


def rule(**changes: Any) -> Rule:
    """Packet loss above 0.1 % in 3 of 5 minutes."""
    fields = {
        "key": "packet-loss",
        "metric": "SourcePacketLossPercent",
        "statistic": "Average",
        "comparison": "GreaterThanThreshold",
        "threshold": 0.1,
        "unit": "Percent",
        "datapoints_to_alarm": 3,
        "evaluation_periods": 5,
        "period": 60,
        "missing": "notBreaching",
        "severity": "HIGH",
        "meaning": "Viewers see blocks.",
        "actions": ["Check the network.", "Call the sender."],
    }
    return cast("Rule", {**fields, **changes})


PRESENCE: Final = rule(
    key="source-lost",
    metric="SourceBitRate",
    statistic="Maximum",
    comparison="LessThanOrEqualToThreshold",
    threshold=0,
    unit="Bits/Second",
    datapoints_to_alarm=1,
    evaluation_periods=1,
    missing="missing",
    severity="CRITICAL",
    meaning="The source is gone: viewers see nothing.",
)


def policy(**changes: Any) -> Policy:
    """The policy of a flow that is started by hand."""
    fields = {
        "environment": "prod",
        "flow_name": "live-stream",
        "flow_arn": FLOW_ARN,
        "on_air": "manual",
        "dashboard": "media-workflow-prod",
        "rules": [rule(), PRESENCE],
    }
    return cast("Policy", {**fields, **changes})


def report(**changes: Any) -> Report:
    """An unhealthy report with one issue."""
    fields = {
        "flow_name": "live-stream",
        "flow_arn": FLOW_ARN,
        "flow_status": "ACTIVE",
        "on_air_expected": True,
        "environment": "prod",
        "dashboard": "media-workflow-prod",
        "execution": EXECUTION,
        "timestamp": "2026-11-23T20:05:30+00:00",
        "window_minutes": 7,
        "healthy": False,
        "severity": "HIGH",
        "issues": [
            {
                "metric": "SourcePacketLossPercent",
                "value": 2.4,
                "threshold": 0.1,
                "unit": "Percent",
                "severity": "HIGH",
                "meaning": "Viewers see blocks.",
                "actions": ["Check the network.", "Call the sender."],
                "evidence": "metric",
            }
        ],
        "trigger": {"kind": "alarm", "name": "media-workflow-prod-live-stream/packet-loss", "state": "ALARM"},
    }
    return cast("Report", {**fields, **changes})
