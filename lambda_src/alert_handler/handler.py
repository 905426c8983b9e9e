"""Entry point of the alert handler: keeps records in DynamoDB, notifies through SNS.

Errors are raised: the state machine retries them, and notifies by itself if they persist.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from alert_handler.handling import handle
from alert_handler.lateness import ENVIRONMENT
from alert_handler.message import compose
from alert_handler.record import Notification
from alert_handler.table import Table
from event_log import log
from measures import INCIDENTS_OPENED, NOTIFICATIONS_SENT, count
from report import Report
from schema import load_report

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient

CONFIG: Final = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})


class ReportError(ValueError):
    """There is no report, or it lacks something; never read as "healthy"."""


@cache
def clients() -> "tuple[DynamoDBClient, SNSClient]":
    """One client a service for the life of the container."""
    return boto3.client("dynamodb", config=CONFIG), boto3.client("sns", config=CONFIG)


def lambda_handler(event: Mapping[str, Any], _context: object) -> dict[str, list[str]]:
    """Handle the report in `event`; returns the ids of the messages that were sent.

    Args:
        event: `report` of the monitor, the ARN of the `execution`, and how many `retries` it had before this.

    Raises:
        ReportError: there is no report, or it lacks something.
        BusyError: others changed the record each time.
        botocore.exceptions.ClientError: AWS refused a call.
    """
    report = read_report(event)
    execution = str(event.get("execution", ""))
    if retries := event.get("retries"):
        log("retry", warning=True, flow=report["flow_name"], execution=execution, retries=retries)
    dynamodb, sns = clients()

    def send(notification: Notification) -> None:
        publish(sns, notification)
        log(
            "notification sent",
            flow=notification["check"]["flow_name"],
            incident=notification.get("incident"),
            execution=execution,
            severity=notification["severity"],
            kind=notification["kind"],
            id=notification["id"],
        )
        count(NOTIFICATIONS_SENT)
        if notification["kind"] == "opened":
            count(INCIDENTS_OPENED)

    sent = handle(
        report,
        execution=execution,
        store=Table(dynamodb, os.environ["TABLE_NAME"]),
        send=send,
        clock=lambda: datetime.now(UTC),
    )
    return {"sent": sent}


def read_report(event: Mapping[str, Any]) -> Report:
    """The report, with all its parts.

    Raises:
        ReportError: there is none, or it lacks something.
    """
    given = event.get("report")
    if not isinstance(given, Mapping):
        raise ReportError(f"there is no report in {sorted(event)}")
    report = load_report(given)
    missing = sorted(Report.__required_keys__ - set(report))
    if missing:
        raise ReportError(f"the report lacks {', '.join(missing)}")
    return report


def publish(sns: "SNSClient", notification: Notification) -> None:
    """Send one message, with the attributes that subscriptions filter by and its id. Phones get a short text.

    Notifications of the environment itself go to the self-monitoring topic, whose subscribers get everything.
    """
    message = compose(notification)
    topic = "SELF_MONITORING_TOPIC_ARN" if notification["check"]["flow_name"] == ENVIRONMENT else "TOPIC_ARN"
    sns.publish(
        TopicArn=os.environ[topic],
        Subject=message.subject,
        Message=json.dumps({"default": message.body, "sms": message.sms}, ensure_ascii=False),
        MessageStructure="json",
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
        },
    )
