"""Settings of an environment, read from `environments/*.toml`, validated and immutable.

May import the standard library and pydantic; imports nothing of ours. Nothing else reads files or environment
variables to decide what is deployed.
"""

from settings.context import read_context
from settings.errors import OperatorError, Problem, SettingsError
from settings.load import OVERRIDES, load_environment, trial_notice
from settings.model import (
    BackupSource,
    CiAccess,
    Encryption,
    Environment,
    Flow,
    Maintenance,
    Notification,
    Output,
    Source,
    ThresholdOverrides,
    Thresholds,
)
from settings.names import Names
from settings.severities import WORST_FIRST, Severity

__all__ = [
    "OVERRIDES",
    "WORST_FIRST",
    "BackupSource",
    "CiAccess",
    "Encryption",
    "Environment",
    "Flow",
    "Maintenance",
    "Names",
    "Notification",
    "OperatorError",
    "Output",
    "Problem",
    "SettingsError",
    "Severity",
    "Source",
    "ThresholdOverrides",
    "Thresholds",
    "load_environment",
    "read_context",
    "trial_notice",
]
