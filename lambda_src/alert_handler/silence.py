"""Decides what a flow's silence means: that its source is gone, or that its metrics are late. Pure.

Silence alone is no evidence, because CloudWatch's datapoints come minutes late and sometimes much later. It becomes an
incident with a second piece of evidence, or after a number of minutes: the rows of `_evidence`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from alert_handler.record import Record
from report import LATE, Issue, Report, Silence, moment

Evidence = tuple[int, str]
"""After how many minutes of silence it shows that the source is gone, and its text."""

USUALLY_LATE: Final = timedelta(minutes=3)
"""Metrics are rarely later. Only then the record holds when streams were listed: a healthy check writes nothing."""
STREAM_ERROR: Final[Evidence] = (2, "MediaConnect lists a stream error of the source.")
# Longer than metrics usually are late, so that a moment without a listed stream is no incident of a healthy flow.
NO_STREAM: Final[Evidence] = (4, "MediaConnect no longer lists a stream of the source.")
OTHERS_ARRIVE: Final[Evidence] = (5, "Newer data of other metrics or flows has arrived, so this is not lateness.")
NOTHING_ELSE: Final[Evidence] = (15, "Nothing else shows whether the source is there.")
STREAM_LISTED: Final[Evidence] = (60, "MediaConnect still lists a stream of the source: check the picture first.")


def silent_since(record: Record, report: Report) -> datetime:
    """From when silence counts: the last sign of life, the flow's start, or else the first check that was silent."""
    signs = [report.get("silence", {}).get("since", ""), record["since"] if report["flow_status"] == "ACTIVE" else ""]
    known = [moment(sign) for sign in signs if sign]
    return max(known) if known else moment(record.get("silent_from") or report["timestamp"])


def lost_source(record: Record, report: Report) -> Issue | None:
    """What is wrong if the silence of a flow is confirmed by other evidence or by its length; None if it is not."""
    silence = report.get("silence")
    if silence is None:
        return None
    since = silent_since(record, report)
    # One answer without streams, or none at all, is no evidence: they must have been gone for as long as the data.
    unlisted = max(since, moment(record.get("listed") or since.isoformat()))
    for minutes, words in _evidence(silence, record, report):
        start = unlisted if (minutes, words) in {NO_STREAM, NOTHING_ELSE} else since
        if moment(report["timestamp"]) - start >= timedelta(minutes=minutes):
            return {**silence["issue"], "since": start.isoformat(), "note": f"No data since {since:%H:%M} UTC. {words}"}
    return None


def late_since(record: Record, report: Report) -> str:
    """When the newest data of a running flow ended, if that is so long ago that metrics are late; empty if not.

    A flow of which nothing has arrived since its start has late data only if MediaConnect lists a stream of it, and
    then since its start. One that is lost has none to come, so it does not become late; but if it was, it stays so
    until data arrives, because its loss was only concluded. A check as of an earlier time shows no newer data.
    """
    before = record.get("late", "")
    if report.get("silence") is None:
        shown = report.get("as_of", report["timestamp"])
        return before if before and (not shown or moment(shown) <= moment(before)) else ""
    if lost_source(record, report):
        return before
    as_of = report.get("as_of") or before
    if record["since"] and (not as_of or moment(as_of) <= moment(record["since"])):
        as_of = record["since"] if report.get("source_metadata") == "present" else ""
    if not as_of:
        return ""
    return as_of if moment(report["timestamp"]) - moment(as_of) >= LATE else ""


def _evidence(silence: Silence, record: Record, report: Report) -> Iterator[Evidence]:
    """What the flow has of evidence, the quickest first."""
    metadata = report.get("source_metadata")
    if silence["source_error"]:
        yield STREAM_ERROR
    # Whether MediaConnect lists streams for every protocol is not documented: only a change is evidence.
    if metadata == "absent" and record.get("described"):
        yield NO_STREAM
    if silence["others_arrive"]:
        yield OTHERS_ARRIVE
    yield STREAM_LISTED if metadata == "present" else NOTHING_ELSE
