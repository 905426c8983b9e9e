"""Invoke runs the uploaded zip of a function in an interpreter of its own.

The function sees what Lambda gives it: its environment, its zip, a context, a time limit; and the local endpoint in
place of AWS. Nothing of this process reaches it but the standard library and boto3. As on Lambda, an interpreter that
answered is kept for the next invocation, and one that crashed or ran out of time is not. While the local AWS has a
clock of its own, the function's clock shows the same.

moto 5.2.5: needs Docker, or only echoes the event.
AWS: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
Remove when: moto runs Python functions without Docker, with the clock of the caller and a time limit.
"""

import base64
import io
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from moto.awslambda.models import LambdaFunction
from moto.logs.exceptions import ResourceNotFoundException

from tools.local_aws import calls, clock
from tools.local_aws.calls import Call
from tools.local_aws.gaps import cloudwatch_embedded_metrics
from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)

BOOTSTRAP: Final = """
import importlib, json, logging, os, sys, time, traceback, types
plain = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
request = None
class AsLambda(logging.Formatter):  # as the JsonFormatter of awslambdaric: what was given as extra are keys
    def format(self, record):
        kind, error, trace = record.exc_info or (None, None, None)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "timestamp": f"{moment}.{int(record.msecs):03}Z", "level": record.levelname,
            "message": record.getMessage(), "logger": record.name, "requestId": request,
            "errorType": kind and kind.__name__, "errorMessage": error and str(error),
            "stackTrace": trace and traceback.format_tb(trace),
            **{key: value for key, value in vars(record).items() if key not in plain},
        }
        return json.dumps({key: value for key, value in line.items() if value is not None}, ensure_ascii=False)
to_stderr = logging.StreamHandler(sys.stderr)
to_stderr.setFormatter(AsLambda())
logging.getLogger().addHandler(to_stderr)
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what a function prints belongs to its logs
clock = None
for line in sys.stdin:
    given = json.loads(line)
    os.environ["_X_AMZN_TRACE_ID"] = given["trace"]
    if clock:
        clock.stop()
        clock = None
    if given["now"] is not None:
        import time_machine
        clock = time_machine.travel(given["now"], tick=False)
        clock.start()
    request = given["request"]
    deadline = time.monotonic() + given["timeout"]
    context = types.SimpleNamespace(
        function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        invoked_function_arn=given["arn"],
        aws_request_id=given["request"],
        get_remaining_time_in_millis=lambda: max(0, int((deadline - time.monotonic()) * 1000)),
    )
    module, _, name = given["handler"].rpartition(".")
    try:
        answer = {"payload": getattr(importlib.import_module(module), name)(given["event"], context)}
        text = json.dumps(answer)
    except Exception as error:
        traceback.print_exc()
        text = json.dumps({"error": {
            "errorMessage": str(error), "errorType": type(error).__name__,
            "stackTrace": traceback.format_tb(error.__traceback__),
        }})
    sys.stdout.flush()
    answers.write(text + "\\n")
    answers.flush()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One invocation, as a timeline shows it. `seconds` is real time."""

    function_name: str
    event: Any
    answer: Any
    failed: bool
    seconds: float
    calls: tuple[Call, ...] = ()


