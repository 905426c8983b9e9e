"""The severities of alerts, worst first: their one home for everything but the functions.

The functions' zip cannot import this; `lambda_src/report.py` holds the same list, and a test compares the two.
"""

from typing import Final, Literal, get_args

Severity = Literal["CRITICAL", "HIGH", "MEDIUM", "INFO"]
"""CRITICAL: viewers see nothing. HIGH: viewers see damage. MEDIUM: it is getting worse. INFO: worth knowing."""
WORST_FIRST: Final[tuple[Severity, ...]] = get_args(Severity)
