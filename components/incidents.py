"""The table that remembers incidents: one item a flow, and one for each closed incident until its time is up.

What is in them is decided in `lambda_src/alert_handler`. Lost, it costs the memory of what is open: a flow that is
still unhealthy is told of once more.
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
    """One table for all flows of the environment, paid by request."""

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
