"""A small good environment to change, and a way to load it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from settings import Environment, load_environment

GOOD: Final = """
region = "us-east-1"
allowed_account_ids = ["123456789012"]
log_retention_days = 30

[[notifications]]
protocol = "email"
endpoint = "noc@example.com"

[thresholds]
packet_loss_percent = 0.1

[[flows]]
name = "live"
size = "MEDIUM"
availability_zone = "us-east-1a"
on_air = "manual"

[flows.outputs.primary]
protocol = "rtp"
destination = "198.51.100.10"
port = 5001

[flows.source]
name = "encoder"
protocol = "rtp"
port = 5000
allowed_cidr = "203.0.113.0/24"
"""

NAME: Final = "a" * 64
HEAD: Final = """
region = "us-east-1"
allowed_account_ids = ["123456789012"]
[[notifications]]
protocol = "email"
endpoint = "noc@example.com"
"""
FLOW: Final = """
[[flows]]
name = "{name}"
content_monitoring = {content}
[flows.source]
name = "{source}"
protocol = "srt-listener"
port = 4000
allowed_cidr = "203.0.113.0/24"
[flows.backup_source]
name = "{source}b"
protocol = "srt-listener"
port = 4100
allowed_cidr = "203.0.113.0/24"
failover_mode = "FAILOVER"
"""
SRT: Final = """
[flows.outputs.{name}]
protocol = "srt-caller"
destination = "198.51.100.10"
port = {port}
stream_id = "{stream}"
"""


def text(count: int, *, stream: int = 1, flows: int = 1) -> str:
    """An environment whose flows have outputs with the longest names, and as many rules as there can be beside them."""
    content = "true" if count <= 10 else "false"
    parts = [HEAD]
    for flow in range(flows):
        parts.append(FLOW.format(name=f"{NAME[:60]}{flow:04}", source="s" * 63, content=content))
        parts += [
            SRT.format(name=f"{'o' * 125}{number:03}", port=5000 + number, stream="x" * stream)
            for number in range(count)
        ]
    return "".join(parts)


def load(
    root: Path, text: str, *, environ: Mapping[str, str] | None = None, context: Mapping[str, object] | None = None
) -> Environment:
    """Write `text` as the dev environment below `root` and load it."""
    (root / "environments").mkdir(exist_ok=True)
    (root / "environments" / "dev.toml").write_text(text, encoding="utf-8")
    return load_environment("dev", root=root, environ=environ or {}, context=context or {})


def source(protocol: str, *, name: str = "studio", port: int = 5000, **more: Any) -> dict[str, Any]:
    """A source with what its protocol needs."""
    if protocol == "srt-caller":
        needed: dict[str, Any] = {"listener_address": "203.0.113.10", "listener_port": port}
    else:
        needed = {"allowed_cidr": "203.0.113.10/32"} | ({} if protocol == "zixi-push" else {"port": port})
    return {"name": name, "protocol": protocol, **needed, **more}


def backup(protocol: str, mode: str, **more: Any) -> dict[str, Any]:
    """A backup source with what its protocol needs."""
    return source(protocol, name="venue", port=5100, failover_mode=mode, **more)


def output(protocol: str, *, port: int = 6000, **more: Any) -> dict[str, Any]:
    """An output with what its protocol needs."""
    if protocol == "zixi-pull":
        needed: dict[str, Any] = {"allowed_cidrs": ["198.51.100.0/24"], "remote_id": "receiver"}
    elif protocol == "srt-listener":
        needed = {"allowed_cidrs": ["198.51.100.0/24"], "port": port}
    else:
        needed = {"destination": "198.51.100.1", "port": port}
    return {"protocol": protocol, **needed, **more}
