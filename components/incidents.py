"""DynamoDB table of incidents: one item per flow, and one per closed incident until it expires.

`lambda_src/alert_handler` writes the items. If the table is lost, flows that are still unhealthy are notified again.
"""

from typing import Final

from constructs import Construct

from components.aws import (
    DynamodbTable,
    DynamodbTableAttribute,
    DynamodbTablePointInTimeRecovery,
    DynamodbTableServerSideEncryption,
    DynamodbTableTtl,
)
from components.site import Site


class Incidents(Construct):
    """One on-demand table for all flows of the environment."""

    def __init__(self, scope: Construct, id_: str, *, site: Site, key_arn: str, protect: bool) -> None:
        super().__init__(scope, id_)
        table = DynamodbTable(
            self,
            "table",
            name=site.names.incidents_table,
            billing_mode="PAY_PER_REQUEST",
            hash_key="flow",
            range_key="entry",
            attribute=[DynamodbTableAttribute(name=name, type="S") for name in ("flow", "entry")],
            ttl=DynamodbTableTtl(attribute_name="expires", enabled=True),
            point_in_time_recovery=DynamodbTablePointInTimeRecovery(enabled=True),
            server_side_encryption=DynamodbTableServerSideEncryption(enabled=True, kms_key_arn=key_arn),
            deletion_protection_enabled=protect,
        )
        self.name: Final = table.name
        self.arn: Final = table.arn
