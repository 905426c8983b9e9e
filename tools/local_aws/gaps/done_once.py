"""What moto does anew for each execution and request is done once: it would take most of a rehearsal's time.

A parsed definition, a parsed path and a client keep nothing of an execution: what a retry counts is kept in its own
environment.
"""

import os
import threading
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from moto import backends
from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_unsupported
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import json_path

_making = threading.Lock()


@cache
def install() -> None:
    """Keep what was parsed and made."""
    AmazonStateLanguageParser.parse = staticmethod(lru_cache(maxsize=64)(AmazonStateLanguageParser.parse))
    for reader in (json_path, result_path):
        reader.parse = lru_cache(maxsize=256)(reader.parse)
    for module in (lambda_eval_utils, state_task_service_unsupported):
        module.boto_client_for = _kept(module.boto_client_for)
    modules = tuple(backends.list_of_moto_modules())  # read from disk for each request otherwise
    backends.list_of_moto_modules = lambda: modules


def _kept(make: Callable[..., Any]) -> Callable[..., Any]:
    """A maker of clients that makes each once, for each port that the local AWS had."""

    @lru_cache(maxsize=64)
    def one(port: str, region: str, service: str) -> Any:
        del port
        with _making:
            return make(region=region, service=service)

    def client(region: str, service: str, state_credentials: Any = None) -> Any:
        del state_credentials  # moto does not look at it either
        return one(os.environ.get("MOTO_PORT", ""), region, service)

    return client
