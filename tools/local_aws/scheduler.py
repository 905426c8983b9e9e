"""Invokes schedules of EventBridge Scheduler that are due between two moments, and counts them in AWS/Scheduler.

Only `rate(... minutes)` that starts a state machine, as deployed. Times are multiples of the rate since the epoch, and
so round; the real scheduler counts from when a schedule was created, which has no place on a rehearsal's clock.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from moto.scheduler.models import scheduler_backends

from tools.local_aws import executions
from tools.local_aws.backends import ACCOUNT_ID, put_datapoint, send_to_queue
from tools.local_aws.executions import CannotStartError


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoked:
    """A schedule that was due, and the execution that it started, or the error."""

    schedule: str
    time: datetime
    execution_arn: str | None = None
    error: str | None = None


def seconds_between(expression: str) -> int:
    """The interval of a `rate(...)` expression in minutes.

    Raises:
        NotImplementedError: it is of another kind.
    """
    found = re.fullmatch(r"rate\((\d+) minutes?\)", expression)
    if not found:
        raise NotImplementedError(f"the local scheduler cannot invoke {expression}: use rate(... minutes)")
    return int(found[1]) * 60


def invoke_schedules(after: datetime, until: datetime, *, region: str, name: str = "*/*") -> list[Invoked]:
    """Invoke every enabled schedule for each time it is due later than `after` and not later than `until`.

    In the order of time, and then of the schedules' ARNs. `name` is a pattern of "group/schedule". Nothing is retried;
    what a target refused goes to the schedule's dead-letter queue, and is lost without one.

    Raises:
        NotImplementedError: a schedule is not a rate in minutes, has a start or end, or starts no state machine.
    """
    due = sorted(
        ((moment, schedule) for schedule in _schedules(region, name) for moment in _moments(schedule, after, until)),
        key=lambda item: (item[0], item[1].arn),
    )
    return [_invoke(schedule, moment) for moment, schedule in due]


def _schedules(region: str, name: str) -> Iterator[Any]:
    for group in scheduler_backends[ACCOUNT_ID][region].schedule_groups.values():
        for schedule in group.schedules.values():
            if schedule.state == "ENABLED" and fnmatchcase(f"{group.name}/{schedule.name}", name):
                yield schedule


def _moments(schedule: Any, after: datetime, until: datetime) -> Iterator[datetime]:
    if schedule.start_date or schedule.end_date:
        raise NotImplementedError(f"the local scheduler cannot invoke {schedule.name}: leave out its start and end")
    step = seconds_between(schedule.schedule_expression)
    first = (int(after.timestamp()) // step + 1) * step
    yield from (datetime.fromtimestamp(moment, UTC) for moment in range(first, int(until.timestamp()) + 1, step))


def _invoke(schedule: Any, moment: datetime) -> Invoked:
    arn = schedule.target["Arn"]
    if ":states:" not in arn:
        raise NotImplementedError(f"the local scheduler cannot start {arn} of {schedule.name}: use a state machine")
    given = str(schedule.target.get("Input", "{}"))
    context = {
        "<aws.scheduler.scheduled-time>": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "<aws.scheduler.schedule-arn>": schedule.arn,
        "<aws.scheduler.execution-id>": f"{schedule.name}-{int(moment.timestamp())}",
        "<aws.scheduler.attempt-number>": "1",
    }
    for attribute, value in context.items():
        given = given.replace(attribute, value)
    region = schedule.arn.split(":")[3]
    attempts = ("AWS/Scheduler", "InvocationAttemptCount")
    put_datapoint(region, attempts, ("ScheduleGroup", schedule.group_name), 1, at=moment)
    try:
        started = executions.start(arn, json.loads(given))
    except CannotStartError as error:
        _to_dead_letter_queue(schedule, given, error, context)
        return Invoked(schedule=schedule.name, time=moment, error=str(error))
    return Invoked(schedule=schedule.name, time=moment, execution_arn=started)


def _to_dead_letter_queue(schedule: Any, given: str, error: CannotStartError, context: Mapping[str, str]) -> None:
    """Send the API request to the schedule's queue, as "Configuring a dead-letter queue" of the guide shows it."""
    queue_arn = schedule.target.get("DeadLetterConfig", {}).get("Arn")
    if not queue_arn:
        return
    attributes = {
        "ERROR_CODE": str(getattr(error.__cause__, "error_type", "")),
        "ERROR_MESSAGE": str(error),
        "EXECUTION_ID": context["<aws.scheduler.execution-id>"],
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": "0",
        "SCHEDULED_TIME": context["<aws.scheduler.scheduled-time>"],
        "SCHEDULE_ARN": schedule.arn,
        "TARGET_ARN": schedule.target["Arn"],
    }
    send_to_queue(str(queue_arn), json.dumps({"StateMachineArn": schedule.target["Arn"], "Input": given}), attributes)
