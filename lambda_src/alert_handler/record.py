"""The record of a flow between two checks, as it is kept in JSON. Shapes only; nothing is decided here.

Times are ISO 8601 in UTC, and those of the checks, never of the wall clock; only a claim has that.
"""

from typing import Any, Final, Literal, NotRequired, TypedDict

from report import SCHEMA, Cause, Issue, Report, Severity, Source

Kind = Literal[
    "opened", "escalated", "reminded", "recovered", "closed", "flow-stopped", "flow-started", "maintenance",
    "metrics-late", "metrics-recovered",
]  # fmt: skip

CHECK_FIELDS: Final = (
    *("flow_name", "flow_arn", "flow_status", "environment", "dashboard", "execution", "timestamp", "trigger"),
    "sources",
)


NOT_REPORTED: Final = "no end of it was reported within two hours"
"""The `detail` of a notification on a maintenance window that ran out; records of earlier releases have it, too."""


class Check(TypedDict):
    """The check that caused a notification: the report without its findings."""

    flow_name: str
    flow_arn: str
    flow_status: str
    environment: str
    dashboard: str
    execution: str
    timestamp: str
    trigger: Cause
    sources: list[Source]
    started: NotRequired[str]


class Worst(TypedDict):
    """The worst value of a metric in an incident."""

    metric: str
    value: float
    unit: str


class Notification(TypedDict):
    """One notification with all that its text needs. The id is the same however often it is made or sent.

    `incident` is when the incident was opened that it belongs to; `began` and `ended` are start and end of its subject.
    `detail` is the state of a maintenance window, or for kind `closed` the reason that somebody gave.
    """

    id: str
    kind: Kind
    severity: Severity
    check: Check
    issues: list[Issue]
    incident: NotRequired[str]
    began: NotRequired[str]
    ended: NotRequired[str]
    worst: NotRequired[list[Worst]]
    detail: NotRequired[str]


class Sent(TypedDict):
    """A message that was sent, as history keeps it."""

    id: str
    kind: Kind
    severity: Severity
    at: str


class HeldEvidence(TypedDict):
    """The latest event evidence about one thing. It counts as bad until a check at `until` or later finds it good."""

    about: str
    part: str
    at: str
    until: str
    bad: bool


class Incident(TypedDict):
    """One incident, open or closed.

    Attributes:
        opened: time of the check that opened it.
        began: when its problem began, where that was earlier: by its datapoints, or held back during a maintenance.
        closed: time of the check that closed it, or when somebody closed it by hand.
        reason: why somebody closed it by hand.
        severity: the worst so far; its recipients also get reminders and the recovery.
        issues: the latest of each issue, by what it is about.
        worst: the worst value of each metric.
        last_bad: up to when something was wrong, by its datapoints or else by the time of the check.
        good: healthy checks counted since then, whose data ends from `healthy_since` to `last_good`.
        notified: when the last notification was, and how many `reminders` followed.
        number: of messages so far; with `opened` it makes their ids.
        event_evidence: the latest of events, by what and which part.
        triggers: causes of the checks that found something wrong, each once.
        sent: what was sent.
    """

    opened: str
    began: NotRequired[str]
    closed: NotRequired[str]
    reason: NotRequired[str]
    severity: Severity
    issues: dict[str, Issue]
    worst: dict[str, Worst]
    last_bad: str
    good: int
    healthy_since: str
    last_good: str
    notified: str
    reminders: int
    number: int
    event_evidence: dict[str, HeldEvidence]
    triggers: list[str]
    sent: list[Sent]


class Maintenance(TypedDict):
    """The latest maintenance window: checks from `since` until before `until` are inside it.

    Attributes:
        limit: when it ends at the latest.
        was_active: whether it began on a flow that was ACTIVE.
        checked: the latest check inside it.
        down_since: since when all checks found the flow not ACTIVE or something wrong; empty if the latest did not.
        healthy_since: since when data shows it healthy in all checks; empty if the latest did not find it so.
        held: what was held back, by what it is about.
        guessed: whether its end was concluded from health, not reported by an event.
    """

    since: str
    until: str
    open: bool
    detected_by: Literal["event", "status"]
    limit: NotRequired[str]
    was_active: NotRequired[bool]
    checked: NotRequired[str]
    down_since: NotRequired[str]
    healthy_since: NotRequired[str]
    held: NotRequired[dict[str, Issue]]
    guessed: NotRequired[bool]


class Unsettled(TypedDict):
    """A status that should not last, and since when."""

    status: str
    since: str


class Claim(TypedDict):
    """Which execution sends what is pending, and since when; the one time of the wall clock."""

    execution: str
    at: str


class Record(TypedDict):
    """The last known state of one flow.

    Attributes:
        status: its last settled status, empty if none was seen.
        since: when it was first seen so; empty if it was so at the very first check.
        unsettled: a passing status that it is in.
        maintenance: the latest maintenance window.
        incident: the open incident.
        closed: when the last one was closed; checks up to then are part of what was closed.
        pending: messages to be sent, in order.
        claim: who sends them.
        to_keep: closed incidents that wait for their last message before they go into history.
        healthy_as_of: up to when data was found healthy when the last incident was closed, or when somebody closed it.
        source_back: when an event last reported that the one source is there.
        described: whether the source's metadata ever listed a stream.
        listed: when it last did.
        silent_from: the first check of a silence that still lasts.
        late: when the newest data ended, while metrics are late; of the environment's own record, of its first flow.
        late_flows: of the environment's own record: when each late flow's newest data ended, by name.

    Keys that older versions did not write are optional.
    """

    schema: int
    status: str
    since: str
    unsettled: Unsettled | None
    maintenance: Maintenance | None
    incident: Incident | None
    closed: str
    pending: list[Notification]
    claim: Claim | None
    to_keep: list[Incident]
    healthy_as_of: NotRequired[str]
    source_back: NotRequired[str]
    described: NotRequired[bool]
    listed: NotRequired[str]
    silent_from: NotRequired[str]
    late: NotRequired[str]
    late_flows: NotRequired[dict[str, str]]


def nothing_known() -> Record:
    """The record of a flow that was never checked."""
    return {
        "schema": SCHEMA,
        "status": "",
        "since": "",
        "unsettled": None,
        "maintenance": None,
        "incident": None,
        "closed": "",
        "pending": [],
        "claim": None,
        "to_keep": [],
    }


def check_of(report: Report) -> Check:
    """The part of a report that its notifications need."""
    facts: Any = {name: report[name] for name in CHECK_FIELDS} | (
        {"started": report["started"]} if "started" in report else {}
    )
    check: Check = facts
    return check
