"""A new alarm has no data until it is evaluated, and a changed one keeps its state.

moto 5.2.5: sets OK, also where PutMetricAlarm changes an alarm; both hide transitions.
AWS: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
Remove when: a new alarm of moto is in INSUFFICIENT_DATA, and a changed one in its old state.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.cloudwatch.models import CloudWatchBackend

from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)
STATE: Final = ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp")


@GAP.wraps(CloudWatchBackend, "put_metric_alarm", "(self, name, ...)")
def _put_metric_alarm(put: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    before = self.alarms.get(kwargs["name"])
    alarm = put(self, *args, **kwargs)
    if before is None:
        alarm.state_value = "INSUFFICIENT_DATA"
    else:
        for name in STATE:
            setattr(alarm, name, getattr(before, name))
    return alarm
