"""Paths of this project. Imports nothing of ours, as it is read before Node is started."""

from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parent.parent
FLOW_MODULE: Final = PROJECT / "modules" / "mediaconnect_flow"
