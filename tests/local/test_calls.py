"""Calls by path are named as the service's model names them."""

import pytest

from tools.local_aws.calls import operation_by_path

FLOW = "/v1/flows/arn:aws:mediaconnect:us-east-1:123456789012:flow:1-AbC:live-stream"


@pytest.mark.parametrize(
    ("service", "method", "path", "operation"),
    [
        ("mediaconnect", "GET", FLOW, "DescribeFlow"),
        ("mediaconnect", "GET", f"{FLOW}/source-metadata", "DescribeFlowSourceMetadata"),
        ("mediaconnect", "POST", f"/v1/flows/start/{FLOW.rpartition('/')[2]}", "StartFlow"),
    ],
)
def test_call_by_path_has_the_name_of_its_operation(service: str, method: str, path: str, operation: str) -> None:
    assert operation_by_path(service, method, path) == operation
