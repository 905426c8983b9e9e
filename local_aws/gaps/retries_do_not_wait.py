"""A retry of a state machine waits a hundredth of its interval: a rehearsal's clock stands still meanwhile.

The definition is left alone; only the interpreter's sleep is short.
"""

import time
from types import SimpleNamespace
from typing import Final

from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl

SHARE: Final = 0.01


def install() -> None:
    """Shorten the waits between attempts."""
    retrier_decl.time = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds * SHARE))
