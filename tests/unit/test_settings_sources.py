"""Where a setting comes from: environment variable over context over file over default, for each of the seven."""

from collections.abc import Callable
from pathlib import Path

import pytest

from components.paths import PROJECT
from settings import OVERRIDES, Environment, SettingsError, load_environment, trial_notice
from tests.unit.environments import GOOD, load

SECOND_FLOW = """
[[flows]]
name = "second"
[flows.source]
name = "encoder"
protocol = "rtp"
port = 5000
allowed_cidr = "203.0.113.0/24"
"""


def read(environment: Environment, variable: str) -> object:
    """What an override set, found without the table under test."""
    flow = environment.flows[0]
    readers: dict[str, Callable[[], object]] = {
        "FLOW_NAME": lambda: flow.name,
        "NOTIFICATION_EMAIL": lambda: environment.notifications[0].endpoint,
        "SOURCE_WHITELIST_CIDR": lambda: flow.source.given("allowed_cidr"),
        "PRIMARY_OUTPUT_DESTINATION": lambda: flow.outputs["primary"].given("destination"),
        "BACKUP_OUTPUT_DESTINATION": lambda: flow.outputs["backup"].given("destination"),
        "PACKET_LOSS_THRESHOLD": lambda: environment.thresholds_of(flow).packet_loss_percent,
        "JITTER_THRESHOLD": lambda: environment.thresholds_of(flow).jitter_ms,
    }
    return readers[variable]()


TABLE = [
    ("FLOW_NAME", "flowName", "by-variable", "by-context", "live"),
    ("NOTIFICATION_EMAIL", "notificationEmail", "variable@example.com", "context@example.com", "noc@example.com"),
    ("SOURCE_WHITELIST_CIDR", "sourceWhitelistCidr", "192.0.2.1/32", "192.0.2.2/32", "203.0.113.0/24"),
    ("PRIMARY_OUTPUT_DESTINATION", "primaryOutputDestination", "192.0.2.1", "192.0.2.2", "198.51.100.10"),
    ("BACKUP_OUTPUT_DESTINATION", "backupOutputDestination", "192.0.2.1", "192.0.2.2", None),
    ("PACKET_LOSS_THRESHOLD", "packetLossThreshold", "0.3", 0.2, 0.1),
    ("JITTER_THRESHOLD", "jitterThreshold", "30", 40, 50),
]


def test_table_covers_every_override() -> None:
    assert {(row[0], row[1]) for row in TABLE} == {(override.variable, override.context) for override in OVERRIDES}


@pytest.mark.parametrize(("variable", "key", "by_variable", "by_context", "by_file"), TABLE)
def test_variable_overrides_context_and_context_overrides_file(
    tmp_path: Path, variable: str, key: str, by_variable: str, by_context: object, by_file: object
) -> None:
    expected = by_variable if isinstance(by_context, str) else float(by_variable)
    both = load(tmp_path, GOOD, environ={variable: by_variable}, context={key: by_context})
    assert read(both, variable) == expected
    assert read(load(tmp_path, GOOD, context={key: by_context}), variable) == by_context
    if by_file is not None:
        assert read(load(tmp_path, GOOD), variable) == by_file


def test_missing_setting_has_its_default(tmp_path: Path) -> None:
    plain = load(tmp_path, GOOD.replace("packet_loss_percent = 0.1", ""))
    assert plain.thresholds.packet_loss_percent == 0.1
    assert plain.check_every_minutes == 5


def test_empty_variable_is_ignored(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD, environ={"FLOW_NAME": ""}).flows[0].name == "live"


def test_flow_threshold_overrides_only_what_is_given(tmp_path: Path) -> None:
    environment = load(tmp_path, GOOD + "[flows.thresholds]\njitter_ms = 20\nearly_packet_loss_seconds = 30\n")
    thresholds = environment.thresholds_of(environment.flows[0])
    assert (thresholds.jitter_ms, thresholds.packet_loss_percent) == (20, 0.1)
    assert (thresholds.early_packet_loss_seconds, environment.thresholds.early_packet_loss_seconds) == (30, 60)


def test_flow_threshold_equal_to_default_overrides(tmp_path: Path) -> None:
    text = GOOD.replace("packet_loss_percent = 0.1", "jitter_ms = 20") + "[flows.thresholds]\njitter_ms = 50\n"
    environment = load(tmp_path, text)
    assert environment.thresholds_of(environment.flows[0]).jitter_ms == 50


