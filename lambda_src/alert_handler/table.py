"""The DynamoDB table of records and history: one item a flow, and one for each closed incident until its time is up.

The record is kept as JSON text, which DynamoDB need not understand; beside it stand the attributes that conditions,
expiry and people use.
"""

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from alert_handler.migration import load_record
from alert_handler.record import Incident, Record, nothing_known
from report import SCHEMA

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CURRENT: Final = "current"
HISTORY: Final = "incident#"


class Table:
    """A `handling.Store` in DynamoDB."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def load(self, flow: str) -> tuple[Record, int]:
        """The record and its version; read consistently, so that no check decides on an old record."""
        answer = self._client.get_item(
            TableName=self._name, Key={"flow": {"S": flow}, "entry": {"S": CURRENT}}, ConsistentRead=True
        )
        item = answer.get("Item")
        if item is None:
            return nothing_known(), 0
        return load_record(json.loads(item["record"]["S"])), int(item["version"]["N"])

    def save(self, flow: str, record: Record, *, over: int) -> bool:
        """Save on the condition that nobody did since; False if somebody did."""
        try:
            self._client.put_item(
                TableName=self._name,
                Item={
                    "flow": {"S": flow},
                    "entry": {"S": CURRENT},
                    "version": {"N": str(over + 1)},
                    "record": {"S": json.dumps(record, sort_keys=True)},
                    **({"open": {"S": record["incident"]["opened"]}} if record["incident"] else {}),
                },
                ConditionExpression="attribute_not_exists(#version) OR #version = :over",
                ExpressionAttributeNames={"#version": "version"},
                ExpressionAttributeValues={":over": {"N": str(over)}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def keep(self, flow: str, incident: Incident, *, days: int) -> None:
        """Put a closed incident into history until `days` after its end."""
        expires = datetime.fromisoformat(incident["closed"]) + timedelta(days=days)
        self._client.put_item(
            TableName=self._name,
            Item={
                "flow": {"S": flow},
                "entry": {"S": HISTORY + incident["opened"]},
                "opened": {"S": incident["opened"]},
                "closed": {"S": incident["closed"]},
                "severity": {"S": incident["severity"]},
                "incident": {"S": json.dumps({"schema": SCHEMA, **incident}, sort_keys=True)},
                "expires": {"N": str(int(expires.timestamp()))},
            },
        )
