"""The monthly cost of the checks of one flow, for several schedules. Pure; `docs/scale.md` has the table.

X-Ray and the scheduler's own price are left out.
"""

from dataclasses import dataclass
from typing import Final

from components.health_rules import WHOLE_MINUTE
from tools.prices import HOURS_A_MONTH, PRICES

MINUTES_A_MONTH: Final = HOURS_A_MONTH * 60
SCHEDULES: Final = (1, 2, 5, 15, 60)
"""Minutes between two checks of a flow."""

TRANSITIONS: Final = 5  # of a check that finds a healthy flow, with one to spare
FUNCTION_SECONDS: Final = 1.0  # both functions together, waiting for AWS
FUNCTION_GB: Final = 0.25
LOGGED_KB: Final = 12  # the state machine logs all its states with their data
EXPRESS_GB: Final = 0.0625  # memory is billed in steps of 64 MB


def alarm(period: int) -> float:
    """USD a month for an alarm, by its period in seconds."""
    return PRICES["alarm" if period >= WHOLE_MINUTE else "fast-alarm"].month


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """USD a month for one flow that is checked every so many minutes, by type of state machine."""

    every_minutes: int
    standard: float
    express: float


def checks(series: int) -> list[Month]:
    """The cost of the checks of a flow whose rules read so many series."""
    common = (
        2 * PRICES["function-request"].each
        + FUNCTION_SECONDS * FUNCTION_GB * PRICES["function-memory"].each
        + series * PRICES["metric-read"].each
        + LOGGED_KB / 1024 / 1024 * PRICES["logs-in"].each
    )
    standard = common + TRANSITIONS * PRICES["transition"].each
    express = common + PRICES["express-request"].each + FUNCTION_SECONDS * EXPRESS_GB * PRICES["express-memory"].each
    return [
        Month(
            every_minutes=every,
            standard=standard * MINUTES_A_MONTH / every,
            express=express * MINUTES_A_MONTH / every,
        )
        for every in SCHEDULES
    ]


def rows(rtp_series: int, srt_series: int) -> list[str]:
    """The table's rows in Markdown: RTP flow, then SRT flow with a backup, each STANDARD and EXPRESS."""
    both = zip(checks(rtp_series), checks(srt_series), strict=True)
    return [
        f"| every {rtp.every_minutes} min "
        f"| {rtp.standard:.2f} | {rtp.express:.2f} | {srt.standard:.2f} | {srt.express:.2f} |"
        for rtp, srt in both
    ]
