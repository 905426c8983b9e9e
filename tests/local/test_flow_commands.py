"""Commands that start, stop, close and destroy, run as an operator runs them."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from alert_handler.handling import handle
from alert_handler.record import Incident, Notification
from alert_handler.table import Table
from report import Issue, moment
from settings import Names
from tests.local.checkout import Checkout
from tests.local.empty_region import EmptyRegion
from tests.unit.stream import check, issue
from tools.local_aws import LocalAws
from tools.local_aws.deliveries import published
from tools.local_aws.gaps.mediaconnect_flow_status import set_flow_status

REGION = "eu-central-1"
NAME = "show"
NAMES = Names(NAME)
TRIAL = {
    "FLOW_NAME": "channel-one",
    "SOURCE_WHITELIST_CIDR": "203.0.113.0/24",
    "PRIMARY_OUTPUT_DESTINATION": "198.51.100.1",
}
TEN_YEARS = 3650 * 86_400
LOST = issue()
LOSS = issue("SourcePacketLossPercent", "HIGH", meaning="Viewers see blocks.")


class Show:
    """An environment like prod, with only the resources that the commands need."""

    def __init__(self, aws: LocalAws, folder: Path) -> None:
        self.region = EmptyRegion(aws, REGION)
        self.checkout = Checkout(folder, aws, {})
        self.file = folder / "environments" / f"{NAME}.toml"
        prod = (folder / "environments" / "prod.toml").read_text(encoding="utf-8")
        self.file.write_text(prod.replace("us-east-1", REGION), encoding="utf-8")
        self.protect(protected=True)
        dynamodb = self.region.client("dynamodb")
        if NAMES.incidents_table in dynamodb.list_tables()["TableNames"]:
            dynamodb.delete_table(TableName=NAMES.incidents_table)
        keys = {"flow": "HASH", "entry": "RANGE"}
        dynamodb.create_table(
            TableName=NAMES.incidents_table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
        )
        self.table = Table(dynamodb, NAMES.incidents_table)
        self.flows = {name: self.deploy(name) for name in ("channel-one", "remote-venue")}

    def deploy(self, name: str) -> str:
        """Deploy a flow in a stack of its own, as the module does, and return its ARN."""
        source = {"Name": "studio", "Protocol": "rtp", "IngestPort": 5000, "WhitelistCidr": "203.0.113.0/24"}
        template = {
            "Resources": {"Flow": {"Type": "AWS::MediaConnect::Flow", "Properties": {"Name": name, "Source": source}}},
            "Outputs": {"FlowArn": {"Value": {"Ref": "Flow"}}},
        }
        client = self.region.client("cloudformation")
        client.create_stack(StackName=NAMES.flow_stack(name), TemplateBody=json.dumps(template))
        (stack,) = client.describe_stacks(StackName=NAMES.flow_stack(name))["Stacks"]
        return str(stack["Outputs"][0]["OutputValue"])

    def protect(self, *, protected: bool) -> None:
        """Set or remove the protection in the settings."""
        text = self.file.read_text(encoding="utf-8")
        self.file.write_text(text.replace(f"protect = {not protected}".lower(), f"protect = {protected}".lower()))

    def status(self, flow: str) -> str:
        """The flow's status in MediaConnect."""
        return str(self.region.client("mediaconnect").describe_flow(FlowArn=self.flows[flow])["Flow"]["Status"])

    def run(self, *arguments: str, expect: int = 0, environ: Mapping[str, str] | None = None) -> list[str]:
        """Run a command without a terminal and return its lines of output."""
        return self.checkout.run(*arguments, expect=expect, environ=environ).splitlines()

    def answer(self, answer: str, *arguments: str, expect: int = 0) -> str:
        """Run a command at a terminal, type `answer`, and return its output."""
        ours, theirs = pty.openpty()
        with os.fdopen(ours, "w") as keyboard:
            keyboard.write(f"{answer}\n")
            keyboard.flush()
            done = subprocess.run(
                [sys.executable, "-m", "tools.cli", *arguments],
                cwd=self.checkout.folder,
                env=self.checkout.environ,
                stdin=theirs,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
        os.close(theirs)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def check(self, flow: str, seconds: float, *found: Issue) -> list[Notification]:
        """Let the alert handler handle a check, and return what it sent."""
        sent: list[Notification] = []
        report = check(seconds, *found, flow_name=flow, environment=NAME)
        now = moment(report["timestamp"])
        handle(report, execution=str(seconds), store=self.table, send=sent.append, clock=lambda: now)
        return sent

    def open_incident(self, flow: str) -> None:
        """Open an incident and escalate it."""
        self.check(flow, 0, LOSS)
        self.check(flow, 60, LOST, LOSS)

    def history(self, flow: str) -> list[Incident]:
        """The closed incidents of a flow, as the table keeps them."""
        items = self.region.client("dynamodb").query(
            TableName=NAMES.incidents_table,
            KeyConditionExpression="flow = :flow AND begins_with(entry, :entry)",
            ExpressionAttributeValues={":flow": {"S": flow}, ":entry": {"S": "incident#"}},
        )["Items"]
        return [json.loads(item["incident"]["S"]) for item in items]


@pytest.fixture
def show(aws: LocalAws, tmp_path: Path) -> Show:
    folder = tmp_path / "a checkout"
    folder.mkdir()
    return Show(aws, folder)


# Start and stop


@pytest.mark.parametrize("verb", ["start", "stop"])
def test_start_and_stop_need_a_flow_or_all(show: Show, verb: str) -> None:
    (line,) = show.run(verb, NAME, "--yes", expect=2)
    assert line == "Give a flow, or --all for every flow. Flows of show: channel-one, remote-venue."
    (line,) = show.run(verb, NAME, "channel-one", "--all", "--yes", expect=2)
    assert line.startswith("Give one flow or --all, not both.")
    assert (show.status("channel-one"), show.status("remote-venue")) == ("STANDBY", "STANDBY")


def test_start_and_stop_report_each_status_change(show: Show) -> None:
    show.region.client("mediaconnect").start_flow(FlowArn=show.flows["remote-venue"])
    assert show.status("remote-venue") == "ACTIVE"
    lines = show.run("start", NAME, "--all", "--yes")
    assert "channel-one: was STANDBY, now ACTIVE" in lines
    assert "remote-venue: was ACTIVE, now ACTIVE (nothing to do)" in lines
    assert show.run("status", NAME) == ["channel-one: ACTIVE", "remote-venue: ACTIVE"]
    lines = show.run("stop", NAME, "channel-one", "--yes")
    assert lines == ["channel-one: stopping, was ACTIVE", "channel-one: was ACTIVE, now STANDBY"]
    assert show.run("status", NAME, "channel-one") == ["channel-one: STANDBY"]
    assert show.status("remote-venue") == "ACTIVE"


def test_protected_flow_needs_a_terminal_or_yes(show: Show) -> None:
    (line,) = show.run("start", NAME, "remote-venue", expect=2)
    assert line == (
        "show is protected. Start remote-venue (STANDBY)? There is no terminal to ask at; --yes agrees. "
        "Nothing was changed."
    )
    show.protect(protected=False)
    (line,) = show.run("start", NAME, "--all", expect=2)
    assert line.startswith("channel-one is always on air. Start channel-one (STANDBY), remote-venue (STANDBY)?")
    assert (show.status("channel-one"), show.status("remote-venue")) == ("STANDBY", "STANDBY")
    assert "remote-venue: was STANDBY, now ACTIVE" in show.run("start", NAME, "remote-venue")


def test_start_asks_at_a_terminal(show: Show) -> None:
    refused = show.answer("n", "start", NAME, "channel-one", expect=1)
    assert "show is protected. channel-one is always on air. Start channel-one (STANDBY)? [y/N]" in refused
    assert "Nothing was changed." in refused
    assert show.status("channel-one") == "STANDBY"
    assert "channel-one: was STANDBY, now ACTIVE" in show.answer("y", "start", NAME, "channel-one")


def test_deployed_protection_is_asked_about(show: Show) -> None:
    show.protect(protected=False)
    table = {"TableName": NAMES.incidents_table}
    show.region.client("dynamodb").update_table(**table, DeletionProtectionEnabled=True)
    (line,) = show.run("stop", NAME, "remote-venue", expect=2)
    show.region.client("dynamodb").update_table(**table, DeletionProtectionEnabled=False)
    assert line.startswith("show is protected.")


def test_unknown_flow_lists_the_existing_ones(show: Show) -> None:
    (line,) = show.run("stop", NAME, "channel-two", "--yes", expect=2)
    assert line == 'No flow "channel-two" in show. Flows: channel-one, remote-venue.'


def test_removed_flow_is_still_shown_and_stopped(show: Show) -> None:
    show.flows["old"] = show.deploy("old")
    show.region.client("mediaconnect").start_flow(FlowArn=show.flows["old"])
    show.protect(protected=False)
    assert "old: ACTIVE, no longer in the settings" in show.run("status", NAME)
    assert "the flow old is ACTIVE: it is on air. Stop it with `media-workflow stop show old`" in "\n".join(
        show.run("destroy", NAME, "--yes", expect=1)
    )
    assert "old: was ACTIVE, now STANDBY" in show.run("stop", NAME, "old")


# Destroy: what prevents it, and its advice


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("ACTIVE", "it is on air. Stop it with `media-workflow stop show channel-one`, or destroy with"),
        ("STARTING", "it is on air. Stop it with `media-workflow stop show channel-one`, or destroy with"),
        (
            "ERROR",
            "it is not stopped. Stop it with `media-workflow stop show channel-one`; if it stays in ERROR",
        ),
        ("STOPPING", "it is not stopped yet. Wait until `media-workflow status show` shows STANDBY"),
        ("DELETING", "it is being deleted. Wait until `media-workflow status show` shows that it is."),
    ],
)
def test_destroy_advice_fits_the_flow_status(show: Show, status: str, advice: str) -> None:
    set_flow_status(show.flows["channel-one"], status)
    show.protect(protected=False)
    printed = "\n".join(show.run("destroy", NAME, "--yes", expect=1))
    assert f"the flow channel-one is {status}: {advice}" in printed
    assert "remote-venue" not in printed


