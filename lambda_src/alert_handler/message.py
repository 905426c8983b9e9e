"""Writes the message of a notification, for somebody who reads it on a phone at night. Pure.

The first two lines are what is wrong and what to do. Whether to send is decided elsewhere.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from alert_handler import sms
from alert_handler.record import NOT_REPORTED, Check, Notification
from report import Issue, is_delayed, moment

SUBJECT_LIMIT: Final = 99
"""SNS takes subjects of less than 100 characters, without line breaks or control characters."""

BODY_LIMIT: Final = 40 * 1024
"""Bytes. SNS takes 256 KiB of JSON, in which one byte may become six; nobody reads even this much."""

SOURCE: Final = "source"
"""What issues on sources are about."""
BITRATE: Final = "SourceBitRate"
RESOLVED: Final = "Resolved "
"""Starts the first line of the body; a subject has it as its label."""
CONSOLES: Final = {"aws": "aws.amazon.com", "aws-cn": "amazonaws.cn", "aws-us-gov": "amazonaws-us-gov.com"}
RUNS: Final = frozenset({"ACTIVE", "UPDATING"})
"""The statuses of a flow that emits metrics."""
METRICS_KINDS: Final = frozenset({"metrics-late", "metrics-recovered"})
"""Notifications of the environment itself, not of a flow."""
FACTS: Final = {
    "flow-stopped": (
        "The flow was stopped and is off air.",
        "No action needed if this was planned. Otherwise: aws mediaconnect start-flow --flow-arn {arn}",
    ),
    "flow-started": (
        "The flow was started and is on air.",
        "No action needed. You are notified if no source arrives.",
    ),
    "closed": ("Closed by hand: {reason}", "No action needed. A check that finds a problem opens a new incident."),
}
"""What is wrong and what to do in messages without an issue."""
PAST: Final = {"recovered": "Was", "closed": "Was", "maintenance": "Held back"}
"""How issues are listed that a message of this kind does not call present."""
OTHER: Final = frozenset({"closed", "maintenance"})
"""Kinds whose first line is not about the first issue."""
PAST_WORDS: Final = {
    "is": "was",
    "are": "were",
    "has": "had",
    "have": "had",
    "see": "saw",
    "sends": "sent",
    "send": "sent",
    "needs": "needed",
    "holds": "held",
    "stands": "stood",
    "arrive": "arrived",
    "recovers": "recovered",
    "reports": "reported",
    "does": "did",
    "serves": "served",
    "sees": "saw",
    "will": "would",
    "cannot": "could not",
    "should be": "should have been",
}
"""The verbs in meanings of issues, and their past tense."""
LABELS: Final = {"recovered": "RESOLVED", "metrics-recovered": "RESOLVED", "closed": "CLOSED"}
"""What subjects start with instead of the severity, where what was wrong is over."""
PREFIXES: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
UNITS: Final = {
    "Percent": " %",
    "Milliseconds": " ms",
    "Packets/Minute": " packets a minute",
    "Count": "",
    "Connected": "",
    "Active": "",
    "Flag": "",
}


@dataclass(frozen=True, slots=True)
class Message:
    """A message as SNS publishes it: `sms` is what phones get instead of the body."""

    subject: str
    body: str
    sms: str
    attributes: dict[str, str]


def compose(notification: Notification) -> Message:
    """The message of a notification: what is wrong, what to do, and then all that is known."""
    check = notification["check"]
    # Half a surrogate pair, which JSON can carry, could not be sent.
    what, do = (line.encode(errors="replace").decode() for line in _headline(notification))
    of_metrics = notification["kind"] in METRICS_KINDS
    about = f"{'monitoring' if of_metrics else check['flow_name']} ({check['environment']}):"
    label = _label(notification)
    return Message(
        subject=_subject(f"[{label}] {about} {what}"),
        body=_sendable((_body_on_metrics if of_metrics else _body)(notification, what, do)),
        sms=_sms(notification, f"{label} {about}", what, do),
        attributes={
            "kind": notification["kind"],
            "severity": notification["severity"],
            "flow": check["flow_name"],
            "environment": check["environment"],
            "id": notification["id"],
        },
    )


def _headline(notification: Notification) -> tuple[str, str]:
    """The two lines that everybody reads: what is wrong, and what to do."""
    if notification["kind"] in METRICS_KINDS:
        return _metrics(notification)
    if notification["kind"] == "maintenance":
        return _maintenance(notification)
    if notification["kind"] in FACTS:
        what, do = FACTS[notification["kind"]]
        reason = " ".join(notification.get("detail", "").split())
        return what.format(reason=reason), do.format(arn=notification["check"]["flow_arn"])
    first = notification["issues"][0]
    if notification["kind"] == "recovered":
        stopped = ", the flow was stopped" if notification["check"]["flow_status"] == "STANDBY" else ""
        return (
            f"after {_span(notification['began'], notification['ended'])}{stopped}. Was: {first['meaning']}",
            f"No action needed. {'No issue' if stopped else 'Healthy'} since {_clock(notification['ended'])} UTC.",
        )
    before = {
        "escalated": "Worse: ",
        "reminded": f"Ongoing for {_span(notification['began'], notification['check']['timestamp'])}: ",
    }.get(notification["kind"], "")
    do = _lowered(first["actions"][0]) if first["actions"] else "check the flow in the console."
    if _over(first, notification["check"]):
        check = notification["check"]
        when = f"At {_clock(check['timestamp'])} UTC, received {_delay(check)} later"
        return f"{before}{past(first['meaning'])} {when}.", f"First: check whether this is still the case. If so: {do}"
    return f"{before}{first['meaning']}", f"First: {do}"


def _metrics(notification: Notification) -> tuple[str, str]:
    if notification["kind"] == "metrics-late":
        return (
            f"Metrics are late: nothing new since {_clock(notification['began'])} UTC.",
            "First: check the streams yourself: until CloudWatch has data, only MediaConnect's events detect a fault.",
        )
    span = _span(notification["began"], notification["ended"])
    if notification["check"]["flow_status"] not in RUNS:
        return (
            f"The last flow with late metrics is off air, after {span}.",
            "No action needed. It is not known yet whether metrics arrive again.",
        )
    return (
        f"Metrics are no longer late, after {span}.",
        "No action needed. The time between is evaluated now.",
    )


def _delay(check: Check) -> str:
    """How long after it happened the check ran; empty if it ran at once."""
    started, happened = moment(check.get("started", check["timestamp"])), moment(check["timestamp"])
    return _span(check["timestamp"], started.isoformat()) if is_delayed(happened, started) else ""


def _over(issue: Issue, check: Check) -> bool:
    """Whether an issue is of the past by the time of the message: found late, and not by asking the flow itself."""
    return bool(_delay(check)) and issue["evidence"] != "status"


def past(meaning: str) -> str:
    """The meaning of an issue in the past tense."""
    return re.sub(r"\b(?:should be|cannot|[a-z]+)\b", lambda word: PAST_WORDS.get(word[0], word[0]), meaning)


def _maintenance(notification: Notification) -> tuple[str, str]:
    check, words = notification["check"], notification["detail"]
    stands = check["flow_status"] == "STANDBY"
    if words == "INPROGRESS":
        what = "the flow is in STANDBY" if stands else "expect an interruption"
        wait = (
            f"Until it ends, by {_clock(notification['ended'])} UTC, only an outage longer than a restart is notified."
        )
        return f"AWS maintenance has started: {what}.", f"No action needed. {wait}"
    how = {"FINISHED": "", "HEALTHY": f": the flow has been healthy since {_clock(notification['ended'])} UTC"}.get(
        words, f": {words.lower() if words.isupper() else words}"
    )
    if stands:
        start = f"aws mediaconnect start-flow --flow-arn {check['flow_arn']}"
        return (
            f"AWS maintenance has ended{how}. The flow is in STANDBY.",
            f"First: start it, unless it is off air on purpose: {start}",
        )
    if words in {"FINISHED", "HEALTHY"}:
        return f"AWS maintenance has ended{how}.", "No action needed. What is still wrong is notified now."
    action = "First: check the flow's maintenance in the console."
    if words == NOT_REPORTED:
        return "The AWS maintenance window is over. Its end was not reported.", action
    return f"AWS maintenance has ended{how}.", action


def _label(notification: Notification) -> str:
    if notification["kind"] == "metrics-recovered" and notification["check"]["flow_status"] not in RUNS:
        return notification["severity"]  # whether metrics arrive again is not known
    return LABELS.get(notification["kind"], notification["severity"])


def _lowered(action: str) -> str:
    """An action after a colon; a name in capital letters stays."""
    return action if action[1:2].isupper() else f"{action[:1].lower()}{action[1:]}"


def _subject(text: str) -> str:
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return plain if len(plain) <= SUBJECT_LIMIT else f"{plain[: SUBJECT_LIMIT - 3].rstrip()}..."


def _sendable(text: str) -> str:
    """The text as SNS takes it: in characters that can be encoded, and not too long."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= BODY_LIMIT:
        return encoded.decode()
    return f"{encoded[:BODY_LIMIT].decode(errors='ignore')}\n(This message was too long and is cut here.)\n"


