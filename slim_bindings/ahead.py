"""Lets Python go on while Node loads: the answers to requests to load are read before the first other request.

Loading assemblies takes Node as long as importing everything takes Python, and jsii lets either wait for the other.

Relies on `jsii.kernel.provider`, and on jsii's messages being a line of JSON each way. If the started Node does not
answer as it should, jsii starts its own and loads the same again, with one line in the log.
"""

import atexit
import contextlib
import json
import logging
import subprocess
import threading
from typing import IO, Final, cast

import jsii
from jsii._kernel.providers.process import ProcessProvider, _NodeProcess, stderr_sink
from jsii._kernel.types import LoadRequest, LoadResponse

SECONDS_TO_END: Final = 5  # jsii's own

log = logging.getLogger(__name__)


def adopt(node: subprocess.Popen[bytes]) -> None:
    """Make jsii use a Node that was started with `runtime.js`."""
    jsii.kernel.provider = _Ahead(_Started(node))


class _Started(_NodeProcess):
    """jsii's own process, but started before, and asked to load without waiting."""

    def __init__(self, node: subprocess.Popen[bytes]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._process = node
        self._requests = cast("IO[bytes]", node.stdin)
        self.sink_thread = threading.Thread(target=stderr_sink, args=(node.stderr,), daemon=True)
        self.sink_thread.start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """End Node, and wait for it."""
        with contextlib.suppress(OSError, ValueError):  # it may be gone, or told already
            self._requests.write(b'{"exit":0}\n')
            self._requests.close()
        # Its last pipe ends with it; jsii looks at intervals whether it has ended, up to 0.05 s too late.
        self.sink_thread.join(timeout=SECONDS_TO_END)
        super().stop()

    def ask_to_load(self, request: LoadRequest) -> None:
        message = {"api": "load", "name": request.name, "version": request.version, "tarball": request.tarball}
        self._requests.write(json.dumps(message).encode() + b"\n")
        self._requests.flush()

    def read_whether_loaded(self) -> None:
        answer = self._next_message()
        if "ok" not in answer:
            raise RuntimeError(answer.get("error", answer))


class _Ahead(ProcessProvider):
    """jsii's own provider, but that loading is not waited for until something else is asked."""

    def __init__(self, node: _Started) -> None:
        self._node = node
        self._asked: list[LoadRequest] = []
        self._answering: _NodeProcess | None = None

    def load(self, request: LoadRequest) -> LoadResponse:
        if self._answering:
            return super().load(request)
        self._asked.append(request)
        with contextlib.suppress(OSError):  # a Node that is gone is found out when it should answer
            self._node.ask_to_load(request)
        return LoadResponse(assembly=request.name, types=0)  # nobody reads it

    @property
    def _process(self) -> _NodeProcess:
        if self._answering is None:
            self._answering = self._ready() or self._stock()
        return self._answering

    def _ready(self) -> _NodeProcess | None:
        try:
            self._node.handshake()
            for _ in self._asked:
                self._node.read_whether_loaded()
        except Exception as reason:  # noqa: BLE001  whatever it is: jsii's own process says it better
            log.warning("slim bindings: jsii starts Node once more, because %s", reason or repr(reason))
            self._node.stop()
            return None
        return self._node

    def _stock(self) -> _NodeProcess:
        process = cast("_NodeProcess", super()._process)
        for request in self._asked:
            process.send(request, LoadResponse)
        return process
