"""A flow's ARN, rule and policy to change, shared by the tests of both functions."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast
from zlib import crc32

from report import SCHEMA, IncidentPolicy, Issue, Policy, Report, Rule, worst

FLOW_ARN: Final = "arn:aws:mediaconnect:us-east-1:123456789012:flow:1-AbC:live-stream"
EXECUTION: Final = "arn:aws:states:us-east-1:123456789012:execution:media-workflow-prod-workflow:abc"
STARTED: Final = "2026-11-23T20:05:30.123Z"


def rule(**changes: Any) -> Rule:
    """Packet loss above 0.1 % in 3 of 5 minutes."""
    fields = {
        "key": "packet-loss",
        "about": "SourcePacketLossPercent",
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
    about="source",
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


INCIDENT_POLICY: Final[IncidentPolicy] = {
    "reminder_minutes": 30,
    "recovery_checks": 2,
    "settling_minutes": 3,
    "incident_history_days": 90,
}
ONE_LOST: Final = rule(
    key="one-source-lost",
    about="source",
    metric="SourceBitRate",
    statistic="Minimum",
    comparison="LessThanOrEqualToThreshold",
    threshold=0,
    unit="Bits/Second",
    datapoints_to_alarm=2,
    evaluation_periods=2,
    meaning="One of the two sources is gone: running on the other one, no redundancy.",
    actions=["Find out which source is gone, and call its sender."],
)
SOURCE_ARNS: Final = tuple(
    f"arn:aws:mediaconnect:us-east-1:123456789012:source:1-AbC:{name}" for name in ("venue-a", "venue-b")
)


def policy(**changes: Any) -> Policy:
    """The policy of a flow that is started by hand; `outputs` are given by their names."""
    if "outputs" in changes:
        changes["outputs"] = [crc32(name.encode()) for name in changes["outputs"]]
    fields = {
        "schema": SCHEMA,
        "environment": "prod",
        "flow_name": "live-stream",
        "flow_arn": FLOW_ARN,
        "on_air": "manual",
        "dashboard": "media-workflow-prod",
        "incident_policy": INCIDENT_POLICY,
        "rules": [rule(), PRESENCE],
    }
    return cast("Policy", {**fields, **changes})


def report(**changes: Any) -> Report:
    """An unhealthy report with one issue."""
    fields = {
        "schema": SCHEMA,
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
                "about": "SourcePacketLossPercent",
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
        "incident_policy": INCIDENT_POLICY,
        "sources": [{"name": "encoder", "arn": SOURCE_ARNS[0], "in_use": True}],
    }
    return cast("Report", {**fields, **changes})


def issue(about: str = "source", severity: str = "CRITICAL", **changes: Any) -> Issue:
    """Something wrong, by default with the source, known from its metric."""
    fields = {
        "about": about,
        "metric": "SourceBitRate" if about == "source" else about,
        "value": 0.0,
        "threshold": 0.0,
        "unit": "Bits/Second",
        "severity": severity,
        "meaning": "The source is gone: viewers see nothing.",
        "actions": ["Call the sender."],
        "evidence": "metric",
    }
    return cast("Issue", {**fields, **changes})


def check(seconds: float = 0, *issues: Issue, **changes: Any) -> Report:
    """A report so long after eight o'clock, unhealthy if it has issues."""
    time = datetime(2026, 11, 23, 20, 0, tzinfo=UTC) + timedelta(seconds=seconds)
    return report(
        **{
            "timestamp": time.isoformat(),
            "healthy": not issues,
            "severity": worst(found["severity"] for found in issues),
            "issues": list(issues),
            "on_air_expected": False,
            **({} if issues else {"trigger": {"kind": "schedule", "name": "schedule"}}),
            **changes,
        }
    )