def _sms(notification: Notification, names: str, what: str, do: str) -> str:
    check = notification["check"]
    others = len(notification["issues"]) - 1
    also = f"{others} more, " if others > 0 and notification["kind"] not in OTHER else ""
    return sms.short(names, what, [f"({also}{_clock(check['timestamp'])} UTC)", do])


def _body(notification: Notification, what: str, do: str) -> str:
    check = notification["check"]
    more = len(notification["issues"]) - 1
    resolved = RESOLVED if notification["kind"] == "recovered" else ""
    lines = [
        f"{resolved}{what}{f' ({more} more below)' if more > 0 and notification['kind'] not in OTHER else ''}",
        do,
        "",
        f"Flow: {check['flow_name']}, {check['flow_status']}",
        *_sources(notification),
        f"Environment: {check['environment']}",
        f"Time: {_when(check['timestamp'])} UTC",
        *([f"Received: {_when(check['started'])} UTC, {delay} later"] if (delay := _delay(check)) else []),
        _cause(check),
    ]
    if notification.get("began", check["timestamp"]) != check["timestamp"] or notification["kind"] == "maintenance":
        lines.append(f"Started: {_when(notification['began'])} UTC")
    over = PAST.get(notification["kind"])
    for issue in notification["issues"]:
        lines += ["", *([f"{over} {issue['severity']}: {issue['meaning']}"] if over else _issue(issue, check))]
    if notification.get("worst"):
        lines += [
            "",
            *(f"Worst {item['metric']}: {amount(item['value'], item['unit'])}" for item in notification["worst"]),
        ]
    return "\n".join([*lines, "", *_links(check)]) + "\n"


