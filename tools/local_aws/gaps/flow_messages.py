"""DescribeFlowSourceMetadata, which moto lacks, and the current alerts of a flow in `Messages` of DescribeFlow.

What AWS answers of a source that sends nothing is documented only as "messages", so a test or a rehearsal sets which of
the possible answers a flow has.
"""

import json
from typing import Any, Final, Literal

from moto.core.exceptions import JsonRESTError
from moto.mediaconnect import models, responses, urls

from tools.local_aws import clock
from tools.local_aws.gaps.flow_states import BadRequestError

SourceMetadata = Literal["present", "absent", "unavailable"]
"""Programs are listed; there are none, and a message says why; the call fails."""

PROGRAM: Final = {
    "pcrPid": 481,
    "programName": "main",
    "programNumber": 1,
    "programPid": 480,
    "streams": [
        {
            "codec": "h264",
            "frameRate": "50.0",
            "frameResolution": {"frameHeight": 1080, "frameWidth": 1920},
            "pid": 481,
            "scanMode": "progressive",
            "streamType": "video",
        },
        {"channels": 2, "codec": "aac", "pid": 482, "sampleRate": 48000, "sampleSize": 16, "streamType": "audio"},
    ],
}


class UnavailableError(JsonRESTError):
    """MediaConnect's ServiceUnavailableException."""

    code = 503

    def __init__(self) -> None:
        super().__init__("ServiceUnavailableException", "The service is currently unavailable or busy.")


def install() -> None:
    """Serve the call, and add the messages."""
    base = "{0}/v1/flows/(?P<flowarn>[^/.]+)"
    urls.url_paths[f"{base}/source-metadata$"] = urls.response.dispatch
    responses.MediaConnectResponse.describe_flow_source_metadata = _describe_source_metadata
    responses.MediaConnectResponse.describe_flow = _describe_flow


def set_source_metadata(flow_arn: str, answer: SourceMetadata) -> None:
    """Set what DescribeFlowSourceMetadata answers of an active flow; until then, "present"."""
    _flow(flow_arn).source_metadata = answer


def raise_error(flow_arn: str, key: str, message: str) -> None:
    """Add a current error to DescribeFlow's messages, under a key that ends it."""
    _errors(flow_arn)[key] = message


def clear_error(flow_arn: str, key: str) -> None:
    """Remove a current error from DescribeFlow's messages."""
    _errors(flow_arn).pop(key, None)


def forget(flow_arn: str) -> None:
    """Remove all of a flow's errors, and what was set of its source."""
    _errors(flow_arn).clear()
    set_source_metadata(flow_arn, "present")


def _flow(flow_arn: str) -> Any:
    region, account_id = flow_arn.split(":")[3:5]
    return models.mediaconnect_backends[account_id][region]._flows[flow_arn]


def _errors(flow_arn: str) -> dict[str, str]:
    errors: dict[str, str] = vars(_flow(flow_arn)).setdefault("current_errors", {})
    return errors


def _describe_flow(self: Any) -> str:
    flow = self.mediaconnect_backend.describe_flow(flow_arn=self.get_flow_arn())
    errors = list(_errors(flow.flow_arn).values())
    return json.dumps({"flow": flow.to_dict(), "messages": {"errors": errors}})


def _describe_source_metadata(self: Any) -> str:
    flow = self.mediaconnect_backend.describe_flow(flow_arn=self.get_flow_arn())
    if flow.status != "ACTIVE":  # AWS documents no answer here; BadRequestException is the one of its errors that fits
        raise BadRequestError(f"The flow {flow.name} is {flow.status}; only an active flow has source metadata.")
    answer = getattr(flow, "source_metadata", "present")
    if answer == "unavailable":
        raise UnavailableError
    nothing = {
        "code": "SourceMetadataUnavailable",
        "message": "No transport stream was detected.",
        "resourceName": flow.source["name"],
    }
    present = answer == "present"
    return json.dumps(
        {
            "flowArn": flow.flow_arn,
            "messages": [] if present else [nothing],
            "timestamp": clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "transportMediaInfo": {"programs": [PROGRAM] if present else []},
        }
    )
