"""Schedules are invoked by the rehearsal's clock."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.local.empty_region import ROLE, EmptyRegion, minute
from tools.local_aws import LocalAws, executions
from tools.local_aws.scheduler import invoke_schedules, seconds_between


@pytest.fixture
def region(aws: LocalAws) -> EmptyRegion:
    return EmptyRegion(aws)


def schedule(region: EmptyRegion, name: str, expression: str, target: str, given: Any = None, **more: Any) -> None:
    given_input = {} if given is None else {"Input": json.dumps(given)}
    region.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression=expression,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": target, "RoleArn": ROLE, **given_input},
        **more,
    )


def invoked(region: EmptyRegion, after: datetime, until: datetime) -> list[tuple[str, float]]:
    return [
        (one.schedule, (one.time - minute(0)) / timedelta(minutes=1))
        for one in invoke_schedules(after, until, region=region.name)
    ]


@pytest.mark.parametrize(("expression", "seconds"), [("rate(1 minute)", 60), ("rate(15 minutes)", 900)])
def test_rate_in_minutes_is_read(expression: str, seconds: int) -> None:
    assert seconds_between(expression) == seconds


@pytest.mark.parametrize("expression", ["cron(0 20 * * ? *)", "at(2026-11-23T20:00:00)", "rate(1 hour)"])
def test_other_schedules_are_refused(region: EmptyRegion, expression: str) -> None:
    """So that they do not are never invoked in silence."""
    schedule(region, "other", expression, region.state_machine())
    with pytest.raises(NotImplementedError, match=r"use rate\(\.\.\. minutes\)"):
        invoke_schedules(minute(0), minute(1), region=region.name)


def test_schedule_is_invoked_at_each_due_time(region: EmptyRegion) -> None:
    """Without the start, with the end."""
    schedule(region, "look", "rate(5 minutes)", region.state_machine())
    assert invoked(region, minute(0), minute(10)) == [("look", 5.0), ("look", 10.0)]
    assert invoked(region, minute(10), minute(14.9)) == []


def test_firing_minute_by_minute_misses_and_repeats_nothing(region: EmptyRegion) -> None:
    schedule(region, "look", "rate(5 minutes)", region.state_machine())
    seen = [one for number in range(1, 13) for one in invoked(region, minute(number - 1), minute(number))]
    assert seen == [("look", 5.0), ("look", 10.0)]


@pytest.mark.parametrize("date", ["StartDate", "EndDate"])
def test_schedule_with_start_or_end_is_refused(region: EmptyRegion, date: str) -> None:
    schedule(region, "show", "rate(5 minutes)", region.state_machine(), **{date: minute(13)})
    with pytest.raises(NotImplementedError, match="leave out its start and end"):
        invoke_schedules(minute(-20), minute(60), region=region.name)


def test_enabled_schedules_of_all_groups_be_invoked_in_order_of_time(region: EmptyRegion) -> None:
    workflow = region.state_machine()
    region.client("scheduler").create_schedule_group(Name="prod")
    schedule(region, "b", "rate(5 minutes)", workflow, GroupName="prod")
    schedule(region, "a", "rate(10 minutes)", workflow)
    schedule(region, "off", "rate(5 minutes)", workflow, State="DISABLED")
    assert invoked(region, minute(0), minute(10)) == [("b", 5.0), ("a", 10.0), ("b", 10.0)]


def test_context_attributes_are_replaced_in_the_input(region: EmptyRegion) -> None:
    given_input = {
        "kind": "schedule",
        "time": "<aws.scheduler.scheduled-time>",
        "schedule": "<aws.scheduler.schedule-arn>",
        "run": "<aws.scheduler.execution-id>",
    }
    schedule(region, "look", "rate(5 minutes)", region.state_machine(), given_input)
    started = [str(one.execution_arn) for one in invoke_schedules(minute(0), minute(10), region=region.name)]
    assert executions.wait_for(started[0]).status == "SUCCEEDED"
    given = [region.execution_input(arn) for arn in started]
    assert given[0].pop("run") != given[1].pop("run")
    assert given[0] == {
        "kind": "schedule",
        "time": "2026-11-23T20:05:00Z",
        "schedule": f"arn:aws:scheduler:{region.name}:123456789012:schedule/default/look",
    }


def test_schedule_that_starts_no_state_machine_is_refused(region: EmptyRegion) -> None:
    schedule(region, "look", "rate(5 minutes)", region.queue("any"))
    with pytest.raises(NotImplementedError, match="use a state machine"):
        invoke_schedules(minute(0), minute(5), region=region.name)


def test_refused_request_goes_to_the_dead_letter_queue(region: EmptyRegion) -> None:
    """Not the input, but the request to Step Functions with the reason, as the Scheduler guide shows it."""
    gone = f"arn:aws:states:{region.name}:123456789012:stateMachine:gone"
    given_input = {"kind": "schedule", "time": "<aws.scheduler.scheduled-time>"}
    region.client("scheduler").create_schedule(
        Name="check",
        ScheduleExpression="rate(5 minutes)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": gone,
            "RoleArn": ROLE,
            "Input": json.dumps(given_input),
            "DeadLetterConfig": {"Arn": region.queue("letters")},
        },
    )
    (invoked,) = invoke_schedules(minute(0), minute(5), region=region.name)
    assert invoked.execution_arn is None
    assert "gone" in str(invoked.error)
    (message,) = region.waiting("letters")
    assert json.loads(message["Body"]) == {
        "StateMachineArn": gone,
        "Input": '{"kind": "schedule", "time": "2026-11-23T20:05:00Z"}',
    }
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert (
        attributes.items()
        >= {
            "ERROR_CODE": "StateMachineDoesNotExist",
            "RETRY_ATTEMPTS": "0",
            "SCHEDULED_TIME": "2026-11-23T20:05:00Z",
            "SCHEDULE_ARN": f"arn:aws:scheduler:{region.name}:123456789012:schedule/default/check",
            "TARGET_ARN": gone,
        }.items()
    )


def test_refused_request_without_a_dead_letter_queue_is_lost(region: EmptyRegion) -> None:
    schedule(region, "look", "rate(5 minutes)", f"arn:aws:states:{region.name}:123456789012:stateMachine:gone")
    (invoked,) = invoke_schedules(minute(0), minute(5), region=region.name)
    assert (invoked.execution_arn, "gone" in str(invoked.error)) == (None, True)