def _body_on_metrics(notification: Notification, what: str, do: str) -> str:
    check = notification["check"]
    flows = "First late flow" if notification["kind"] == "metrics-late" else "Flows that were late"
    lines = [
        *(what, do, ""),
        f"{flows}: {notification['detail']}",
        f"Environment: {check['environment']}",
        f"Time: {_when(check['timestamp'])} UTC",
        "",
        *_links(check),
    ]
    return "\n".join(lines) + "\n"


def _sources(notification: Notification) -> list[str]:
    """Which of two sources is in use, as far as MediaConnect shows; nothing if both are gone."""
    sources = notification["check"]["sources"]
    gone = any(issue["about"] == SOURCE and issue["severity"] == "CRITICAL" for issue in notification["issues"])
    if len(sources) < 2 or (gone and notification["kind"] not in PAST):  # noqa: PLR2004
        return []
    names = " and ".join(source["name"] for source in sources)
    used = [source["name"] for source in sources if source["in_use"]]
    maybe = [source["name"] for source in sources if source["in_use"] is None]
    if len(used) == 1:
        return [f"Source in use: {used[0]}"]
    return [f"Source in use: {maybe[0]} or none" if len(maybe) == 1 else f"Source in use: not known, one of {names}"]


def _span(start: str, end: str) -> str:
    """How long something lasted, in hours and minutes."""
    minutes = round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    words = [f"{hours} h"] if hours else []
    return " ".join([*words, f"{rest} min"] if rest or not hours else words) if minutes else "less than a minute"


def _when(time: str) -> str:
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M:%S}"


def _clock(time: str) -> str:
    return f"{datetime.fromisoformat(time):%H:%M}"


def _cause(check: Check) -> str:
    cause = check["trigger"]
    named = cause["name"] != cause["kind"]
    if cause["kind"] == "person":
        return f"Requested by: {cause['name'] if named else 'a person'}"
    if cause["kind"] == "schedule":
        return "Detected by: scheduled check"
    state = f" ({cause['state']})" if cause.get("state") else ""
    name = f" {cause['name']}" if named else ""
    return f"Detected by: {cause['kind']}{name}{state}"


def _issue(issue: Issue, check: Check) -> list[str]:
    over = _over(issue, check)
    return [
        f"{issue['severity']}: {past(issue['meaning']) if over else issue['meaning']}",
        f"  {_measured(issue, 'was' if over else 'is')}",
        *([f"  {issue['note']}"] if "note" in issue else []),
        *(f"  - {action}" for action in issue["actions"]),
    ]


def _measured(issue: Issue, verb: str) -> str:
    if issue["evidence"] == "event":
        return f"{issue['metric']}, reported by MediaConnect"
    if issue["evidence"] == "status":
        return f"{issue['metric']}, read from MediaConnect"
    if issue["value"] is None:
        return f"{issue['metric']}: no data"
    if issue["metric"] == BITRATE and issue["value"] == 0:
        return "No data from the source (0 bit/s)"
    limit = "" if issue["threshold"] is None else f", limit {amount(issue['threshold'], issue['unit'])}"
    return f"{issue['metric']} {verb} {amount(issue['value'], issue['unit'])}{limit}"


def amount(value: float, unit: str) -> str:
    """A number with its unit for people: 2.4 %, 18 ms, 7.9 Mbit/s."""
    if unit == "Bits/Second":
        scale, prefix = next(((scale, prefix) for scale, prefix in PREFIXES if abs(value) >= scale), (1, ""))
        return f"{value / scale:.3g} {prefix}bit/s"
    return f"{value:.6g}{UNITS.get(unit, f' {unit}')}"


def _links(check: Check) -> Sequence[str]:
    _, partition, _, region, *_ = [*check["flow_arn"].split(":"), "", "", "", ""]
    console = f"https://{region}.console.{CONSOLES.get(partition, CONSOLES['aws'])}"
    here = f"home?region={region}"
    lines = [
        f"Dashboard: {console}/cloudwatch/{here}#dashboards/dashboard/{quote(check['dashboard'], safe='')}",
        f"Flow: {console}/mediaconnect/{here}#/flows/{quote(check['flow_arn'], safe=':')}",
    ]
    if ":execution:" in check["execution"]:
        lines.append(f"Execution: {console}/states/{here}#/v2/executions/details/{quote(check['execution'], safe=':')}")
    return lines
