"""DescribeAlarmHistory, with the outcome of each action.

Only items of the type Action, in CloudWatch's words: "Failed to execute action ...", as in re:Post, "Why didn't I
receive an SNS notification for my CloudWatch alarm trigger?".

moto 5.2.5: has no history of alarms.
AWS: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
Remove when: moto evaluates alarms itself and keeps their actions.
"""

from datetime import UTC, datetime
from typing import Any, Final

from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from tools.local_aws import clock
from tools.local_aws.backends import attached
from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)


def note(alarm: Any, action: str, *, error: str | None = None) -> None:
    """Add the outcome of an action to an alarm's history."""
    failed = f'Failed to execute action {action}. Received error: "{error}"' if error else None
    item = {
        "AlarmName": alarm.name,
        "AlarmType": "MetricAlarm",
        "Timestamp": clock.now(),
        "HistoryItemType": "Action",
        "HistorySummary": failed or f"Successfully executed action {action}",
    }
    _items(alarm).append(item)


def forget(alarm: Any) -> None:
    """Forget an alarm's history."""
    _items(alarm).clear()


def _items(alarm: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = attached(alarm, "action_history", list)
    return items


@GAP.adds(CloudWatchResponse, "describe_alarm_history")
def _describe_alarm_history(self: Any) -> ActionResult:
    name, kind = self._get_param("AlarmName"), self._get_param("HistoryItemType")
    since = _moment(self._get_param("StartDate"))
    alarms = self.cloudwatch_backend.alarms.values()
    items = [
        item
        for alarm in alarms
        for item in _items(alarm)
        if name in {None, alarm.name} and kind in {None, item["HistoryItemType"]} and item["Timestamp"] >= since
    ]
    newest_first = self._get_param("ScanBy") != "TimestampAscending"
    items.sort(key=lambda item: item["Timestamp"], reverse=newest_first)
    return ActionResult({"AlarmHistoryItems": items[: int(self._get_param("MaxRecords") or 100)]})


def _moment(given: Any) -> datetime:
    """A time of a request: text, number or datetime, depending on the protocol."""
    if given is None:
        return datetime.min.replace(tzinfo=UTC)
    if isinstance(given, int | float):
        return datetime.fromtimestamp(given, UTC)
    moment = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