class _Interpreter:
    """A process that runs one function's code, invocation after invocation."""

    def __init__(self, folder: str, environment: dict[str, str]) -> None:
        self._logs = tempfile.TemporaryFile("a+", encoding="utf-8")  # noqa: SIM115  closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-c", BOOTSTRAP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._logs,
            env=environment,
            cwd=folder,
            text=True,
        )

    def run(self, given: dict[str, Any], *, seconds: float) -> tuple[str, str, bool]:
        """The answer, empty if there was none; the logs; and whether time ran out."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, stop)
        timer.start()
        try:
            self._process.stdin.write(json.dumps(given) + "\n")  # type: ignore[union-attr]  # it has pipes
            self._process.stdin.flush()  # type: ignore[union-attr]
            answer = self._process.stdout.readline()  # type: ignore[union-attr]
        except BrokenPipeError:
            answer = ""
        finally:
            timer.cancel()
        self._logs.seek(0)
        logs = self._logs.read()
        self._logs.seek(0)  # the process writes where this offset is: past the end, it would leave zeros before it
        self._logs.truncate()
        return answer, logs, late.is_set()

    def end(self) -> None:
        """Stop the process and close its pipes."""
        self._process.kill()
        self._process.communicate()
        self._logs.close()


INVOCATIONS: Final[list[Invocation]] = []
_numbers: Final = itertools.count(1)
_idle: Final[dict[str, list[_Interpreter]]] = {}
_folders = tempfile.TemporaryDirectory(prefix="functions-")
_unpacking = threading.Lock()
_keeping = threading.Lock()


def end_all() -> None:
    """Stop all idle interpreters."""
    with _keeping:
        for kept in _idle.values():
            while kept:
                kept.pop().end()


@GAP.replaces(LambdaFunction, "invoke", "(self, body, request_headers, response_headers)")
def _invoke(self: Any, body: Any, request_headers: Any, response_headers: Any) -> bytes:
    event = json.loads(body) if body else {}
    answer, failed, logs = _run(self, event)
    if failed:
        response_headers["x-amz-function-error"] = "Unhandled"
    response_headers["x-amz-log-result"] = base64.b64encode(logs.encode()[-4096:]).decode()
    if request_headers.get("x-amz-invocation-type", "RequestResponse") == "Event":
        return b""
    return json.dumps(answer).encode()


def _run(function: Any, event: Any) -> tuple[Any, bool, str]:
    """The answer of one invocation, whether it failed, and its log."""
    request = f"request-{next(_numbers)}"
    started = time.monotonic()
    given = {
        "event": event,
        "handler": function.handler,
        "arn": function.function_arn,
        "timeout": function.timeout,
        "request": request,
        "trace": f"Root={request}",
        "now": clock.stopped_at(),
    }
    folder, environment = _unpacked(function), _environment(function)
    kept = _idle.setdefault(json.dumps([folder, environment], sort_keys=True), [])
    with _keeping:
        interpreter = kept.pop() if kept else None
    interpreter = interpreter or _Interpreter(folder, environment)
    answered, logs, late = interpreter.run(given, seconds=float(function.timeout))
    if answered and not late:
        outcome = json.loads(answered)
        with _keeping:
            kept.append(interpreter)
    else:
        interpreter.end()
        timed_out = f"{request} Task timed out after {float(function.timeout):.2f} seconds"
        outcome = {"error": _ended(timed_out if late else f"RequestId: {request} Error: Runtime exited")}
    failed = "error" in outcome
    answer = outcome["error"] if failed else outcome["payload"]
    with suppress(ResourceNotFoundException):  # a log group that is gone loses the log, not the run
        function.save_logs(logs or "no output")
        cloudwatch_embedded_metrics.count(logs, account=function.account_id, region=function.region)
    INVOCATIONS.append(
        Invocation(
            function_name=function.function_name,
            event=event,
            answer=answer,
            failed=failed,
            seconds=time.monotonic() - started,
            calls=calls.made_by(given["trace"]),
        )
    )
    return answer, failed, logs


def _ended(message: str) -> dict[str, str]:
    return {"errorMessage": message, "errorType": "Sandbox.Timedout" if "timed out" in message else "Runtime.ExitError"}


def _unpacked(function: Any) -> str:
    """The folder with the function's code; one for each content."""
    folder = Path(_folders.name) / function.code_digest.replace("/", "_")
    with _unpacking:
        if not folder.is_dir():
            with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
                archive.extractall(folder)
    return str(folder)


def _environment(function: Any) -> dict[str, str]:
    return {
        **{str(key): str(value) for key, value in function.environment_vars.items()},
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": function.region,
        "AWS_REGION": function.region,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ['MOTO_PORT']}",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": ".",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
