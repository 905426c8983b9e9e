"""Wrong input by hand notifies nobody; other failures are still counted."""

from datetime import timedelta

import pytest
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from tests.local.conftest import OnAir
from tests.local.live_flow import GOOD_RTP, LiveFlow
from tools.local_aws import ACCOUNT_ID, executions, faults
from tools.local_aws.executions import Execution
from tools.local_aws.service_metrics import count_execution

pytestmark = pytest.mark.xdist_group("venue")

ALARM = "executions-failed"


def run(live: LiveFlow, given: dict[str, str]) -> Execution:
    """Run the workflow by hand."""
    backend = stepfunctions_parser_backends[ACCOUNT_ID][live.aws.region]
    machine = next(one for one in backend.state_machines if one.name == "media-workflow-venue-workflow")
    return live.wait(executions.start(machine.arn, given))


def raised(live: LiveFlow) -> list[str]:
    """Self-monitoring alarms that notified."""
    return [message.subject for message in live.messages() if "-chain-" in message.subject]


@pytest.mark.parametrize("times", [1, 3])
def test_wrong_inputs_raise_no_self_monitoring_alarm(on_air: OnAir, times: int) -> None:
    live = on_air("show")
    live.minutes(6, GOOD_RTP)
    for _ in range(times):
        assert run(live, {"flow_name": "typo"}).states[-1] == "InputRefused"
    live.minutes(12, GOOD_RTP)
    assert live.messages() == []


def test_failure_in_the_minute_of_a_wrong_input_is_counted(on_air: OnAir) -> None:
    live = on_air("show")
    live.minutes(6, GOOD_RTP)
    run(live, {"flow_name": "typo"})
    with faults.failing("stream_monitor", "crash"):
        run(live, {"flow_name": "show"})
    live.minutes(2, GOOD_RTP)
    assert any(ALARM in subject for subject in raised(live))


def test_wrong_input_whose_count_is_lost_raises_the_alarm(on_air: OnAir) -> None:
    """The safe direction: a log that is not written hides no failure."""
    live = on_air("show")
    live.minutes(6, GOOD_RTP)
    ended = run(live, {"flow_name": "typo"})
    count_execution(ended, (), live.now + timedelta(minutes=6))
    live.minutes(8, GOOD_RTP)
    assert any(ALARM in subject for subject in raised(live))
