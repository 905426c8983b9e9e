"""Caches what moto parses and creates again for each execution and request: most of the time of a rehearsal.

A parsed definition, a parsed path and a client keep nothing of an execution; what a retry counts is in its environment.

moto 5.2.5: parses the definition for each execution and a path for each use, creates a client for each task, and lists
its own folder for each request.
AWS: no difference that a caller sees.
Remove when: a rehearsal takes the same time without it.
"""

import os
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from moto import backends
from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_unsupported
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import json_path

from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)
_creating: Final = threading.Lock()


def _cached_clients(create: Callable[..., Any]) -> Callable[..., Any]:
    """Create each client once for each port that the local AWS has had."""

    @lru_cache(maxsize=64)
    def create_once(port: str, region: str, service: str) -> Any:
        del port
        with _creating:
            return create(region=region, service=service)

    def client(region: str, service: str, state_credentials: Any = None) -> Any:
        del state_credentials  # moto does not use it either
        return create_once(os.environ.get("MOTO_PORT", ""), region, service)

    return client


GAP.exchange(AmazonStateLanguageParser, "parse", "(definition)", lru_cache(maxsize=64))
GAP.exchange(json_path, "parse", "(path, debug=None)", lru_cache(maxsize=256))
GAP.exchange(result_path, "parse", "(string)", lru_cache(maxsize=256))
GAP.exchange(lambda_eval_utils, "boto_client_for", "(region, service, state_credentials=None)", _cached_clients)
GAP.exchange(
    state_task_service_unsupported, "boto_client_for", "(region, service, state_credentials=None)", _cached_clients
)
GAP.exchange(backends, "list_of_moto_modules", "()", lambda listing: lru_cache(maxsize=1)(lambda: tuple(listing())))
