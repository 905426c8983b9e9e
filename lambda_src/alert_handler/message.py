"""Words for the person who reads the alert, on a phone, at night. Pure: a report in, a message out.

The first two lines say what is wrong and what to do. Whether to send is not decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from report import Issue, Report

SUBJECT_LIMIT: Final = 99
"""SNS takes subjects of less than 100 characters, without line breaks or control characters."""

CONSOLES: Final = {"aws": "aws.amazon.com", "aws-cn": "amazonaws.cn", "aws-us-gov": "amazonaws-us-gov.com"}
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


class ReportError(ValueError):
    """The report lacks what a message needs; never read as "healthy"."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as SNS publishes it."""

    subject: str
    body: str
    attributes: dict[str, str]


def compose(report: Report) -> Message:
    """The message of an unhealthy report.

    Raises:
        ReportError: a part is missing, or there is no issue to tell of.
    """
    missing = sorted(Report.__required_keys__ - set(report))
    if missing:
        raise ReportError(f"the report lacks {', '.join(missing)}")
    if report["healthy"] or not report["issues"]:
        raise ReportError(f"the report of {report['flow_name']} has nothing to tell: healthy is {report['healthy']}")
    return Message(
        subject=_subject(report),
        body=_body(report),
        attributes={
            "kind": "alert",
            "severity": report["severity"],
            "flow": report["flow_name"],
            "environment": report["environment"],
        },
    )


def _subject(report: Report) -> str:
    text = f"[{report['severity']}] {report['flow_name']} ({report['environment']}): {report['issues'][0]['meaning']}"
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return plain if len(plain) <= SUBJECT_LIMIT else f"{plain[: SUBJECT_LIMIT - 3].rstrip()}..."


def _body(report: Report) -> str:
    first = report["issues"][0]
    when = datetime.fromisoformat(report["timestamp"])
    more = len(report["issues"]) - 1
    lines = [
        f"{first['meaning']}{f' ({more} more below)' if more else ''}",
        f"Do first: {first['actions'][0] if first['actions'] else 'look at the flow in the console.'}",
        "",
        f"Flow: {report['flow_name']}, {report['flow_status']}",
        f"Environment: {report['environment']}",
        f"Time: {when:%Y-%m-%d %H:%M:%S} UTC",
        f"Noticed by: {_noticed(report)}",
    ]
    for issue in report["issues"]:
        lines += ["", *_issue(issue)]
    return "\n".join([*lines, "", *_links(report)]) + "\n"


def _noticed(report: Report) -> str:
    cause = report["trigger"]
    state = f" ({cause['state']})" if cause.get("state") else ""
    name = "" if cause["name"] == cause["kind"] else f" {cause['name']}"
    return f"{cause['kind']}{name}{state}"


def _issue(issue: Issue) -> list[str]:
    return [
        f"{issue['severity']}: {issue['meaning']}",
        f"  {_measured(issue)}",
        *(f"  - {action}" for action in issue["actions"]),
    ]


def _measured(issue: Issue) -> str:
    if issue["evidence"] == "event":
        return f"{issue['metric']}, reported by MediaConnect"
    if issue["evidence"] == "status":
        return f"{issue['metric']}, read from MediaConnect"
    if issue["value"] is None:
        return f"{issue['metric']}: no data arrives"
    limit = "" if issue["threshold"] is None else f", limit {amount(issue['threshold'], issue['unit'])}"
    return f"{issue['metric']} is {amount(issue['value'], issue['unit'])}{limit}"


def amount(value: float, unit: str) -> str:
    """A number with its unit as a person would say it: 2.4 %, 18 ms, 7.9 Mbit/s."""
    if unit == "Bits/Second":
        scale, prefix = next(((scale, prefix) for scale, prefix in PREFIXES if abs(value) >= scale), (1, ""))
        return f"{value / scale:.3g} {prefix}bit/s"
    return f"{value:.6g}{UNITS.get(unit, f' {unit}')}"


def _links(report: Report) -> Sequence[str]:
    _, partition, _, region, *_ = [*report["flow_arn"].split(":"), "", "", "", ""]
    console = f"https://{region}.console.{CONSOLES.get(partition, CONSOLES['aws'])}"
    here = f"home?region={region}"
    lines = [
        f"Dashboard: {console}/cloudwatch/{here}#dashboards/dashboard/{quote(report['dashboard'], safe='')}",
        f"Flow: {console}/mediaconnect/{here}#/flows/{quote(report['flow_arn'], safe=':')}",
    ]
    if ":execution:" in report["execution"]:
        lines.append(
            f"Execution: {console}/states/{here}#/v2/executions/details/{quote(report['execution'], safe=':')}"
        )
    return lines
