"""Starting, stopping and destroying flows: one call to each settled flow, then a wait."""

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
    """A fake MediaConnect with one flow, whose status changes with each description, as listed."""

    class exceptions:  # noqa: N801  boto3's word
        """Errors of the service."""

        NotFoundException = KeyError

    def __init__(self, statuses: list[str]) -> None:
        self.statuses = statuses
        self.calls: list[str] = []

    def _call(self, call: str, arn: str) -> None:
        assert arn == FLOW.arn
        self.calls.append(call)

    def describe_flow(self, FlowArn: str) -> dict[str, Any]:  # noqa: N803  boto3's words
        assert FlowArn == FLOW.arn
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return {"Flow": {"Status": status}}

    def start_flow(self, FlowArn: str) -> None:  # noqa: N803
        self._call("start", FlowArn)

    def stop_flow(self, FlowArn: str) -> None:  # noqa: N803
        self._call("stop", FlowArn)


def run(step: Callable[..., None], statuses: list[str]) -> tuple[list[str], int]:
    """The calls that were made, and the number of waits."""
    client = MediaConnect(statuses)
    waits: list[float] = []
    step(lambda _: client, [FLOW], say=lambda _: None, sleep=waits.append)
    return client.calls, len(waits)


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
def test_settled_flow_gets_one_call_and_is_waited_for(step: Any, statuses: list[str], orders: list[str]) -> None:
    given, waits = run(step, list(statuses))
    assert given == orders
    assert waits == len(statuses) - 1


def test_flow_that_does_not_start_is_reported_with_its_status() -> None:
    with pytest.raises(FlowError, match=r"Not ACTIVE after 300 s: studio \(STARTING\)"):
        run(start, ["STANDBY", "STARTING"])


def test_flow_in_error_is_not_waited_for() -> None:
    with pytest.raises(FlowError, match="studio is in ERROR"):
        run(start, ["STANDBY", "STARTING", "ERROR"])


def test_unknown_flow_lists_the_existing_ones() -> None:
    with pytest.raises(InputError, match=r'No flow "x" in prod\. Flows: studio'):
        chosen([FLOW], "x", environment="prod")
    with pytest.raises(FlowError, match="studio is not deployed"):
        chosen([FlowState("studio", None, "not deployed")], "studio")


def test_stop_of_undeployed_flow_has_nothing_to_do() -> None:
    printed: list[str] = []
    stop(lambda _: MediaConnect(["STANDBY"]), [FlowState("studio", None, "not deployed")], say=printed.append)
    assert printed == ["studio: not deployed (nothing to do)"]


def test_failed_flow_does_not_end_the_wait_for_others() -> None:
    client, printed = MediaConnect(["ERROR", "STANDBY", "ERROR", "STARTING", "ACTIVE"]), list[str]()
    other = replace(FLOW, name="other")
    with pytest.raises(FlowError, match=r"^studio is in ERROR\. See the flow in the MediaConnect console\.$"):
        start(lambda _: client, [FLOW, other], say=printed.append, sleep=lambda _: None)
    assert "other: was ACTIVE, now ACTIVE" in printed


@pytest.mark.parametrize("status", ["ACTIVE", "STARTING", "UPDATING", "STOPPING", "ERROR", "DELETING", "UNHEARD_OF"])
def test_destroy_needs_every_flow_in_standby(status: str) -> None:
    (reason,) = obstacles(environment("prod"), [replace(FLOW, status=status)], [])
    assert reason.startswith(f"the flow studio is {status}: ")
    off = [replace(FLOW, status="STANDBY"), replace(FLOW, status="deleted"), FlowState("b", None, "not deployed")]
    assert not list(obstacles(environment("prod"), off, []))


@pytest.mark.parametrize("status", ["ACTIVE", "STARTING", "UPDATING", "STOPPING", "ERROR", "DELETING", "UNHEARD_OF"])
@pytest.mark.parametrize("stop_flows", [False, True])
def test_commands_in_destroy_advice_exist(status: str, *, stop_flows: bool) -> None:
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


def test_advice_on_protection_fits_the_settings() -> None:
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
def test_stale_plan_is_refused_with_the_difference(now: dict[str, Any], words: str) -> None:
    (reason,) = differences(RECORD, replace(RECORD, **now))
    assert words in reason
    assert list(differences(RECORD, RECORD)) == []
    assert "its review blocks it" in next(differences(replace(RECORD, blocked=True), RECORD))


def test_description_allows_changes_by_whole_lines() -> None:
    text = "Renames it.\r\n\r\nallow module.a.b.this:replace\r\n- allow `aws_x.y:delete`\nwe allow aws_x.z:delete\nallow all\n"
    assert allowances_in(text) == ["module.a.b.this:replace", "aws_x.y:delete"]


def test_configuration_digest_ignores_terraforms_own_files(
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
