"""A person's wrong input fails its execution and notifies nobody; failures beside it are still counted."""

from datetime import timedelta

import pytest
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from tests.local.conftest import Begin
from tests.local.evening import GOOD_RTP, Evening
from tools.local_aws import ACCOUNT_ID, executions, faults
from tools.local_aws.executions import Execution
from tools.local_aws.gaps.lambda_invocation import INVOCATIONS
from tools.local_aws.service_metrics import count_execution

ALARM = "executions-failed"


def start(evening: Evening, given: dict[str, str]) -> Execution:
    """An execution by hand, counted as Step Functions and Lambda count it."""
    before = len(INVOCATIONS)
    backend = stepfunctions_parser_backends[ACCOUNT_ID][evening.aws.region]
    machine = next(one for one in backend.state_machines if one.name == "media-workflow-venue-workflow")
    ended = executions.wait_for(executions.start(machine.arn, given))
    count_execution(ended, INVOCATIONS[before:], evening.now)
    return ended


def raised(evening: Evening) -> list[str]:
    """Self-monitoring alarms that notified."""
    return [message.subject for message in evening.messages() if "-chain-" in message.subject]


@pytest.mark.parametrize("times", [1, 3])
def test_wrong_inputs_raise_no_self_monitoring_alarm(begin: Begin, times: int) -> None:
    evening = begin("show")
    evening.minutes(6, GOOD_RTP)
    for _ in range(times):
        assert start(evening, {"flow_name": "typo"}).states[-1] == "InputRefused"
    evening.minutes(12, GOOD_RTP)
    assert evening.messages() == []


def test_a_failure_in_the_same_minute_as_a_wrong_input_is_counted(begin: Begin) -> None:
    evening = begin("show")
    evening.minutes(6, GOOD_RTP)
    start(evening, {"flow_name": "typo"})
    with faults.failing("stream_monitor", "crash"):
        start(evening, {"flow_name": "show"})
    evening.minutes(2, GOOD_RTP)
    assert any(ALARM in subject for subject in raised(evening))


def test_a_wrong_input_whose_count_is_lost_raises_the_alarm_without_need(begin: Begin) -> None:
    """Only that way round: no failure is hidden by a log that is not written."""
    evening = begin("show")
    evening.minutes(6, GOOD_RTP)
    ended = start(evening, {"flow_name": "typo"})
    count_execution(ended, (), evening.now + timedelta(minutes=6))
    evening.minutes(8, GOOD_RTP)
    assert any(ALARM in subject for subject in raised(evening))
