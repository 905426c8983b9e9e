"""Lets Python continue while Node loads assemblies: answers to load requests are read before the next other request.

Node loads assemblies for as long as Python imports modules, and with jsii each waits for the other.

Relies on `jsii.kernel.provider`, and on jsii's messages being one line of JSON each way. If the started Node does not
answer as expected, jsii starts its own and loads the same assemblies again, with one line in the log.
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
    """jsii's Node process, already started, with loading split into a request and a later answer."""

    def __init__(self, node: subprocess.Popen[bytes]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._process = node
        self._requests: IO[bytes] = cast("IO[bytes]", node.stdin)
        self.sink_thread = threading.Thread(target=stderr_sink, args=(node.stderr,), daemon=True)
        self.sink_thread.start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """End Node and wait until it has ended."""
        with contextlib.suppress(OSError, ValueError):  # it may have ended already
            self._requests.write(b'{"exit":0}\n')
            self._requests.close()
        # The last pipe closes when Node ends. jsii itself only polls, and notices up to 0.05 s later.
        self.sink_thread.join(timeout=SECONDS_TO_END)
        super().stop()

    def send_load(self, request: LoadRequest) -> None:
        message = {"api": "load", "name": request.name, "version": request.version, "tarball": request.tarball}
        self._requests.write(json.dumps(message).encode() + b"\n")
        self._requests.flush()

    def read_loaded(self) -> None:
        answer = self._next_message()
        if "ok" not in answer:
            raise RuntimeError(answer.get("error", answer))


class _Ahead(ProcessProvider):
    """jsii's process provider, but it waits for loaded assemblies only before the first other request."""

    def __init__(self, node: _Started) -> None:
        self._node = node
        self._loading: list[LoadRequest] = []
        self._ready_node: _NodeProcess | None = None

    def load(self, request: LoadRequest) -> LoadResponse:
        if self._ready_node:
            return super().load(request)
        self._loading.append(request)
        with contextlib.suppress(OSError):  # a Node that has ended is noticed when its answer is read
            self._node.send_load(request)
        return LoadResponse(assembly=request.name, types=0)  # never read

    @property
    def _process(self) -> _NodeProcess:
        if self._ready_node is None:
            self._ready_node = self._started() or self._stock()
        return self._ready_node

    def _started(self) -> _NodeProcess | None:
        try:
            self._node.handshake()
            for _ in self._loading:
                self._node.read_loaded()
        except Exception as reason:  # noqa: BLE001  jsii's own process reports it better
            log.warning("slim bindings: jsii starts Node again, because %s", reason or repr(reason))
            self._node.stop()
            return None
        return self._node

    def _stock(self) -> _NodeProcess:
        process = cast("_NodeProcess", super()._process)
        for request in self._loading:
            process.send(request, LoadResponse)
        return process
