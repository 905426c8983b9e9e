"""DescribeFlowSourceMetadata and the messages of DescribeFlow in the local AWS."""

from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local.empty_region import EmptyRegion, minute
from tools.local_aws import LocalAws, clock, faults
from tools.local_aws.forget import forget_what_happened
from tools.local_aws.gaps import mediaconnect_messages
from tools.local_aws.gaps.mediaconnect_flow_status import set_flow_status

SOURCE = {"Name": "encoder", "Protocol": "rtp", "IngestPort": 5000, "WhitelistCidr": "203.0.113.10/32"}


@pytest.fixture
def region(aws: LocalAws) -> EmptyRegion:
    return EmptyRegion(aws)


@pytest.fixture
def client(region: EmptyRegion) -> Any:
    return region.client("mediaconnect", config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture
def flow(client: Any) -> str:
    """The ARN of an active flow."""
    arn = str(client.create_flow(Name="channel-one", Source=SOURCE)["Flow"]["FlowArn"])
    set_flow_status(arn, "ACTIVE")
    return arn


def test_source_metadata_lists_programs(client: Any, flow: str) -> None:
    with clock.stopped(minute(5)):
        answer = client.describe_flow_source_metadata(FlowArn=flow)
    assert (answer["FlowArn"], answer["Messages"], answer["Timestamp"]) == (flow, [], minute(5))
    (program,) = answer["TransportMediaInfo"]["Programs"]
    video, audio = program["Streams"]
    assert (video["StreamType"], video["Codec"], video["FrameRate"], video["ScanMode"], video["FrameResolution"]) == (
        *("video", "h264", "50.0", "progressive"),
        {"FrameHeight": 1080, "FrameWidth": 1920},
    )
    assert (audio["StreamType"], audio["Codec"], audio["Channels"], audio["SampleRate"]) == ("audio", "aac", 2, 48000)


def test_source_without_a_stream_has_a_message_and_no_program(client: Any, flow: str) -> None:
    mediaconnect_messages.set_source_metadata(flow, "absent")
    answer = client.describe_flow_source_metadata(FlowArn=flow)
    assert answer["TransportMediaInfo"]["Programs"] == []
    (message,) = answer["Messages"]
    assert (set(message), message["ResourceName"]) == ({"Code", "Message", "ResourceName"}, "encoder")


def test_metadata_can_be_unavailable(client: Any, flow: str) -> None:
    mediaconnect_messages.set_source_metadata(flow, "unavailable")
    with pytest.raises(ClientError, match="ServiceUnavailableException") as refused:
        client.describe_flow_source_metadata(FlowArn=flow)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


@pytest.mark.parametrize(
    ("status", "name", "error"),
    [("STANDBY", "", "BadRequestException"), ("ACTIVE", "-other", "NotFoundException")],
)
def test_only_an_active_flow_has_metadata(client: Any, flow: str, status: str, name: str, error: str) -> None:
    set_flow_status(flow, status)
    with pytest.raises(ClientError, match=error):
        client.describe_flow_source_metadata(FlowArn=flow + name)


def test_source_metadata_fails_with_a_fault_of_mediaconnect(client: Any, flow: str) -> None:
    with faults.failing("mediaconnect", "access-denied"), pytest.raises(ClientError, match="AccessDenied"):
        client.describe_flow_source_metadata(FlowArn=flow)


def test_flow_has_its_current_errors_until_they_are_cleared(client: Any, flow: str, region: EmptyRegion) -> None:
    def shown() -> list[str]:
        errors: list[str] = client.describe_flow(FlowArn=flow)["Messages"]["Errors"]
        return errors

    assert shown() == []
    mediaconnect_messages.raise_error(flow, "a", "Source encoder Stream Error: Timeout.")
    mediaconnect_messages.raise_error(flow, "a", "Source encoder Stream Error: Timeout.")
    mediaconnect_messages.raise_error(flow, "b", "Output error.")
    assert shown() == ["Source encoder Stream Error: Timeout.", "Output error."]
    mediaconnect_messages.clear_error(flow, "a")
    assert shown() == ["Output error."]
    forget_what_happened(region.name)
    assert shown() == []
