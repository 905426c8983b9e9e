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


def load(
    root: Path, text: str, *, environ: Mapping[str, str] | None = None, context: Mapping[str, object] | None = None
) -> Environment:
    """Write `text` as the dev environment below `root` and load it."""
    (root / "environments").mkdir(exist_ok=True)
    (root / "environments" / "dev.toml").write_text(text, encoding="utf-8")
    return load_environment("dev", root=root, environ=environ or {}, context=context or {})
