"""A flow is deleted in STANDBY only; moto deletes it in any state. And rehearsals may set a state, which then stays."""

from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.mediaconnect import models


class BadRequestError(JsonRESTError):
    """MediaConnect's BadRequestException."""

    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("BadRequestException", message)


def install() -> None:
    """Refuse to delete a flow that is not stopped, as DeleteFlow's documentation says."""
    delete = models.MediaConnectBackend.delete_flow

    def delete_stopped(self: Any, flow_arn: str) -> Any:
        flow = self._flows.get(flow_arn)
        if flow is not None and flow.status != "STANDBY":
            raise BadRequestError(f"The flow {flow.name} is {flow.status}; stop it before you delete it.")
        return delete(self, flow_arn)

    models.MediaConnectBackend.delete_flow = delete_stopped
    settle = models.Flow.resolve_transient_states

    def settle_unless_set(self: Any) -> None:
        if getattr(self, "status_set", None) != self.status:
            settle(self)

    models.Flow.resolve_transient_states = settle_unless_set


def set_flow_status(flow_arn: str, status: str) -> None:
    """Put a flow into any state, until it is started or stopped; for what no API call brings about, such as ERROR."""
    region, account_id = flow_arn.split(":")[3:5]
    flow = models.mediaconnect_backends[account_id][region]._flows[flow_arn]
    flow.status = flow.status_set = status
