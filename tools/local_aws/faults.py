"""Injects faults: a service of the local AWS refuses calls with the errors of AWS.

A fault is answered by a WSGI middleware, so that the SDK in a function and the state machine see what AWS would answer.
Calls by `LocalAws.client` pass, because the rehearsal itself must not fail. Faults of a resource, such
as a disabled key, are in `resource_faults`.
"""

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

Application = Callable[[dict[str, Any], Callable[..., Any]], Any]
"""A WSGI application."""

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
"""Access key whose calls pass."""
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
    # A client treats this like a connection that times out, without the wait.
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
"""What Lambda answers for a function that ended without an answer; such an invocation succeeds."""


@dataclass(slots=True)
class Fault:
    """One error of one service, for a number of calls or until it is lifted; `hits` counts its calls."""

    target: Target
    error: Error
    calls: int | None = None
    hits: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def hit(self) -> bool:
        """Whether one more call fails; counts it."""
        with self._lock:
            if self.calls is not None and self.hits >= self.calls:
                return False
            self.hits += 1
            return True


_active: Final[list[Fault]] = []
_recorders: Final[list[list[Target]]] = []


def inject(target: Target, error: Error, *, calls: int | None = None) -> Fault:
    """Let a service fail from now on, for a number of calls or until `lift`.

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
    """Inject a fault within the block."""
    fault = inject(target, error, calls=calls)
    try:
        yield fault
    finally:
        lift(fault)


@contextmanager
def recorded_targets() -> Iterator[list[Target]]:
    """Record which targets functions and state machines call within the block, in order."""
    called: list[Target] = []
    _recorders.append(called)
    try:
        yield called
    finally:
        _recorders.remove(called)


def next_error(target: Target) -> Error | None:
    """The error of the next call to this target, which is counted; None if the call succeeds."""
    fault = next((fault for fault in list(_active) if fault.target == target and fault.hit()), None)
    return fault.error if fault else None


def injected_into(application: Application) -> Application:
    """The application behind a middleware that answers faults."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        target = _target(environ) if _active or _recorders else None
        if target is None:
            return application(environ, start_response)
        for called in _recorders:
            called.append(target)
        error = next_error(target)
        if error is None:
            return application(environ, start_response)
        # An unread body would be taken for the next request on the connection.
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        return _refuse(environ, start_response, target, error)

    return answer


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
    """Answer with an error in the protocol of the request."""
    function = target in {"stream_monitor", "alert_handler"}
    request = f"fault-{next(_request_ids)}"
    headers = {"x-amzn-RequestId": request, "Content-Type": "application/json"}
    if function and error in ENDED:
        kind, message = ENDED[error]
        status, body = "200 OK", json.dumps({"errorMessage": message, "errorType": kind})
        headers["X-Amz-Function-Error"] = "Unhandled"
    else:
        status, code = (FUNCTION_ANSWERS if function else ANSWERS)[error]
        message = f"The local {target} is made to answer {error}."
        body = json.dumps({"__type": code, "message": message, "Type": "User"})
        headers["x-amzn-ErrorType"] = code
        if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            headers["Content-Type"] = "text/xml"
            content = f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
            body = f"<ErrorResponse><Error>{content}</Error><RequestId>{request}</RequestId></ErrorResponse>"
    data = body.encode()
    start_response(status, [*headers.items(), ("Content-Length", str(len(data)))])
    return [data]
