"""Bad settings are refused before anything is built, all at once, in words that say what to change and where."""

import contextlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settings import Environment, SettingsError, load_environment
from settings.explain import key_of, value_at
from settings.load import checked
from tests.unit.environments import GOOD, load


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        # itself wrong
        ('region = "us-east-1"', 'region = "Virginia"', 'region is "Virginia": give an AWS Region such as us-east-1'),
        ('["123456789012"]', "[123456789012]", "allowed_account_ids #1 is 123456789012: should be a valid string"),
        ('["123456789012"]', '["1234"]', 'allowed_account_ids #1 is "1234": an AWS account id has 12 digits'),
        ('["123456789012"]', "[]", "allowed_account_ids: is empty; name the account"),
        ('name = "live"', 'name = "live stream"', 'name is "live stream": use 1 to 64 letters, digits, hyphens'),
        ('name = "live"', f'name = "{"x" * 65}"', "use 1 to 64 letters, digits"),
        ("port = 5000", "port = 80", "flows.live.source.port is 80: use 1024 to 65535, except 2077 and 2088"),
        ("port = 5000", "port = 2088", "which MediaConnect keeps for Zixi"),
        ("port = 5000", "", "flows.live.source.port: is missing; rtp needs the port that the encoder sends to"),
        ('protocol = "rtp"\nport = 5000', 'protocol = "rtsp"\nport = 5000', "flows.live.source.protocol is \"rtsp\": use 'rtp'"),
        ("203.0.113.0/24", "203.0.113.5/24", "give an IPv4 range such as 203.0.113.10/32"),
        ("203.0.113.0/24", "0.0.0.0/0", 'allowed_cidr is "0.0.0.0/0": allows any address'),
        ("on_air =", "onair =", "flows.live.onair: is not a setting; did you mean on_air?"),
        ('on_air = "manual"', 'on_air = "often"', "flows.live.on_air is \"often\": use 'always' or 'manual'"),
        ("packet_loss_percent = 0.1", "packet_loss_percent = 101", "thresholds.packet_loss_percent is 101: should be less than 100"),
        ("packet_loss_percent = 0.1", "packet_loss_percent = 0", "should be greater than 0"),
        ("packet_loss_percent = 0.1", "early_packet_loss_seconds = 20", "thresholds.early_packet_loss_seconds is 20: use 10, 30 or 60"),
        ('on_air = "manual"', "thresholds = { early_packet_loss_seconds = 5 }", "flows.live.thresholds.early_packet_loss_seconds is 5: use 10, 30 or 60"),
        ("retention_days = 30", "retention_days = 31", "log_retention_days is 31: CloudWatch Logs keeps 1, 3, 5"),
        ("[thresholds]", "[tresholds]", "tresholds: is not a setting; did you mean thresholds?"),
        # wrong together
        ('zone = "us-east-1a"', 'zone = "eu-west-1a"', "the zone must be in the environment's region, us-east-1"),
        ("noc@example.com", "noc", 'notifications #1.endpoint is "noc": email needs a mail address'),
        ("size = ", 'size = "LARGE_4X" # ', "LARGE_4X carries CDI and JPEG XS only"),
        ("port = 5000", "port = 5000\nlatency_ms = 100", "latency_ms is 100: rtp has none; leave it out, or use a protocol that has it: rist, srt-listener, srt-caller or zixi-push"),
        ("port = 5000", 'port = 5000\nlistener_address = "192.0.2.1"', "rtp has none; leave it out, or use a protocol that has it: srt-caller"),
        ('protocol = "rtp"\nport = 5000', 'protocol = "zixi-push"\nport = 5000', "source.port is 5000: zixi-push has none; leave it out, or use a protocol that has it: rtp, rtp-fec, rist or srt-listener"),
        ('destination = "198.51.100.10"', "", "outputs.primary.destination: is missing; rtp needs the receiver's address"),
        ('destination = "198.51.100.10"', 'destination = "198.51.100.10:80"', "give an IPv4 address or a host name, without a port"),
    ],
)  # fmt: skip
def test_wrong_setting_is_refused_with_rule(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert words in str(refused.value)
    assert "environments/dev.toml: " in str(refused.value)


SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"
BACKUP = '[flows.backup_source]\nname = "b"\nprotocol = "{0}"\nport = {1}\nallowed_cidr = "192.0.2.0/24"\nfailover_mode = "{2}"\n{3}\n'


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (BACKUP.format("rist", 6000, "FAILOVER", ""), 'backup_source.protocol is "rist": both sources must have one protocol'),
        (BACKUP.format("rtp", 5000, "FAILOVER", ""), "backup_source.port is 5000: overlaps the port 5000 of source"),
        (BACKUP.format("rtp-fec", 4998, "FAILOVER", ""), "overlaps the port 5000 of source"),
        (BACKUP.format("rtp-fec", 4996, "FAILOVER", ""), "overlaps the port 5000 of source"),
        (BACKUP.format("rtp", 6000, "FAILOVER", "recovery_window_ms = 200"), "only MERGE has a recovery window"),
        (BACKUP.format("rtp", 6000, "MERGE", "recovery_window_ms = 50"), "greater than or equal to 100"),
        (BACKUP.replace('"b"', '"encoder"').format("rtp", 6000, "MERGE", ""), "both sources have this name; give each its own"),
        (BACKUP.format("rtp-fec", 65534, "MERGE", ""), "rtp-fec also takes 65536 and 65538, above 65535"),
        (f'encryption = {{ key_type = "srt-password", secret_arn = "{SECRET}" }}', "encryption is a table: rtp has none; leave it out, or use a protocol that has it: srt-listener, srt-caller or zixi-push"),
        ('[flows.outputs.x]\nprotocol = "srt-listener"\nport = 6000\nallowed_cidrs = ["192.0.2.0/24"]\nencryption = { key_type = "srt-password", secret_arn = "hunter2" }', "give the ARN of a secret"),
        ('[flows.outputs.x]\nprotocol = "srt-listener"\nport = 5000\nallowed_cidrs = ["192.0.2.0/24"]', "outputs.x.port is 5000: overlaps the port 5000 of source"),
        ('[flows.outputs.x]\nprotocol = "srt-listener"\nport = 6000\nallowed_cidrs = ["0.0.0.0/0"]', "allows any address"),
        ('[flows.outputs.x]\nprotocol = "srt-listener"\nport = 6000', "allowed_cidrs: is missing"),
        (f'[flows.outputs.x]\nprotocol = "srt-caller"\ndestination = "a.example.com"\nport = 6000\nencryption = {{ key_type = "static-key", secret_arn = "{SECRET}" }}', "srt-caller takes srt-password"),
        (f'[flows.outputs.x]\nprotocol = "srt-caller"\ndestination = "a.example.com"\nport = 6000\nencryption = {{ key_type = "srt-password", algorithm = "aes256", secret_arn = "{SECRET}" }}', "MediaConnect refuses it with srt-password"),
        ('[[flows]]\nname = "LIVE"\n[flows.source]\nname = "e"\nprotocol = "rtp"\nport = 5000\nallowed_cidr = "192.0.2.0/24"', "2 flows have this name"),
        ('[[notifications]]\nprotocol = "email"\nendpoint = "noc@example.com"', "is listed twice"),
    ],
)  # fmt: skip
def test_conflicting_settings_are_refused(tmp_path: Path, more: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(
            tmp_path, f"{GOOD}\n{more}" if more.startswith("[") else GOOD.replace("port = 5000", f"port = 5000\n{more}")
        )
    assert words in str(refused.value)


def outputs(count: int) -> str:
    return "".join(
        f'[flows.outputs.o{number}]\nprotocol = "rtp"\ndestination = "198.51.100.1"\nport = {6000 + number}\n'
        for number in range(count - 1)  # one is there
    )


@pytest.mark.parametrize(("count", "accepted"), [(50, True), (51, False)])
def test_flow_takes_fifty_outputs(tmp_path: Path, count: int, accepted: bool) -> None:  # noqa: FBT001
    if accepted:
        assert len(load(tmp_path, GOOD + outputs(count)).flows[0].outputs) == count
    else:
        with pytest.raises(SettingsError, match="a flow takes up to 50"):
            load(tmp_path, GOOD + outputs(count))


def test_content_monitoring_above_ten_outputs_is_refused(tmp_path: Path) -> None:
    watched = GOOD.replace('on_air = "manual"', 'on_air = "manual"\ncontent_monitoring = true')
    assert load(tmp_path, watched + outputs(10)).flows[0].content_monitoring
    with pytest.raises(SettingsError, match="AWS disables it above 10 outputs, and there are 11"):
        load(tmp_path, watched + outputs(11))


def test_open_range_is_accepted_where_allowed(tmp_path: Path) -> None:
    text = "allow_open_cidr = true\n" + GOOD.replace("203.0.113.0/24", "0.0.0.0/0")
    assert load(tmp_path, text).flows[0].source.given("allowed_cidr") == "0.0.0.0/0"


def test_all_errors_are_reported_together(tmp_path: Path) -> None:
    wrong = (
        GOOD.replace("retention_days = 30", "retention_days = 31")
        .replace('zone = "us-east-1a"', 'zone = "eu-west-1a"')
        .replace("noc@example.com", "noc")
        .replace("on_air =", "onair =")
        .replace("203.0.113.0/24", "0.0.0.0/0")
    )
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, wrong)
    assert len(refused.value.problems) == 5
    assert {problem.key for problem in refused.value.problems} == {
        "log_retention_days",
        "flows.live.onair",
        "flows.live.availability_zone",
        "flows.live.source.allowed_cidr",
        "notifications #1.endpoint",
    }


