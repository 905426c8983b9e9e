"""Runs the local AWS on a loopback port, and says how to point tools at it."""

import logging
import os
from types import TracebackType
from typing import Any, Final, Self

import boto3
from moto.core.config import default_user_config
from moto.server import ThreadedMotoServer

from tools.local_aws import faults, gaps

ACCOUNT_ID: Final = "123456789012"
HOST: Final = "127.0.0.1"


class LocalAws:
    """An AWS in this process; a context manager.

    Its state is the process's: two at once would share it.

    Attributes:
        endpoint: URL of every service.
        region: the Region that tools are pointed at.
    """

    def __init__(self, *, region: str = "us-east-1", port: int = 0) -> None:
        self.region = region
        self._server = ThreadedMotoServer(ip_address=HOST, port=port, verbose=False)
        self.endpoint = ""
        self._before: dict[str, str | None] = {}

    def __enter__(self) -> Self:
        gaps.install()
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)  # an execution that fails is an answer
        default_user_config["stepfunctions"] = {"execute_state_machine": True}
        self._server.start()
        _, port = self._server.get_host_and_port()
        self.endpoint = f"http://{HOST}:{port}"
        # The interpreter of state machines calls functions and topics back over HTTP, on this port.
        self._set("MOTO_PORT", str(port))
        self.reset()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.reset()
        self._server.stop()
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def environment(self) -> dict[str, str]:
        """Variables that point terraform, its provider, the AWS CLI and SDKs here, and away from any profile."""
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
        """Forget everything that was made, every run of a function and every fault."""
        from moto.moto_api._internal.models import moto_api_backend  # noqa: PLC0415  loads all of moto

        moto_api_backend.reset()
        gaps.lambda_runs_the_zip.INVOCATIONS.clear()
        gaps.lambda_runs_the_zip.end_all()
        gaps.stepfunctions_api.begin_again()
        faults.lift()

    def _set(self, name: str, value: str) -> None:
        self._before[name] = os.environ.get(name)
        os.environ[name] = value
