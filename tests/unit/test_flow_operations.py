"""Starting and stopping flows: orders are given to settled flows, once, and waited for."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.paths import PROJECT
from settings import Environment, load_environment
from tools.operations.destruction import obstacles
from tools.operations.errors import InputError
from tools.operations.flows import FlowError, FlowState, chosen
from tools.operations.reviewed import Reviewed, configuration_digest, differences
from tools.operations.start_stop import start, stop
from tools.plan_review.allowances import allowances_in

FLOW = FlowState("studio", "arn:aws:mediaconnect:us-east-1:123456789012:flow:1-a:studio", "ACTIVE")
RECORD = Reviewed(
    environment="prod", blocked=False, plan_sha256="a", configuration_sha256="b", state_lineage="c", state_serial=4
)


def environment(name: str) -> Environment:
    """One of the shipped environments."""
    return load_environment(name, root=PROJECT, environ={}, context={})


class MediaConnect:
    """A MediaConnect with one flow, which changes its state when it is looked at, as listed."""

    class exceptions:  # noqa: N801  boto3's word
        """Errors of the service."""

        NotFoundException = KeyError

    def __init__(self, statuses: list[str]) -> None:
        self.statuses = statuses
        self.orders: list[str] = []

    def _order(self, order: str, arn: str) -> None:
        assert arn == FLOW.arn
        self.orders.append(order)

    def describe_flow(self, FlowArn: str) -> dict[str, Any]:  # noqa: N803  boto3's words
        assert FlowArn == FLOW.arn
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return {"Flow": {"Status": status}}

    def start_flow(self, FlowArn: str) -> None:  # noqa: N803
        self._order("start", FlowArn)

    def stop_flow(self, FlowArn: str) -> None:  # noqa: N803
        self._order("stop", FlowArn)


def run(step: Callable[..., None], statuses: list[str]) -> tuple[list[str], int]:
    """The orders that were given, and how often was waited."""
    client = MediaConnect(statuses)
    waits: list[float] = []
    step(lambda _: client, [FLOW], say=lambda _: None, sleep=waits.append)
    return client.orders, len(waits)


@pytest.mark.parametrize(
    ("step", "statuses", "orders"),
    [
        (stop, ["STANDBY"], []),
        (stop, ["ACTIVE", "STOPPING", "STANDBY"], ["stop"]),
        (stop, ["UPDATING", "UPDATING", "ACTIVE", "STOPPING", "STANDBY"], ["stop"]),
        (stop, ["STARTING", "ACTIVE", "ACTIVE", "STOPPING", "STANDBY"], ["stop"]),
        (stop, ["ERROR", "STOPPING", "STANDBY"], ["stop"]),
        (start, ["STANDBY", "STARTING", "ACTIVE"], ["start"]),
        (start, ["STOPPING", "STANDBY", "STARTING", "ACTIVE"], ["start"]),
        (start, ["ACTIVE"], []),
    ],
)
def test_a_flow_is_told_once_when_it_has_settled_and_waited_for(
    step: Any, statuses: list[str], orders: list[str]
) -> None:
    given, waits = run(step, list(statuses))
    assert given == orders
    assert waits == len(statuses) - 1


def test_a_flow_that_does_not_come_is_said_with_its_state() -> None:
    with pytest.raises(FlowError, match=r"Not ACTIVE after 300 s: studio \(STARTING\)"):
        run(start, ["STANDBY", "STARTING"])


def test_a_flow_that_ends_in_error_is_not_waited_for() -> None:
    with pytest.raises(FlowError, match="studio is in ERROR"):
        run(start, ["STANDBY", "STARTING", "ERROR"])


def test_a_flow_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(InputError, match=r'No flow "x" in prod\. Flows: studio'):
        chosen([FLOW], "x", environment="prod")
    with pytest.raises(FlowError, match="studio is not deployed"):
        chosen([FlowState("studio", None, "not deployed")], "studio")


def test_stopping_says_of_a_flow_that_is_not_deployed_that_there_is_nothing_to_do() -> None:
    said: list[str] = []
    stop(lambda _: MediaConnect(["STANDBY"]), [FlowState("studio", None, "not deployed")], say=said.append)
    assert said == ["studio: not deployed (nothing to do)"]


def test_one_flow_that_fails_does_not_keep_the_others_from_being_waited_for() -> None:
    client, said = MediaConnect(["ERROR", "STANDBY", "ERROR", "STARTING", "ACTIVE"]), list[str]()
    other = replace(FLOW, name="other")
    with pytest.raises(FlowError, match=r"^studio is in ERROR\. See the flow in the MediaConnect console\.$"):
        start(lambda _: client, [FLOW, other], say=said.append, sleep=lambda _: None)
    assert "other: was ACTIVE, now ACTIVE" in said


@pytest.mark.parametrize("status", ["ACTIVE", "STARTING", "UPDATING", "STOPPING", "ERROR", "DELETING", "UNHEARD_OF"])
def test_nothing_is_destroyed_until_a_flow_is_in_standby(status: str) -> None:
    (reason,) = obstacles(environment("prod"), [replace(FLOW, status=status)], [])
    assert reason.startswith(f"the flow studio is {status}: ")
    off = [replace(FLOW, status="STANDBY"), replace(FLOW, status="deleted"), FlowState("b", None, "not deployed")]
    assert not list(obstacles(environment("prod"), off, []))


@pytest.mark.parametrize("status", ["ACTIVE", "STARTING", "UPDATING", "STOPPING", "ERROR", "DELETING", "UNHEARD_OF"])
@pytest.mark.parametrize("stop_flows", [False, True])
def test_every_command_in_advice_is_one_of_ours_and_takes_what_is_given(status: str, *, stop_flows: bool) -> None:
    from typer.main import get_command  # noqa: PLC0415

    from tools.cli.__main__ import app  # noqa: PLC0415

    settings = environment("prod")
    found = [replace(FLOW, status=status)]
    reasons = list(obstacles(settings, found, ["studio"], protected=True, stop_flows=stop_flows))
    assert len(reasons) == 3
    commands: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
    for command in re.findall(r"`media-workflow ([^`]*)`", "\n".join(reasons)):
        name, *arguments = command.split()
        assert commands[name].make_context(name, list(arguments)).params["environment"] == "prod"
    assert all("`make deploy ENV=prod`" in reason for reason in reasons if "protect" in reason)


def test_protection_that_is_still_deployed_is_not_asked_to_be_unset_again() -> None:
    settings = environment("prod")
    (reason,) = obstacles(settings, [], [], protected=True)
    assert "set protect = false in environments/prod.toml, run `make deploy ENV=prod`" in reason
    (reason,) = obstacles(settings.model_copy(update={"protect": False}), [], [], protected=True)
    assert "To remove the protection, run `make deploy ENV=prod`" in reason


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({"environment": "dev"}, "it is a plan for prod, not for dev"),
        ({"plan_sha256": "x"}, "not the one that was reviewed"),
        ({"configuration_sha256": "x"}, "settings or code have changed since"),
        ({"state_lineage": "x"}, "its lineage differs"),
        ({"state_lineage": None, "state_serial": None}, "its lineage differs"),
        ({"state_serial": 5}, "from serial 4 to 5"),
    ],
)
def test_a_reviewed_plan_is_not_applied_when_anything_has_moved_on(now: dict[str, Any], words: str) -> None:
    (reason,) = differences(RECORD, replace(RECORD, **now))
    assert words in reason
    assert list(differences(RECORD, RECORD)) == []
    assert "its review blocks it" in next(differences(replace(RECORD, blocked=True), RECORD))


def test_a_description_allows_by_lines_of_its_own() -> None:
    text = "Renames it.\r\n\r\nallow module.a.b.this:replace\r\n- allow `aws_x.y:delete`\nwe allow aws_x.z:delete\nallow all\n"
    assert allowances_in(text) == ["module.a.b.this:replace", "aws_x.y:delete"]


def test_the_digest_of_a_configuration_is_of_what_was_synthesized_and_of_nothing_that_terraform_writes(
    tmp_path: Path,
) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "cdk.tf.json").write_text("{}", encoding="utf-8")
    (tmp_path / "assets" / "x.zip").write_bytes(b"zip")
    digest = configuration_digest(tmp_path)
    (tmp_path / ".terraform").mkdir()
    for name in (".terraform/x", ".terraform.lock.hcl", "errored.tfstate", "media-workflow.tfplan", "a.tfstate.backup"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    assert configuration_digest(tmp_path) == digest
    (tmp_path / "override.tf").write_text("", encoding="utf-8")
    assert configuration_digest(tmp_path) != digest