def test_incomplete_flow_does_not_hide_other_errors(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, GOOD.replace('protocol = "rtp"\nport = 5000', "port = 5000").replace("noc@example.com", "noc"))
    assert [problem.key for problem in refused.value.problems] == [
        "flows.live.source.protocol",
        "notifications #1.endpoint",
    ]


def test_invalid_toml_is_refused_with_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"environments/dev.toml is not TOML: .*line 1, column"):
        load(tmp_path, "region = \n")


def test_unknown_environment_is_refused_with_known_ones(tmp_path: Path) -> None:
    load(tmp_path, GOOD)
    with pytest.raises(SettingsError, match="does not exist; environments: dev"):
        load_environment("production", root=tmp_path, environ={}, context={})


def test_settings_are_immutable(tmp_path: Path) -> None:
    environment: Any = load(tmp_path, GOOD)
    assert isinstance(environment, Environment)
    with pytest.raises(ValueError, match="frozen"):
        environment.region = "eu-west-1"


TOPIC = "arn:aws:sns:us-east-1:123456789012:noc"


def test_existing_topic_excludes_notifications_and_other_regions(tmp_path: Path) -> None:
    without = GOOD.replace('[[notifications]]\nprotocol = "email"\nendpoint = "noc@example.com"\n', "")
    assert load(tmp_path, f'existing_topic_arn = "{TOPIC}"\n{without}').existing_topic_arn == TOPIC
    with pytest.raises(SettingsError, match=r"existing_topic_arn .* leave \[\[notifications\]\] out"):
        load(tmp_path, f'existing_topic_arn = "{TOPIC}"\n{GOOD}')
    elsewhere = TOPIC.replace("us-east-1", "eu-west-1")
    with pytest.raises(SettingsError, match="must be in us-east-1, in an account of allowed_account_ids"):
        load(tmp_path, f'existing_topic_arn = "{elsewhere}"\n{without}')


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("existing_topic_arn", "noc"),
        ("existing_topic_arn", f"{TOPIC}.fifo"),
        ("existing_key_arn", "arn:aws:kms:us-east-1:123456789012:alias/live"),
        ("existing_code_bucket", "Not A Bucket"),
        ("existing_key_arn", "arn:aws:kms:eu-west-1:123456789012:key/1234"),
    ],
)
def test_existing_resources_need_valid_names(tmp_path: Path, setting: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{setting} is"):
        load(tmp_path, f'{setting} = "{value}"\n{GOOD}')


PLACES = [
    (),
    ("flows", 0),
    ("flows", 0, "source"),
    ("flows", 0, "outputs"),
    ("flows", 0, "outputs", "primary"),
    ("flows", 0, "thresholds"),
    ("notifications", 0),
]
KEYS = [*("protocol", "port", "name", "destination", "encryption", "source", "outputs", "rtp", "primary", "nonsense")]
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, 5, "rtp", "rist", "zixi-pull", "", [], {}, {"protocol": "rtp"}, {"rtp": {}}, [{}]]
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(KEYS), VALUES), min_size=1, max_size=4))
def test_any_wrong_table_is_refused_with_its_key(changes: list[tuple[tuple[Any, ...], str, Any]]) -> None:
    """However wrong a file is, its errors are sentences with a key, never a traceback."""
    raw = tomllib.loads(GOOD)
    for place, key, value in changes:
        with contextlib.suppress(KeyError, IndexError, TypeError):
            table = value_at(raw, place)
            if value is None:
                del table[key]
            else:
                table[key] = value
    _, found = checked({"name": "dev", **raw})
    for location, _, rule in found:
        assert key_of(location, raw)
        assert rule


