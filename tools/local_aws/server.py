"""Runs the local AWS on a loopback port, and points tools at it."""

import logging
import os
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self

import boto3
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from tools.local_aws import calls, faults, gaps

HOST: Final = "127.0.0.1"


class LocalAws:
    """An AWS in this process, as a context manager. Its state is global: two at once would share it.

    Attributes:
        endpoint: URL of every service.
        region: the Region of tools.
    """

    def __init__(self, *, region: str = "us-east-1", port: int = 0) -> None:
        self.region = region
        self.endpoint = ""
        self._port = port
        self._server: BaseWSGIServer | None = None
        self._before: dict[str, str | None] = {}

    def __enter__(self) -> Self:
        gaps.install()
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)  # it logs each failed execution
        default_user_config["stepfunctions"] = {"execute_state_machine": True}
        # Calls are recorded with the answers of faults.
        application = calls.recorded_in_front_of(faults.injected_into(DomainDispatcherApplication(create_backend_app)))
        self._server = make_server(HOST, self._port, application, threaded=True, request_handler=MotoRequestHandler)
        Thread(target=self._server.serve_forever, daemon=True).start()
        self.endpoint = f"http://{HOST}:{self._server.port}"
        # The interpreter of state machines calls functions and topics over HTTP on this port.
        self._set("MOTO_PORT", str(self._server.port))
        self.reset()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.reset()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def environment(self) -> dict[str, str]:
        """Environment variables that point terraform, its provider, the AWS CLI and SDKs here, and not to a profile."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",  # there is no host "sync-127.0.0.1"
        }

    def client(self, service: str) -> Any:
        """A boto3 client of the local AWS."""
        make: Any = boto3.client  # its types list every service by name
        return make(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=faults.OPERATOR,
            aws_secret_access_key="test",  # noqa: S106  not a secret: the local AWS takes any
        )

    def reset(self) -> None:
        """Forget everything that was created, every invocation and every fault."""
        from moto.moto_api._internal.models import moto_api_backend  # noqa: PLC0415  loads all of moto

        moto_api_backend.reset()
        gaps.lambda_invocation.INVOCATIONS.clear()
        gaps.lambda_invocation.end_all()
        gaps.stepfunctions_api.restart_names()
        faults.lift()

    def _set(self, name: str, value: str) -> None:
        self._before[name] = os.environ.get(name)
        os.environ[name] = value
