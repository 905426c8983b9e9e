"""What is remembered of a flow between two looks, as it is kept in JSON. Shapes only; nothing is decided here.

Times are ISO 8601 in UTC, and those of the looks, never of the clock on the wall; only a claim has that.
"""

from typing import Any, Final, Literal, NotRequired, TypedDict

from report import Cause, Issue, Report, Severity, Source

Kind = Literal[
    "opened", "escalated", "reminded", "recovered", "closed", "flow-stopped", "flow-started", "maintenance"
]  # fmt: skip

LOOK: Final = (
    *("flow_name", "flow_arn", "flow_status", "environment", "dashboard", "execution", "timestamp", "trigger"),
    "sources",
)


class Look(TypedDict):
    """What a message says of the look that caused it: the report without its findings."""

    flow_name: str
    flow_arn: str
    flow_status: str
    environment: str
    dashboard: str
    execution: str
    timestamp: str
    trigger: Cause
    sources: list[Source]


class Worst(TypedDict):
    """The worst value of a metric in an incident."""

    metric: str
    value: float
    unit: str


class Notification(TypedDict):
    """One message to be sent, with all that its words need. The id is the same however often it is made or sent.

    `incident` is when the incident was opened that it belongs to; `began` and `ended` are when what it tells of did.
    `words` are the state of a maintenance window, or for kind `closed` the reason that somebody gave.
    """

    id: str
    kind: Kind
    severity: Severity
    look: Look
    issues: list[Issue]
    incident: NotRequired[str]
    began: NotRequired[str]
    ended: NotRequired[str]
    worst: NotRequired[list[Worst]]
    words: NotRequired[str]


class Sent(TypedDict):
    """A message that was sent, as history keeps it."""

    id: str
    kind: Kind
    severity: Severity
    at: str


class Heard(TypedDict):
    """The last that an event said of one thing. It counts as bad until a look at `until` or later finds it good."""

    about: str
    part: str
    at: str
    until: str
    bad: bool


class Incident(TypedDict):
    """One incident, open or closed.

    Attributes:
        opened: time of the look that opened it.
        closed: time of the look that closed it, or when somebody closed it by hand.
        reason: why somebody closed it by hand.
        severity: the worst so far; who heard of that hears of reminders and of the end.
        issues: the latest of each issue, by what it is about.
        worst: the worst value of each metric.
        last_bad: the latest look that found something wrong.
        good: healthy looks counted since then, from `healthy_since` to `last_good`.
        told: when people last heard of it, and how often they were reminded since.
        number: of messages so far; with `opened` it makes their ids.
        heard: what events said, by what and which part.
        triggers: what made the looks that found something wrong, each once.
        sent: what was sent.
    """

    opened: str
    closed: NotRequired[str]
    reason: NotRequired[str]
    severity: Severity
    issues: dict[str, Issue]
    worst: dict[str, Worst]
    last_bad: str
    good: int
    healthy_since: str
    last_good: str
    told: str
    reminders: int
    number: int
    heard: dict[str, Heard]
    triggers: list[str]
    sent: list[Sent]


class Maintenance(TypedDict):
    """The latest maintenance window: looks from `since` until before `until` are inside it."""

    since: str
    until: str
    open: bool
    noticed: Literal["event", "status"]


class Unsettled(TypedDict):
    """A status that should not last, and since when."""

    status: str
    since: str


class Claim(TypedDict):
    """Which execution sends what is pending, and when it said so; the one time of the clock on the wall."""

    execution: str
    at: str


class Record(TypedDict):
    """All that is remembered of one flow.

    Attributes:
        status: its last settled status, empty if none was seen.
        since: when it was first seen so; empty if it was so at the first look of all.
        unsettled: a passing status that it is in.
        maintenance: the latest maintenance window.
        incident: the open incident.
        closed: when the last one was closed; looks up to then are part of what was closed.
        pending: messages to be sent, in order.
        claim: who sends them.
        to_keep: closed incidents that wait for their last message before they go into history.
    """

    status: str
    since: str
    unsettled: Unsettled | None
    maintenance: Maintenance | None
    incident: Incident | None
    closed: str
    pending: list[Notification]
    claim: Claim | None
    to_keep: list[Incident]


def nothing_known() -> Record:
    """What is remembered of a flow that was never looked at."""
    return {
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


def look_of(report: Report) -> Look:
    """The part of a report that its message needs."""
    facts: Any = {name: report[name] for name in LOOK}
    look: Look = facts
    return look
