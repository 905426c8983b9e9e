"""Shapes that both functions share, as they travel in JSON: rules, policy, trigger, issue and report.

Also the order of severities. Decisions are in each function's own pure modules. This folder is the root
of the deployed zip: it imports the standard library, boto3 and itself.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal, NotRequired, TypedDict

Severity = Literal["CRITICAL", "HIGH", "MEDIUM", "INFO"]
WORST_FIRST: Final[tuple[Severity, ...]] = ("CRITICAL", "HIGH", "MEDIUM", "INFO")
"""CRITICAL: viewers see nothing. HIGH: viewers see damage. MEDIUM: it is getting worse. INFO: worth knowing."""

SCHEMA: Final = 2
"""The schema number of what this release stores and sends. Raise it with migrations and a golden file."""

FUTURE_TOLERANCE: Final = timedelta(minutes=5)
"""How far the clock of whoever dates an input may be ahead of ours; what is dated later is refused."""

KEPT: Final = timedelta(days=15)
"""How long CloudWatch keeps datapoints of a minute; of what is older nothing can be checked.

A dead letter lasts 14 days, so a replay never meets it.
"""


LATE: Final = timedelta(minutes=5)
"""From this age of the newest datapoint on metrics are late: four minutes of lateness and the minute it measures.

AWS publishes no bound; one to three minutes were observed. Alarms reach back as far (`components.health_rules`).
"""


class Rule(TypedDict):
    """One health rule of a flow, as the policy carries it.

    `alarm_periods` is how many periods its alarm evaluates: as many as the rule, and those that may be late.
    """

    key: str
    about: str
    metric: str
    statistic: str
    comparison: str
    threshold: float
    unit: str
    datapoints_to_alarm: int
    evaluation_periods: int
    period: int
    missing: str
    severity: Severity
    meaning: str
    actions: list[str]
    alarm_periods: NotRequired[int]


class IncidentPolicy(TypedDict):
    """Reminder, recovery and settling times of an incident, and how long history keeps it."""

    reminder_minutes: int
    recovery_checks: int
    settling_minutes: int
    incident_history_days: int


class Policy(TypedDict):
    """Monitoring policy of one flow, stored as an SSM parameter.

    `notice_severity` is that of messages on maintenance. `outputs` are CRC-32s of the names of those that should be
    enabled: fifty names would not fit into a parameter. A policy of an earlier release has neither.
    """

    schema: NotRequired[int]
    environment: str
    flow_name: str
    flow_arn: str
    on_air: Literal["always", "manual"]
    dashboard: str
    incident_policy: IncidentPolicy
    rules: list[Rule]
    outputs: NotRequired[list[int]]
    notice_severity: NotRequired[Severity]


class Issue(TypedDict):
    """One thing that is wrong. `value` is None where there is no number: no data, an event, a status.

    Issues `about` the same thing are one issue to readers, whatever detected it. `note` is what does not fit.
    `since` and `at` are the start of the first and the end of the last period that breaches, where datapoints do.
    """

    about: str
    metric: str
    value: float | None
    threshold: float | None
    unit: str
    severity: Severity
    meaning: str
    actions: list[str]
    evidence: Literal["metric", "no data", "event", "status"]
    note: NotRequired[str]
    since: NotRequired[str]
    at: NotRequired[str]


class Silence(TypedDict):
    """What is known of a flow whose metrics do not show that a source lives.

    Attributes:
        issue: what is wrong if the source is gone.
        since: when a datapoint last showed that it lives; absent if none does in the last hour.
        others_arrive: whether newer data, of this flow or of others, shows that this silence is not lateness.
        source_error: whether DescribeFlow lists a stream error of a source.
    """

    issue: Issue
    since: NotRequired[str]
    others_arrive: bool
    source_error: bool


class Source(TypedDict):
    """A source of the flow; whether it is in use is None where MediaConnect does not say."""

    name: str
    arn: str
    in_use: bool | None


class EventEvidence(TypedDict):
    """What an event states about one thing: bad or good again. `part` is the source's or output's ARN, or empty.

    `holds_seconds` is how long datapoints from before the event can still speak against it.
    """

    about: str
    part: str
    bad: bool
    holds_seconds: int


class Cause(TypedDict):
    """What caused the check."""

    kind: Literal["alarm", "event", "schedule", "person"]
    name: str
    state: NotRequired[str]


class Report(TypedDict):
    """What the monitor found; the contract between the two functions. Times are ISO 8601 in UTC.

    Attributes of some events only: `event_evidence`; `all_lost`, what is wrong once every source is called lost;
    `previous_status`; `maintenance`, the new state of a maintenance window. If the flow knows them,
    `maintenance_scheduled` is when the next one starts and `maintenance_deadline` when it does at the latest.
    `notice_severity` is that of messages on maintenance. `timestamp` is when what caused the check happened, `started`
    when the check ran: much later if an event was delivered late or is replayed.

    `as_of` is when the newest data ends that shows that a source lives; empty if a running flow has none, and the
    report's own time if it does not run. `silence` is there if that data is some minutes old. `source_metadata` is
    whether MediaConnect lists a stream of the source; absent if it could not be asked. Older monitors write none of
    the three.
    """

    schema: NotRequired[int]
    flow_name: str
    flow_arn: str
    flow_status: str
    on_air_expected: bool
    environment: str
    dashboard: str
    execution: str
    timestamp: str
    window_minutes: int
    healthy: bool
    severity: Severity
    issues: list[Issue]
    trigger: Cause
    incident_policy: IncidentPolicy
    sources: list[Source]
    event_evidence: NotRequired[list[EventEvidence]]
    all_lost: NotRequired[Issue]
    previous_status: NotRequired[str]
    maintenance: NotRequired[Literal["SCHEDULED", "RESCHEDULED", "INPROGRESS", "FINISHED", "FAILED", "CANCELED"]]
    maintenance_scheduled: NotRequired[str]
    maintenance_deadline: NotRequired[str]
    notice_severity: NotRequired[Severity]
    started: NotRequired[str]
    as_of: NotRequired[str]
    silence: NotRequired[Silence]
    source_metadata: NotRequired[Literal["present", "absent"]]


DELAYED: Final = timedelta(minutes=2)
"""An event that is checked so long after it happened is of the past. Schedules are up to a minute late."""


def is_delayed(happened: datetime, started: datetime) -> bool:
    """Whether a check ran so long after what caused it that this is of the past."""
    return started - happened > DELAYED


def ran_at(report: "Report") -> datetime:
    """When the check ran, which is the present: the time of what caused it, unless it was delivered late."""
    happened = moment(report["timestamp"])
    started = moment(report.get("started", report["timestamp"]))
    return started if is_delayed(happened, started) else happened


def moment(time: str) -> datetime:
    """A time as reports write it."""
    return datetime.fromisoformat(time)


def rank(severity: Severity) -> int:
    """0 for the worst severity."""
    return WORST_FIRST.index(severity)


def worst(severities: Iterable[Severity]) -> Severity:
    """The worst of some severities; INFO if there are none."""
    return min(severities, key=rank, default="INFO")
