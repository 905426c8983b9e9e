"""Alarms can be listed while others are created.

moto 5.2.5: lists the alarms that it stores, so a listing fails with a server error where PutMetricAlarm runs beside it.
AWS: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
Remove when: moto lists a copy of its alarms.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.cloudwatch.models import CloudWatchBackend

from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)


class _Alarms(dict[str, Any]):
    """Alarms by name, whose values are a copy."""

    def values(self) -> Any:
        return list(super().values())


@GAP.wraps(CloudWatchBackend, "__init__", "(self, region_name, account_id)")
def _init(init: Callable[..., None], self: Any, region_name: str, account_id: str) -> None:
    init(self, region_name, account_id)
    self.alarms = _Alarms(self.alarms)
