"""DescribeFlowSourceMetadata, and the current alerts of a flow in `Messages` of DescribeFlow.

AWS documents its answer for a source that sends nothing only as "messages", so a test or a rehearsal sets which of the
possible answers a flow gives.

moto 5.2.5: lacks the call, and its flows have no messages.
AWS: https://docs.aws.amazon.com/mediaconnect/latest/api/v1-flows-flowarn-source-metadata.html
AWS: https://docs.aws.amazon.com/mediaconnect/latest/api/v1-flows-flowarn.html
Remove when: moto answers both with what a test can set.
"""

import json
from typing import Any, Final, Literal

from moto.core.exceptions import JsonRESTError
from moto.mediaconnect import responses, urls

from tools.local_aws import clock
from tools.local_aws.backends import attached, flow
from tools.local_aws.gaps.mediaconnect_flow_status import BadRequestError
from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)

SourceMetadata = Literal["present", "absent", "unavailable"]
"""Programs; no program but a message with the reason; or the call fails."""

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


GAP.adds(urls.url_paths, "{0}/v1/flows/(?P<flowarn>[^/.]+)/source-metadata$")(urls.response.dispatch)


def set_source_metadata(flow_arn: str, answer: SourceMetadata) -> None:
    """Set what DescribeFlowSourceMetadata answers of an active flow; until then, "present"."""
    flow(flow_arn).source_metadata = answer


def raise_error(flow_arn: str, key: str, message: str) -> None:
    """Add a current error to DescribeFlow's messages, under a key that ends it."""
    _errors(flow_arn)[key] = message


def clear_error(flow_arn: str, key: str) -> None:
    """Remove a current error from DescribeFlow's messages."""
    _errors(flow_arn).pop(key, None)


def forget(flow_arn: str) -> None:
    """Remove all errors of a flow, and what was set for its source."""
    _errors(flow_arn).clear()
    set_source_metadata(flow_arn, "present")


def _errors(flow_arn: str) -> dict[str, str]:
    errors: dict[str, str] = attached(flow(flow_arn), "current_errors", dict)
    return errors


@GAP.replaces(responses.MediaConnectResponse, "describe_flow", "(self)")
def _describe_flow(self: Any) -> str:
    found = self.mediaconnect_backend.describe_flow(flow_arn=self.get_flow_arn())
    errors = list(_errors(found.flow_arn).values())
    return json.dumps({"flow": found.to_dict(), "messages": {"errors": errors}})


@GAP.adds(responses.MediaConnectResponse, "describe_flow_source_metadata")
def _describe_flow_source_metadata(self: Any) -> str:
    found = self.mediaconnect_backend.describe_flow(flow_arn=self.get_flow_arn())
    if found.status != "ACTIVE":  # AWS documents no answer here; BadRequestException is the one of its errors that fits
        raise BadRequestError(f"The flow {found.name} is {found.status}; only an active flow has source metadata.")
    answer = getattr(found, "source_metadata", "present")
    if answer == "unavailable":
        raise UnavailableError
    nothing = {
        "code": "SourceMetadataUnavailable",
        "message": "No transport stream was detected.",
        "resourceName": found.source["name"],
    }
    present = answer == "present"
    return json.dumps(
        {
            "flowArn": found.flow_arn,
            "messages": [] if present else [nothing],
            "timestamp": clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "transportMediaInfo": {"programs": [PROGRAM] if present else []},
        }
    )
