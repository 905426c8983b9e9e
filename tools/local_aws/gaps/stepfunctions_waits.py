"""A Wait state, and the wait before a retry, takes a hundredth of its time.

The rehearsal's clock stands still meanwhile. The definition is unchanged; only the interpreter sleeps less.

moto 5.2.5: waits in real time.
AWS: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html (retries wait in real time)
Remove when: moto waits by a clock that can be set.
"""

import time
from types import SimpleNamespace
from typing import Any, Final

from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)
SHARE: Final = 0.01


GAP.exchange(
    retrier_decl, "time", "module", lambda _: SimpleNamespace(sleep=lambda seconds: time.sleep(seconds * SHARE))
)


@GAP.replaces(WaitFunction, "_wait_interval", "(self, env, wait_seconds)")
def _wait_interval(self: Any, env: Any, wait_seconds: int) -> None:
    del self
    env.program_state_event.wait(wait_seconds * SHARE)
