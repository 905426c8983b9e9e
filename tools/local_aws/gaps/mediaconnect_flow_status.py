"""DeleteFlow refuses a flow that is not in STANDBY, and a test or rehearsal can set any status, which then stays.

moto 5.2.5: deletes a flow in any status, and ends a transient one at the next DescribeFlow.
AWS: https://docs.aws.amazon.com/mediaconnect/latest/api/v1-flows-flowarn.html
Remove when: moto refuses the deletion. Setting a status stays.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.core.exceptions import JsonRESTError
from moto.mediaconnect import models

from tools.local_aws import backends
from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)


class BadRequestError(JsonRESTError):
    """MediaConnect's BadRequestException."""

    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("BadRequestException", message)


def set_flow_status(flow_arn: str, status: str) -> None:
    """Set the status of a flow until it is started or stopped, also one that no API call leads to, such as ERROR."""
    flow = backends.flow(flow_arn)
    flow.status = flow.status_set = status


@GAP.wraps(models.MediaConnectBackend, "delete_flow", "(self, flow_arn)")
def _delete_flow(delete: Callable[..., Any], self: Any, flow_arn: str) -> Any:
    flow = self._flows.get(flow_arn)
    if flow is not None and flow.status != "STANDBY":
        raise BadRequestError(f"The flow {flow.name} is {flow.status}; stop it before you delete it.")
    return delete(self, flow_arn)


@GAP.wraps(models.Flow, "resolve_transient_states", "(self)")
def _resolve_transient_states(resolve: Callable[..., None], self: Any) -> None:
    if getattr(self, "status_set", None) != self.status:
        resolve(self)
