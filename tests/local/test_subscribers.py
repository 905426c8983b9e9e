"""Subscribers can be a team's own queue and function."""

from pathlib import Path

import pytest

from tools.local_aws import ACCOUNT_ID, LocalAws
from tools.rehearsal.assignment import fitting
from tools.rehearsal.deployment import Deployment
from tools.rehearsal.reading import load_scenarios
from tools.rehearsal.run import play

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT_ID}:live-alerts"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT_ID}:function:live-alerts"
SETTINGS = f"""
region = "us-east-1"
allowed_account_ids = ["{ACCOUNT_ID}"]
check_every_minutes = 1

[[notifications]]
protocol = "sqs"
endpoint = "{QUEUE}"

[[notifications]]
protocol = "lambda"
endpoint = "{FUNCTION}"

[[flows]]
name = "ch1"

[flows.source]
name = "enc"
protocol = "rtp"
port = 5000
allowed_cidr = "203.0.113.10/32"
"""


@pytest.fixture(scope="module")
def own(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The environment `own`, applied."""
    root = tmp_path_factory.mktemp("settings")
    (root / "environments").mkdir()
    (root / "environments" / "own.toml").write_text(SETTINGS, encoding="utf-8")
    deployment = Deployment(aws, "own", tmp_path_factory.mktemp("own"), settings_root=root)
    deployment.synthesize()
    deployment.initialize()
    deployment.apply()
    return deployment


@pytest.mark.parametrize("name", ["flapping", "key_disabled", "self_monitoring_topic_refuses"])
def test_queue_and_function_are_recipients_of_a_scenario(own: Deployment, name: str) -> None:
    (assignment,), _ = fitting(load_scenarios([name]), own.environment)
    result = play(assignment, own)
    assert result.missed == []
    assert result.notifications
    assert {message.recipients for message in result.notifications} == {(f"lambda {FUNCTION}", f"sqs {QUEUE}")}


def test_undelivered_message_is_kept_and_raises_an_alarm(own: Deployment, tmp_path: Path) -> None:
    """The one subscriber's queue is here, and does not let SNS in: the alarm says so, and the message is kept."""
    own.aws.client("sqs").create_queue(QueueName="live-alerts")
    try:
        (assignment,), _ = fitting(load_scenarios(["flapping"]), own.environment)
        result = play(assignment, own)
    finally:
        own.aws.client("sqs").delete_queue(
            QueueUrl=own.aws.client("sqs").get_queue_url(QueueName="live-alerts")["QueueUrl"]
        )
    assert {f"sqs {QUEUE}" in message.recipients for message in result.notifications} == {False}
    raised = {
        moment.facts["name"]
        for moment in result.timeline
        if moment.kind == "alarm" and moment.facts["after"] == "ALARM"
    }
    assert "media-workflow-own-chain-deliveries-of-alerts-failed" in raised