def test_destroy_asks_before_stopping_flows(show: Show) -> None:
    set_flow_status(show.flows["remote-venue"], "ACTIVE")
    show.protect(protected=False)
    (line,) = show.run("destroy", NAME, "--stop-flows", expect=2)
    assert line.startswith("This command asks before it changes anything, and there is no terminal to ask at.")
    refused = show.answer("n", "destroy", NAME, "--stop-flows", expect=1)
    assert "Stop remote-venue (ACTIVE), and then destroy show? [y/N]" in refused
    assert show.status("remote-venue") == "ACTIVE"


# Close


def test_close_ends_the_incident_and_notifies(show: Show) -> None:
    topic = show.region.topic(NAMES.topic)
    sns = show.region.client("sns")
    for endpoint, severities in (("noc@example.com", ["CRITICAL", "HIGH"]), ("info@example.com", ["INFO"])):
        attributes = {"FilterPolicy": json.dumps({"severity": severities})}
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=endpoint, Attributes=attributes)
    show.open_incident("channel-one")
    show.protect(protected=False)
    refused = "\n".join(show.run("destroy", NAME, "--stop-flows", "--yes", expect=1))
    assert "run `media-workflow close show channel-one --reason TEXT`" in refused
    lines = show.run("close", NAME, "channel-one", "--reason", "encoder moved\n to  another flow")
    assert lines == [
        "Closed the incident of channel-one: CRITICAL, open since 2026-11-23T20:00:00+00:00.",
        "Its recipients are notified.",
        "A check that finds a problem opens a new incident.",
    ]
    record, _ = show.table.load("channel-one")
    (incident,) = show.history("channel-one")
    assert (record["incident"], record["pending"], record["to_keep"]) == (None, [], [])
    assert record["closed"] == incident["closed"] > incident["opened"]
    assert incident["reason"] == "encoder moved to another flow"
    assert [note["kind"] for note in incident["sent"]] == ["opened", "escalated", "closed"]
    (message,) = published(region=REGION)
    assert message.recipients == ("email noc@example.com",)
    assert (message.attributes["kind"], message.attributes["flow"]) == ("closed", "channel-one")
    assert "Closed by hand: encoder moved to another flow" in message.subject
    (line,) = show.run("close", NAME, "channel-one", "--reason", "again", expect=1)
    assert line == "No incident of channel-one is open in show. Flows with an open incident: none."


