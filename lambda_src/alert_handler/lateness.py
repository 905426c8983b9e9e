"""Decides on the one notification of an environment that its metrics are late, and that they arrive again. Pure.

The environment has a record of its own, under a name that no flow can have. Rules on metrics detect
nothing while metrics are late, so somebody must know; but late metrics are no fault of a flow.
"""

import copy
from datetime import timedelta
from typing import Final

from alert_handler.record import Kind, Notification, Record, check_of
from report import Report, Severity, moment, ran_at

ENVIRONMENT: Final = "*"
"""The flow name under which an environment's own record is kept."""
SEVERITY: Final[Severity] = "HIGH"
LISTED: Final = 20
"""Flows in the record: the newest state of some is enough, and 500 flows need not all write it."""
FORGOTTEN_AFTER: Final = timedelta(hours=24)
"""A flow that was late and is not checked any more, because it was removed, keeps nothing open for longer."""


def decide(record: Record, report: Report, since: str) -> Record:
    """The environment's record after a check of a flow, with the notifications that it adds pending.

    Args:
        record: the environment's record; left as it is.
        report: what the monitor found of one flow.
        since: when the flow's newest data ended if its metrics are late; empty if they are not.
    """
    after = copy.deepcopy(record)
    now, name = moment(report["timestamp"]), report["flow_name"]
    before = after.get("late_flows", {})
    flows = {flow: time for flow, time in before.items() if flow != name and moment(time) + FORGOTTEN_AFTER > now}
    if since and len(flows) < LISTED:
        flows[name] = since
    after["late_flows"] = flows
    if flows and not before:
        after["late"] = since
        after["pending"].append(_notification("metrics-late", report, flows, began=since))
    elif before and not flows:
        began = after.get("late") or report["timestamp"]
        after["late"] = ""
        after["pending"].append(_notification("metrics-recovered", report, before, began=began))
    return after


def _notification(kind: Kind, report: Report, flows: dict[str, str], *, began: str) -> Notification:
    return {
        # Not of when it began: metrics may become late twice after the same datapoint.
        "id": f"{ENVIRONMENT}/{report['timestamp']}/{kind}",
        "kind": kind,
        "severity": SEVERITY,
        "check": {**check_of(report), "flow_name": ENVIRONMENT},
        "issues": [],
        "began": began,
        "ended": ran_at(report).isoformat(),
        "detail": ", ".join(sorted(flows)),
    }
