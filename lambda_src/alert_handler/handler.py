"""The edge of the alert handler: publishes the message of an unhealthy report, once.

Errors are raised: the state machine retries them, and publishes by itself if they stay.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from alert_handler.message import ReportError, compose

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

CONFIG: Final = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})


@cache
def client() -> "SNSClient":
    """One client for the life of the container."""
    return boto3.client("sns", config=CONFIG)


def lambda_handler(event: Mapping[str, Any], _context: object) -> dict[str, str]:
    """Send the message of the report in `event`.

    Raises:
        ReportError: there is no report, or nothing to tell.
        botocore.exceptions.ClientError: SNS refused the message.
    """
    report = event.get("report")
    if not isinstance(report, Mapping):
        raise ReportError(f"there is no report in {sorted(event)}")
    message = compose(report)  # type: ignore[arg-type]  # checked there
    sent = client().publish(
        TopicArn=os.environ["TOPIC_ARN"],
        Subject=message.subject,
        Message=message.body,
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
        },
    )
    return {"message_id": sent["MessageId"], "subject": message.subject, "severity": message.attributes["severity"]}