def test_unsent_notification_waits_for_the_next_check(show: Show) -> None:
    show.open_incident("channel-one")
    lines = show.run("close", NAME, "channel-one", "--reason", "test")
    assert lines[1].startswith("Not sent yet: AWS answered Publish with NotFound: ")
    assert lines[2] == "The next check of the flow sends the notification."
    sent = show.check("channel-one", TEN_YEARS)
    assert [(notified["kind"], notified.get("detail")) for notified in sent] == [("closed", "test")]
    assert [incident["reason"] for incident in show.history("channel-one")] == ["test"]


def test_incident_of_a_deleted_flow_can_be_closed(show: Show) -> None:
    show.region.topic(NAMES.topic)
    show.open_incident("old")
    assert "Closed the incident of old: CRITICAL" in show.run("close", NAME, "old", "--reason", "the venue is gone")[0]
    (message,) = published(region=REGION)
    assert "Flow: old, not deployed" in message.message


@pytest.mark.parametrize(
    ("flow", "reason", "words"),
    [
        ("nope", "x", 'No flow "nope" in show, and no record of one. Flows: channel-one, remote-venue.'),
        ("channel-one", " \n", "--reason needs 1 to 500 printable characters."),
        ("channel-one", "x" * 501, "--reason needs 1 to 500 printable characters."),
        ("channel-one", "\x07", "--reason needs 1 to 500 printable characters."),
    ],
)
def test_close_refuses_wrong_input(show: Show, flow: str, reason: str, words: str) -> None:
    assert show.run("close", NAME, flow, "--reason", reason, expect=2) == [words]


