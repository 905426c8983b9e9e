"""DescribeAlarmHistory, with what came of each action. moto has no history of alarms.

Only items of the type Action; the words are those that CloudWatch writes ("Failed to execute action ...", re:Post,
"Why didn't I receive an SNS notification for my CloudWatch alarm trigger?").
"""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from tools.local_aws import clock


@cache
def install() -> None:
    """Answer the call."""
    CloudWatchResponse.describe_alarm_history = _describe


def note(alarm: Any, action: str, *, error: str | None = None) -> None:
    """Write into an alarm's history what came of an action."""
    done = f'Failed to execute action {action}. Received error: "{error}"' if error else None
    item = {
        "AlarmName": alarm.name,
        "AlarmType": "MetricAlarm",
        "Timestamp": clock.now(),
        "HistoryItemType": "Action",
        "HistorySummary": done or f"Successfully executed action {action}",
    }
    vars(alarm).setdefault("action_history", []).append(item)


def forget(alarm: Any) -> None:
    """Forget an alarm's history."""
    vars(alarm).pop("action_history", None)


def _describe(self: Any) -> ActionResult:
    name, kind = self._get_param("AlarmName"), self._get_param("HistoryItemType")
    since = _moment(self._get_param("StartDate"))
    alarms = self.cloudwatch_backend.alarms.values()
    items = [
        item
        for alarm in alarms
        for item in getattr(alarm, "action_history", [])
        if name in {None, alarm.name} and kind in {None, item["HistoryItemType"]} and item["Timestamp"] >= since
    ]
    newest_first = self._get_param("ScanBy") != "TimestampAscending"
    items.sort(key=lambda item: item["Timestamp"], reverse=newest_first)
    return ActionResult({"AlarmHistoryItems": items[: int(self._get_param("MaxRecords") or 100)]})


def _moment(given: Any) -> datetime:
    """A time of a request, which comes as text, number or moment depending on the protocol."""
    if given is None:
        return datetime.min.replace(tzinfo=UTC)
    if isinstance(given, int | float):
        return datetime.fromtimestamp(given, UTC)
    moment = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