@pytest.mark.parametrize("row", [row for row in TABLE if row[0] != "NOTIFICATION_EMAIL"], ids=lambda row: row[0])
def test_flow_override_with_several_flows_is_refused(tmp_path: Path, row: tuple[str, str, str, object, object]) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, GOOD + SECOND_FLOW, environ={row[0]: row[2]})
    assert f"environment variable {row[0]}: " in str(refused.value)
    assert "live, second" in str(refused.value)


def test_mail_address_override_works_with_several_flows(tmp_path: Path) -> None:
    environment = load(tmp_path, GOOD + SECOND_FLOW, environ={"NOTIFICATION_EMAIL": "ops@example.com"})
    assert [notification.endpoint for notification in environment.notifications] == ["ops@example.com"]


@pytest.mark.parametrize(
    ("environ", "context", "words"),
    [
        ({"PACKET_LOSS_THRESHOLD": "high"}, {}, 'environment variable PACKET_LOSS_THRESHOLD: flows.live.thresholds.packet_loss_percent is "high"'),
        ({}, {"jitterThreshold": -1}, "cdktf.json context jitterThreshold: flows.live.thresholds.jitter_ms is -1"),
        ({"SOURCE_WHITELIST_CIDR": "0.0.0.0/0"}, {}, "environment variable SOURCE_WHITELIST_CIDR: flows.live.source.allowed_cidr"),
        ({"NOTIFICATION_EMAIL": "nobody"}, {}, "environment variable NOTIFICATION_EMAIL: notifications #1.endpoint"),
        ({"FLOW_NAME": "a b"}, {}, "environment variable FLOW_NAME: flows.a b.name"),
    ],
)  # fmt: skip
def test_error_names_the_source_of_the_value(
    tmp_path: Path, environ: dict[str, str], context: dict[str, object], words: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, GOOD, environ=environ, context=context)
    assert words in str(refused.value)


SEED = {
    "SOURCE_WHITELIST_CIDR": "203.0.113.0/24",
    "PRIMARY_OUTPUT_DESTINATION": "198.51.100.10",
}


def test_seven_settings_without_file_make_one_flow(tmp_path: Path) -> None:
    more = {"NOTIFICATION_EMAIL": "ops@example.com", "BACKUP_OUTPUT_DESTINATION": "198.51.100.11", "FLOW_NAME": "mine"}
    environment = load_environment(
        "dev", root=tmp_path, environ={**SEED, **more, "AWS_REGION": "eu-west-1"}, context={}
    )
    (flow,) = environment.flows
    assert (environment.region, flow.name, flow.source.protocol) == ("eu-west-1", "mine", "rtp")
    assert {name: output.given("destination") for name, output in flow.outputs.items()} == {
        "primary": "198.51.100.10",
        "backup": "198.51.100.11",
    }
    assert environment.state_bucket_name is None  # no account to name it after: state stays on this machine


@pytest.mark.parametrize("missing", sorted(SEED))
def test_trial_names_missing_settings(tmp_path: Path, missing: str) -> None:
    with pytest.raises(SettingsError, match=f"also set {missing}"):
        load_environment(
            "dev", root=tmp_path, environ={key: value for key, value in SEED.items() if key != missing}, context={}
        )


@pytest.mark.parametrize(
    ("name", "flows", "protect"),
    [
        ("dev", {"live-stream": "manual"}, False),
        ("staging", {"channel-one": "manual"}, False),
        ("prod", {"channel-one": "always", "remote-venue": "manual"}, True),
    ],
)
def test_shipped_environments_load(name: str, flows: dict[str, str], protect: bool) -> None:  # noqa: FBT001
    environment = load_environment(name, root=PROJECT, environ={}, context={})
    assert {flow.name: flow.on_air for flow in environment.flows} == flows
    assert environment.protect is protect


def test_environment_without_file_is_called_a_trial(tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "prod.toml").touch()
    environ = {"FLOW_NAME": "x", "NOTIFICATION_EMAIL": "a@example.com", "HOME": "/"}
    context = {"jitterThreshold": 5}
    assert trial_notice("prod", root=tmp_path, environ=environ, context=context) == ""
    assert trial_notice("prdo", root=tmp_path, environ=environ, context=context) == (
        'Note: environment "prdo" has no file; using a trial from environment variables FLOW_NAME, NOTIFICATION_EMAIL '
        "and cdktf.json context jitterThreshold. Did you mean prod?"
    )
