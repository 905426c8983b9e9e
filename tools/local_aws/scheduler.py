"""Fires schedules of EventBridge Scheduler that fall due between two moments, and counts them in AWS/Scheduler.

Only `rate(...)` schedules. They are counted from their start date, and without one from the epoch, so that they fall
due at round times; the real scheduler counts from when a schedule was made, which has no place on a rehearsal's clock.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, Final

from moto.cloudwatch.models import cloudwatch_backends
from moto.scheduler.models import scheduler_backends
from moto.sqs.models import sqs_backends

from tools.local_aws import executions
from tools.local_aws.eventbridge import ACCOUNT_ID
from tools.local_aws.executions import CannotStartError

UNITS: Final = {"minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """A schedule that fell due, and the execution that it started; or the error for which it could not."""

    schedule: str
    time: datetime
    execution_arn: str | None = None
    error: str | None = None


def seconds_between(expression: str) -> int:
    """The interval of a `rate(...)` expression.

    Raises:
        NotImplementedError: it is of another kind.
    """
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    if not found:
        raise NotImplementedError(f"the local scheduler knows rate(...) only, not {expression}")
    return int(found[1]) * UNITS[found[2]]


def fire_schedules(after: datetime, until: datetime, *, region: str, name: str = "*/*") -> list[Fired]:
    """Fire every enabled schedule for each time it falls due later than `after` and not later than `until`.

    In the order of time; at one time, of the schedules' ARNs. `name` is a pattern of "group/schedule". Nothing is
    retried; what a target refused goes to the schedule's dead-letter queue, and is lost without one.

    Raises:
        NotImplementedError: a schedule is no `rate(...)`, or starts something else than a state machine.
    """
    due = sorted(
        ((moment, schedule) for schedule in _schedules(region, name) for moment in _moments(schedule, after, until)),
        key=lambda item: (item[0], item[1].arn),
    )
    return [_fire(schedule, moment) for moment, schedule in due]


def _schedules(region: str, name: str) -> Iterator[Any]:
    for group in scheduler_backends[ACCOUNT_ID][region].schedule_groups.values():
        for schedule in group.schedules.values():
            if schedule.state == "ENABLED" and fnmatchcase(f"{group.name}/{schedule.name}", name):
                yield schedule


def _moments(schedule: Any, after: datetime, until: datetime) -> Iterator[datetime]:
    step = seconds_between(schedule.schedule_expression)
    start = int(schedule.start_date or 0)
    end = min(int(schedule.end_date or until.timestamp()), int(until.timestamp()))
    first = max(start, start + ((int(after.timestamp()) - start) // step + 1) * step)
    yield from (datetime.fromtimestamp(moment, UTC) for moment in range(first, end + 1, step))


def _fire(schedule: Any, moment: datetime) -> Fired:
    words = {
        "<aws.scheduler.scheduled-time>": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "<aws.scheduler.schedule-arn>": schedule.arn,
        "<aws.scheduler.execution-id>": f"{schedule.name}-{int(moment.timestamp())}",
        "<aws.scheduler.attempt-number>": "1",
    }
    arn = schedule.target["Arn"]
    if ":states:" not in arn:
        raise NotImplementedError(f"the schedule {schedule.name} starts {arn}; only state machines are started here")
    given = str(schedule.target.get("Input", "{}"))
    for placeholder, value in words.items():
        given = given.replace(placeholder, value)
    _count(schedule, moment)
    try:
        started = executions.start(arn, json.loads(given))
    except CannotStartError as error:
        _to_dead_letters(schedule, given, error, words)
        return Fired(schedule=schedule.name, time=moment, error=str(error))
    return Fired(schedule=schedule.name, time=moment, execution_arn=started)


def _to_dead_letters(schedule: Any, given: str, error: CannotStartError, words: Mapping[str, str]) -> None:
    """The API request in the schedule's queue, as "Configuring a dead-letter queue" of the Scheduler guide shows it."""
    queue_arn = schedule.target.get("DeadLetterConfig", {}).get("Arn")
    if not queue_arn:
        return
    *_, region, account_id, name = str(queue_arn).split(":")
    attributes = {
        "ERROR_CODE": str(getattr(error.__cause__, "error_type", "")),
        "ERROR_MESSAGE": str(error),
        "EXECUTION_ID": words["<aws.scheduler.execution-id>"],
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": "0",
        "SCHEDULED_TIME": words["<aws.scheduler.scheduled-time>"],
        "SCHEDULE_ARN": schedule.arn,
        "TARGET_ARN": schedule.target["Arn"],
    }
    sqs_backends[account_id][region].send_message(
        queue_name=name,
        message_body=json.dumps({"StateMachineArn": schedule.target["Arn"], "Input": given}),
        message_attributes={
            key: {"DataType": "String", "StringValue": value} for key, value in attributes.items() if value
        },
    )


def _count(schedule: Any, moment: datetime) -> None:
    """One attempt more in the metric of the schedule's group, as the real scheduler counts."""
    *_, region, account_id, _ = schedule.arn.split(":")
    cloudwatch_backends[account_id][region].put_metric_data(
        "AWS/Scheduler",
        [
            {
                "MetricName": "InvocationAttemptCount",
                "Dimensions": [{"Name": "ScheduleGroup", "Value": schedule.group_name}],
                "Timestamp": moment.replace(tzinfo=None),  # moto's times are UTC, unsaid
                "Value": 1,
                "Unit": "Count",
            }
        ],
    )
