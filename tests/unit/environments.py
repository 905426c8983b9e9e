"""A small good environment to change, and a way to load it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

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
