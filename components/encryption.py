"""The customer key of an environment: alerts, incidents, logs and code at rest.

What reports the loss of this key does not depend on it: the self-monitoring topic is not encrypted, and the queues are
encrypted by SQS itself. So no service but CloudWatch Logs needs a statement here; our roles use the key by IAM.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from constructs import Construct

from components.aws import KmsAlias, KmsKey
from components.iam import Statement, allow, document
from components.site import Site


@dataclass(frozen=True, slots=True)
class GivenKey:
    """A key that is there already: its policy must let the services of `EncryptionKey` use it."""

    arn: str


class EncryptionKey(Construct):
    """One rotated key, with a statement for the account and one for each service that writes under it by itself."""

    def __init__(
        self, scope: Construct, id_: str, *, site: Site, protect: bool, pipeline: Sequence[Statement] = ()
    ) -> None:
        super().__init__(scope, id_)
        account = site.account_id
        key = KmsKey(
            self,
            "key",
            description=f"{site.names.prefix}: alerts, incidents, logs and code",
            enable_key_rotation=True,
            deletion_window_in_days=30 if protect else 7,
            policy=document(
                # A key's policy is attached to the key: "*" is this key and no other.
                allow(
                    ["kms:*"],
                    "*",
                    principal={"AWS": f"arn:{site.partition}:iam::{account}:root"},
                    sid="AccountMayGrantUseByIam",
                ),
                allow(
                    ["kms:Decrypt", "kms:GenerateDataKey*", "kms:Encrypt*", "kms:ReEncrypt*", "kms:Describe*"],
                    "*",
                    principal={"Service": f"logs.{site.region}.{site.dns_suffix}"},
                    # Logs names the group in the encryption context; it sends no source account.
                    condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": site.arn("logs", "log-group:/aws/*")}},
                    sid="LogGroupsEncrypt",
                ),
                *pipeline,
            ),
        )
        KmsAlias(self, "alias", name=site.names.key_alias, target_key_id=key.key_id)
        self.arn: Final = key.arn
