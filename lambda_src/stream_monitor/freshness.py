"""How far the data of a flow has arrived, and what its silence may mean. Pure: no clock, network or environment.

CloudWatch gets MediaConnect's datapoints one to three minutes after the fact and publishes no bound, so "no data yet"
is not "no data". Everything is evaluated as of the newest data that has arrived (the watermark), never as of the clock.
Whether silence is an incident is decided in `alert_handler.silence`, which knows what the flow was like before.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from report import LATE, Issue, Rule, Silence

Points = Mapping[datetime, float]
"""Value by start of period."""

SILENT: Final = timedelta(minutes=2)
"""From this age of the last sign that a source lives on, the report has its silence."""
BITRATE: Final = "SourceBitRate"
STREAM_ERROR: Final = re.compile(r"\bsource\b.*\bstream error\b", re.IGNORECASE)
"""MediaConnect's wording for a source that sends nothing usable, in alerts and in DescribeFlow's `Messages`."""


def end_of(rule: Rule, points: Points) -> datetime | None:
    """The end of the newest period that has a datapoint; None if none has."""
    return max(points) + timedelta(seconds=rule["period"]) if points else None


def watermark(rules: Iterable[Rule], points: Mapping[str, Points]) -> datetime | None:
    """The end of the newest period of any series of the flow; None if nothing has arrived.

    Args:
        rules: the flow's rules.
        points: datapoints by the key of their rule.
    """
    return max((end for rule in rules if (end := end_of(rule, points.get(rule["key"], {})))), default=None)


def evaluated_as_of(rule: Rule, points: Points, mark: datetime | None) -> datetime | None:
    """The moment as of which a rule is evaluated; None if its series is silent.

    Series arrive at different times, so each is evaluated as of its own newest data, unless that lies so far behind the
    flow's watermark that lateness does not explain it.
    """
    end = end_of(rule, points)
    return end if end and mark and mark - end < LATE else None


def last_sign(presence: Rule, rules: Iterable[Rule], points: Mapping[str, Points]) -> datetime | None:
    """The end of the newest period in which a datapoint shows that a source lives; None if none does.

    Either the presence metric does, or the bitrate: which of them a protocol emits is not documented for all.
    """
    ends = [
        time + timedelta(seconds=rule["period"])
        for rule in rules
        if rule["key"] == presence["key"] or rule["metric"] == BITRATE
        for time, value in points.get(rule["key"], {}).items()
        if value > 0
    ]
    return max(ends, default=None)


def is_silent(sign: datetime | None, now: datetime, span: timedelta) -> bool:
    """Whether nothing has shown for a span that a source lives."""
    return sign is None or now - sign >= span


def silence(
    issue: Issue, sign: datetime | None, *, mark: datetime | None, others: datetime | None, errors: Sequence[str]
) -> Silence:
    """What is known of a flow whose source does not show in its metrics.

    Args:
        issue: what is wrong if the source is gone.
        sign: when a datapoint last showed that it lives.
        mark: the flow's watermark.
        others: up to when data of any flow of this Region has arrived; None if that is not known.
        errors: the present alerts of the flow, as DescribeFlow lists them.
    """
    newest = max((moment for moment in (mark, others) if moment), default=None)
    found: Silence = {
        "issue": issue,
        "source_error": any(STREAM_ERROR.search(text) for text in errors),
        "others_arrive": newest is not None and (sign is None or newest - sign >= LATE),
    }
    if sign:
        found["since"] = sign.isoformat()
    return found


def alerts_of(answer: Mapping[str, Any]) -> list[str]:
    """The present alerts in DescribeFlow's answer; every key is optional."""
    messages = answer.get("Messages")
    errors = messages.get("Errors") if isinstance(messages, Mapping) else None
    return [str(text) for text in errors] if isinstance(errors, Sequence) and not isinstance(errors, str) else []


def lists_streams(answer: Mapping[str, Any]) -> bool:
    """Whether DescribeFlowSourceMetadata lists a program with a stream; every key is optional."""
    info = answer.get("TransportMediaInfo")
    programs = info.get("Programs") if isinstance(info, Mapping) else None
    return any(isinstance(program, Mapping) and program.get("Streams") for program in programs or ())
