"""A retry of a state machine, and a Wait, lasts a hundredth of its time: a rehearsal's clock stands still meanwhile.

The definition is left alone; only the interpreter's sleep is short.
"""

import time
from types import SimpleNamespace
from typing import Any, Final

from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

SHARE: Final = 0.01


def install() -> None:
    """Shorten the waits between attempts and those of Wait states."""
    retrier_decl.time = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds * SHARE))

    def wait(self: Any, env: Any, wait_seconds: int) -> None:
        del self
        env.program_state_event.wait(wait_seconds * SHARE)

    WaitFunction._wait_interval = wait
