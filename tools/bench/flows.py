"""Writes environments of any number of flows, half of them RTP and half SRT with a backup."""

from collections.abc import Iterable
from typing import Final

HEAD: Final = """\
region = "us-east-1"
allowed_account_ids = ["123456789012"]
log_retention_days = 30
check_every_minutes = 1

[tags]
Team = "live-video"

[[notifications]]
protocol = "email"
endpoint = "noc@example.com"
"""
RTP: Final = """
[[flows]]
name = "{name}"
on_air = "always"
source = {{ name = "studio", protocol = "rtp", port = 5000, allowed_cidr = "203.0.113.0/24" }}
[flows.outputs]
primary = {{ protocol = "rtp", destination = "198.51.100.10", port = 5001 }}
backup = {{ protocol = "rtp", destination = "198.51.100.11", port = 5002 }}
"""
SRT: Final = """
[[flows]]
name = "{name}"
on_air = "manual"
source = {{ name = "venue-a", protocol = "srt-listener", port = 5000, allowed_cidr = "192.0.2.0/25", latency_ms = 500 }}
[flows.backup_source]
name = "venue-b"
protocol = "srt-listener"
port = 5100
allowed_cidr = "192.0.2.128/25"
latency_ms = 500
failover_mode = "FAILOVER"
[flows.outputs]
primary = {{ protocol = "rtp", destination = "198.51.100.30", port = 5001 }}
backup = {{ protocol = "srt-caller", destination = "198.51.100.31", port = 5002, latency_ms = 300 }}
"""


def early_loss_text(seconds: Iterable[int]) -> str:
    """The TOML of an environment whose flows differ in `early_packet_loss_seconds`."""
    shape = RTP + "[flows.thresholds]\nearly_packet_loss_seconds = {seconds}\n"
    return HEAD + "".join(shape.format(name=f"early-{each}", seconds=each) for each in seconds)


def environment_text(flows: int, *, name: str = "channel-{number:03}") -> str:
    """The TOML of an environment.

    Args:
        flows: how many; an account's default quota is 20.
        name: of each flow, formatted with its number from 1.
    """
    shapes = (RTP, SRT)
    return HEAD + "".join(shapes[number % 2].format(name=name.format(number=number)) for number in range(1, flows + 1))
