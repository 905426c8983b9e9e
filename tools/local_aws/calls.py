"""Records which calls of AWS each invocation of a function makes, and whether they are refused.

The SDK in a function sends Lambda's trace id with each call, which identifies the invocation.
"""

import io
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qs

import botocore.session

from tools.local_aws.faults import Application


@dataclass(frozen=True, slots=True)
class Call:
    """One call: service and operation by the SDK's names, and whether it was refused."""

    service: str
    operation: str
    refused: bool


_calls: Final[dict[str, list[Call]]] = defaultdict(list)


def made_by(trace: str) -> tuple[Call, ...]:
    """Return the calls of an invocation in order, and forget them."""
    return tuple(_calls.pop(trace, ()))


def forget() -> None:
    """Forget all calls."""
    _calls.clear()


def recorded_in_front_of(application: Application) -> Application:
    """The application behind a middleware that records calls."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        trace = environ.get("HTTP_X_AMZN_TRACE_ID", "")
        if not trace:
            return application(environ, start_response)
        service, operation = _operation(environ)

        def record(status: str, *more: Any) -> Any:
            _calls[trace].append(Call(service, operation, refused=status >= "4"))
            return start_response(status, *more)

        return application(environ, record)

    return answer


def _operation(environ: dict[str, Any]) -> tuple[str, str]:
    """Service and operation of a request, in any of AWS's protocols."""
    signed = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    service = signed[1] if signed else ""
    path = environ.get("PATH_INFO", "")
    if "HTTP_X_AMZ_TARGET" in environ:
        return service, environ["HTTP_X_AMZ_TARGET"].rpartition(".")[2]
    if "/operation/" in path:
        return service, path.rpartition("/")[2]
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        return service, parse_qs(body.decode())["Action"][0]
    return service, operation_by_path(service, environ["REQUEST_METHOD"], path)


def operation_by_path(service: str, method: str, path: str) -> str:
    """The operation of a request to a service that is called by path; method and path if it is not known."""
    fitting = (name for (verb, pattern), name in _paths(service).items() if verb == method and pattern.fullmatch(path))
    return next(fitting, f"{method} {path}")


@cache
def _paths(service: str) -> Mapping[tuple[str, re.Pattern[str]], str]:
    """The operations of a service that is called by path."""
    model = botocore.session.get_session().get_service_model(service)
    http = {name: model.operation_model(name).http for name in model.operation_names}
    return {
        (call["method"], re.compile(_parameters(re.escape(call["requestUri"])))): name for name, call in http.items()
    }


def _parameters(path: str) -> str:
    """An escaped path with patterns for its parameters: only a greedy one, such as a key of S3, holds slashes."""
    return re.sub(r"\\\{([^}]+?)(\\\+)?\\\}", lambda found: ".+" if found[2] else "[^/]+", path)
