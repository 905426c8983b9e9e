"""A new alarm is in INSUFFICIENT_DATA until it was evaluated. moto begins with OK, which hides the first change."""

from typing import Any

from moto.cloudwatch import models


def install() -> None:
    """Begin alarms as CloudWatch does."""
    create = models.Alarm.__init__

    def begin(self: Any, *args: Any, **kwargs: Any) -> None:
        create(self, *args, **kwargs)
        self.state_value = "INSUFFICIENT_DATA"

    models.Alarm.__init__ = begin
