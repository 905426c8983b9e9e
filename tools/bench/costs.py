"""What watching one flow costs in a month, at several check schedules. Pure; printed in `docs/scale.md`.

Prices are us-east-1 on demand in USD, as published on the dates named; free tiers, X-Ray and the scheduler's own
price are left out.
"""

from dataclasses import dataclass
from typing import Final

from components.health_rules import WHOLE_MINUTE

MINUTES_A_MONTH: Final = 730 * 60
SCHEDULES: Final = (1, 2, 5, 15, 60)
"""Minutes between two looks at a flow."""

FLOW_HOUR: Final = 0.16  # MEDIUM, running; secondary source, 2025
ALARM: Final = 0.10  # a month, periods of 60 s and more; 2024-07
FAST_ALARM: Final = 0.30  # a month, periods of 10 or 30 s; 2024-07
TRANSITION: Final = 0.025 / 1000  # Step Functions, STANDARD; 2024-07
EXPRESS_REQUEST: Final = 1.00 / 1_000_000  # 2024-07
EXPRESS_GB_SECOND: Final = 0.060012 / 3600  # 2024-07
FUNCTION_REQUEST: Final = 0.20 / 1_000_000  # 2024-07
FUNCTION_GB_SECOND: Final = 0.0000133334  # arm64; 2024-07
METRIC_READ: Final = 0.01 / 1000  # GetMetricData, for each series; secondary source, 2026-10
LOGS_GB: Final = 0.50  # taken in; 2024-07

TRANSITIONS: Final = 5  # of a look that finds a healthy flow, with one to spare
FUNCTION_SECONDS: Final = 1.0  # both functions together, waiting for AWS; 256 MB each
LOGGED_KB: Final = 12  # the machine logs all its states with their data
EXPRESS_GB: Final = 0.0625  # memory is billed by 64 MB


def alarm(period: int) -> float:
    """The price of an alarm in a month, by its period in seconds."""
    return ALARM if period >= WHOLE_MINUTE else FAST_ALARM


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """USD in a month for one flow that is looked at every so many minutes."""

    every_minutes: int
    standard: float
    express: float


def looking(series: int) -> list[Month]:
    """The price of looking, for a flow whose rules read so many series."""
    common = (
        2 * FUNCTION_REQUEST
        + FUNCTION_SECONDS * 0.25 * FUNCTION_GB_SECOND
        + series * METRIC_READ
        + LOGGED_KB / 1024 / 1024 * LOGS_GB
    )
    standard = common + TRANSITIONS * TRANSITION
    express = common + EXPRESS_REQUEST + FUNCTION_SECONDS * EXPRESS_GB * EXPRESS_GB_SECOND
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
    both = zip(looking(rtp_series), looking(srt_series), strict=True)
    return [
        f"| every {rtp.every_minutes} min "
        f"| {rtp.standard:.2f} | {rtp.express:.2f} | {srt.standard:.2f} | {srt.express:.2f} |"
        for rtp, srt in both
    ]