def test_late_data_from_before_the_close_is_ignored(show: Show) -> None:
    show.region.topic(NAMES.topic)
    show.open_incident("channel-one")
    show.run("close", NAME, "channel-one", "--reason", "x")
    closed = (moment(show.table.load("channel-one")[0]["closed"]) - moment(check()["timestamp"])).total_seconds()
    before, after = (issue(at=check(closed + seconds)["timestamp"]) for seconds in (-60, 60))
    assert show.check("channel-one", closed + 120, before) == []
    assert [notified["kind"] for notified in show.check("channel-one", closed + 180, after)] == ["opened"]


def test_closed_record_has_the_shape_of_a_recovered_one(show: Show) -> None:
    show.region.topic(NAMES.topic)
    show.open_incident("remote-venue")
    show.run("close", NAME, "remote-venue", "--reason", "x")
    show.open_incident("channel-one")
    for seconds in (600, 700):
        show.check("channel-one", seconds)
    by_hand, recovered = (show.table.load(flow)[0] for flow in ("remote-venue", "channel-one"))
    closed, ended = (show.history(flow)[0] for flow in ("remote-venue", "channel-one"))
    assert by_hand.keys() == recovered.keys()
    assert closed.keys() - {"reason"} == ended.keys()


# The account, and trials


COMMANDS = (
    *(("status",), ("start", "channel-one"), ("stop", "--all"), ("destroy",), ("replay",), ("drift",), ("plan",)),
    *(("deploy",), ("apply", "reviewed"), ("bootstrap",), ("ci-access",), ("close", "channel-one", "--reason", "x")),
    ("preflight",),
)


def test_every_command_on_an_environment_is_tested_here() -> None:
    from typer.main import get_command  # noqa: PLC0415

    from tools.cli.__main__ import app  # noqa: PLC0415
    from tools.cli.shared import WITHOUT_AWS  # noqa: PLC0415

    found: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
    on_one = {
        name
        for name, command in found.items()
        if any(item.name == "environment" and item.required for item in command.params)
    }
    assert on_one - {name.replace("_", "-") for name in WITHOUT_AWS} == {command for command, *_ in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command[0]))
def test_another_account_is_refused_first(show: Show, command: tuple[str, ...]) -> None:
    text = show.file.read_text(encoding="utf-8")
    show.file.write_text(text.replace('["123456789012"]', '["210987654321", "310987654321"]'), encoding="utf-8")
    name, *rest = command
    (line,) = show.run(name, NAME, *rest, expect=2)
    assert line.startswith(
        "The credentials are of the account 123456789012; environments/show.toml allows 210987654321, 310987654321."
    )


def test_trial_needs_credentials_of_any_account(show: Show) -> None:
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    show.file.unlink()
    trial = {**TRIAL, "AWS_REGION": REGION}
    note, *lines = show.run("status", NAME, environ=trial)
    assert note == (
        'Note: environment "show" has no file; using a trial from environment variables FLOW_NAME, '
        "SOURCE_WHITELIST_CIDR, PRIMARY_OUTPUT_DESTINATION."
    )
    assert lines == ["channel-one: STANDBY", "remote-venue: STANDBY, no longer in the settings"]
    note, line = show.run("status", NAME, environ={**trial, **nobody}, expect=2)
    assert line == 'No AWS credentials. Set AWS_PROFILE or run "aws sso login".'


def test_trial_is_announced_before_the_question(show: Show) -> None:
    note, question = show.run("destroy", "prdo", environ=TRIAL, expect=2)
    assert 'environment "prdo" has no file; using a trial from environment variables FLOW_NAME' in note
    assert note.endswith("Did you mean prod?")
    assert question.startswith("This command asks before it changes anything")


@pytest.mark.parametrize("given", ["prdo", "ENV=prod", "Prod", "prod.toml", "production"])
def test_mistyped_environment_lists_the_existing_ones(show: Show, given: str) -> None:
    printed = "\n".join(show.run("stop", given, "--all", expect=2))
    assert f"environments/{given}.toml does not exist; environments: dev, prod," in printed
    assert "Did you mean prod?" in printed
