"""Makes services of the local AWS fail while a test or a rehearsal wants it; whoever calls them knows nothing of it.

A fault is answered at the HTTP door, so that the real SDK in a function, and the state machine, see what AWS would say.
Calls by `LocalAws.client` pass: whoever plays the stream is not part of what fails.
"""

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal, get_args

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

Target = Literal[
    "stream_monitor",
    "alert_handler",
    "sns",
    "dynamodb",
    "cloudwatch",
    "mediaconnect",
    "ssm",
    "sqs",
    "eventbridge",
    "subscriber",
]
Error = Literal["throttled", "timeout", "crash", "access-denied"]

OPERATOR: Final = "operator"
"""Access key of those whose calls pass."""
SIGNING_NAMES: Final[Mapping[str, Target]] = {
    "dynamodb": "dynamodb",
    "events": "eventbridge",
    "mediaconnect": "mediaconnect",
    "monitoring": "cloudwatch",
    "sns": "sns",
    "sqs": "sqs",
    "ssm": "ssm",
}
ANSWERS: Final[Mapping[Error, tuple[str, str]]] = {
    "throttled": ("400 Bad Request", "ThrottlingException"),
    # What a client makes of a connection that stays silent is the same as of this, without the waiting.
    "timeout": ("504 Gateway Timeout", "RequestTimeout"),
    "crash": ("500 Internal Server Error", "InternalFailure"),
    "access-denied": ("403 Forbidden", "AccessDeniedException"),
}
FUNCTION_ANSWERS: Final[Mapping[Error, tuple[str, str]]] = {
    **ANSWERS,
    "throttled": ("429 Too Many Requests", "TooManyRequestsException"),
}
ENDED: Final[Mapping[Error, tuple[str, str]]] = {
    "timeout": ("Sandbox.Timedout", "Task timed out after 30.00 seconds"),
    "crash": ("Runtime.ExitError", "Error: Runtime exited with error: exit status 1"),
}
"""What Lambda answers of a function that ended without an answer of its own; such an invocation succeeds."""


@dataclass(slots=True)
class Fault:
    """One way in which one service fails, for a number of calls or until it is lifted."""

    target: Target
    error: Error
    calls: int | None = None
    met: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def meets(self) -> bool:
        """Whether it meets one more call; counts it."""
        with self._lock:
            if self.calls is not None and self.met >= self.calls:
                return False
            self.met += 1
            return True


_active: Final[list[Fault]] = []
_listeners: Final[list[list[Target]]] = []


def inject(target: Target, error: Error, *, calls: int | None = None) -> Fault:
    """Let a service fail from now on, for that many calls or until `lift`.

    Raises:
        ValueError: there is no such target or error.
    """
    for value, known in ((target, get_args(Target)), (error, get_args(Error))):
        if value not in known:
            raise ValueError(f"{value!r} is not one of {', '.join(known)}")
    fault = Fault(target, error, calls)
    _active.append(fault)
    return fault


def lift(fault: Fault | None = None) -> None:
    """End a fault, or all of them."""
    if fault is None:
        _active.clear()
    elif fault in _active:
        _active.remove(fault)


@contextmanager
def failing(target: Target, error: Error, *, calls: int | None = None) -> Iterator[Fault]:
    """A fault for as long as a block lasts."""
    fault = inject(target, error, calls=calls)
    try:
        yield fault
    finally:
        lift(fault)


@contextmanager
def listening() -> Iterator[list[Target]]:
    """Whom functions and state machines call for as long as a block lasts, in order."""
    heard: list[Target] = []
    _listeners.append(heard)
    try:
        yield heard
    finally:
        _listeners.remove(heard)


def met(target: Target) -> Error | None:
    """How a call to this target fails now; None if it does not."""
    fault = next((fault for fault in list(_active) if fault.target == target and fault.meets()), None)
    return fault.error if fault else None


@cache
def install() -> None:
    """Stand at the door of the local AWS."""
    served = DomainDispatcherApplication.__call__

    def guarded(self: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        target = _target(environ) if _active or _listeners else None
        if target is None:
            return served(self, environ, start_response)
        for heard in _listeners:
            heard.append(target)
        error = met(target)
        if error is None:
            return served(self, environ, start_response)
        # A body that nobody reads would be taken for the next request on the connection.
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        return _refuse(environ, start_response, target, error)

    DomainDispatcherApplication.__call__ = guarded


def _target(environ: Mapping[str, Any]) -> Target | None:
    credential = re.search(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    if credential is None or credential[1] == OPERATOR:
        return None
    if credential[2] == "lambda":
        function = re.search(r"/functions/(?:[^/]*:)?([^/:]+)/invocations", environ.get("PATH_INFO", ""))
        names: dict[str, Target] = {"-stream-monitor": "stream_monitor", "-alert-handler": "alert_handler"}
        return next((target for end, target in names.items() if function and function[1].endswith(end)), None)
    return SIGNING_NAMES.get(credential[2])


_request_ids: Final = itertools.count(1)


def _refuse(
    environ: Mapping[str, Any], start_response: Callable[..., Any], target: Target, error: Error
) -> list[bytes]:
    """An error in the protocol that the request speaks."""
    function = target in {"stream_monitor", "alert_handler"}
    request = f"fault-{next(_request_ids)}"
    headers = {"x-amzn-RequestId": request, "Content-Type": "application/json"}
    if function and error in ENDED:
        kind, words = ENDED[error]
        status, body = "200 OK", json.dumps({"errorMessage": words, "errorType": kind})
        headers["X-Amz-Function-Error"] = "Unhandled"
    else:
        status, code = (FUNCTION_ANSWERS if function else ANSWERS)[error]
        words = f"The local {target} is made to answer {error}."
        body = json.dumps({"__type": code, "message": words, "Type": "User"})
        headers["x-amzn-ErrorType"] = code
        if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            headers["Content-Type"] = "text/xml"
            told = f"<Type>Sender</Type><Code>{code}</Code><Message>{words}</Message>"
            body = f"<ErrorResponse><Error>{told}</Error><RequestId>{request}</RequestId></ErrorResponse>"
    data = body.encode()
    start_response(status, [*headers.items(), ("Content-Length", str(len(data)))])
    return [data]
