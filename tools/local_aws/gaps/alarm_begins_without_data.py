"""A new alarm is in INSUFFICIENT_DATA until it was evaluated, and a changed one keeps its state.

moto begins with OK, also where PutMetricAlarm changes an alarm; both hide transitions.
"""

from typing import Any

from moto.cloudwatch import models


def install() -> None:
    """Begin alarms, and change them, as CloudWatch does."""
    put = models.CloudWatchBackend.put_metric_alarm

    def keep_state(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = self.alarms.get(kwargs["name"])
        alarm = put(self, *args, **kwargs)
        if before is None:
            alarm.state_value = "INSUFFICIENT_DATA"
        else:
            for name in ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp"):
                setattr(alarm, name, getattr(before, name))
        return alarm

    models.CloudWatchBackend.put_metric_alarm = keep_state
