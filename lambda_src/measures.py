"""Counts what the functions did, as CloudWatch metrics of the environment: one line of the log for each call.

The line is in CloudWatch's embedded metric format, so counting needs no call and no permission; see "Embedding metrics
within logs" in the CloudWatch User Guide. Only counts belong here, with the environment as their one dimension: each
combination of metric and dimensions is a custom metric that costs 0.30 a month.
"""

import json
import os
import sys
import time
from typing import Final

NAMESPACE: Final = "MediaWorkflow"
DIMENSION: Final = "Environment"
CHECKS: Final = "Checks"
INCIDENTS_OPENED: Final = "IncidentsOpened"
NOTIFICATIONS_SENT: Final = "NotificationsSent"
INPUTS_REFUSED: Final = "InputsRefused"
"""Executions that a person started with an input that starts no check; they fail, and raise no alarm."""
METRICS: Final = (CHECKS, INCIDENTS_OPENED, NOTIFICATIONS_SENT, INPUTS_REFUSED)


def count(metric: str, value: int = 1) -> None:
    """Add to a metric of the environment in which the function runs."""
    definition = {"Name": metric, "Unit": "Count"}
    described = {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": [definition]}
    # Not logged: a line that is JSON already reaches CloudWatch as it is.
    line = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [described]},
        DIMENSION: os.environ["ENVIRONMENT"],
        metric: value,
    }
    sys.stdout.write(json.dumps(line) + "\n")