@pytest.mark.parametrize(
    ("old", "new", "variable", "key"),
    [
        ("[[flows]]", "flows = 5\n[other]", "FLOW_NAME", "flows is 5"),
        ("[[flows]]", 'flows = ["x"]\n[other]', "JITTER_THRESHOLD", 'flows #1 is "x"'),
        ("[flows.source]", "[[flows.source]]", "SOURCE_WHITELIST_CIDR", "flows.live.source is a list"),
        ("[flows.outputs.primary]", "[[flows.outputs.primary]]", "PRIMARY_OUTPUT_DESTINATION", "primary is a list"),
        ("[[notifications]]", "[notifications]", "NOTIFICATION_EMAIL", "notifications is a table"),
        ("[[notifications]]", 'notifications = ["x"]\n[other]', "NOTIFICATION_EMAIL", 'notifications #2 is "x"'),
    ],
)
def test_override_of_what_is_no_table_is_refused(tmp_path: Path, old: str, new: str, variable: str, key: str) -> None:
    text = f"{new}\n" if "[other]" in new else GOOD.replace(old, new)
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text, environ={variable: "198.51.100.9"})
    assert key in str(caught.value)


def test_each_problem_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, GOOD.replace('name = "live"', r'name = "a\nb\u001b"') + '"c\\nd" = 1\n')
    heading, *lines = str(caught.value).splitlines()
    assert heading == f"{len(caught.value.problems)} settings cannot be used:"
    assert len(lines) == len(caught.value.problems)
    assert r"flows.a\nb\x1b.name" in str(caught.value)
