"""The KMS key of an environment, which encrypts alerts, incidents, logs and code.

Self-monitoring reports the loss of this key without it: its topic is not encrypted, and SQS encrypts the queues itself.
So only CloudWatch Logs needs a statement in the key policy; our roles use the key by IAM.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from constructs import Construct

from components.aws import KmsAlias, KmsKey
from components.iam import Statement, allow, document
from components.site import Site


@dataclass(frozen=True, slots=True)
class ExistingKey:
    """An existing key. Its policy must allow what that of `EncryptionKey` allows."""

    arn: str


class EncryptionKey(Construct):
    """A rotated key, usable by the account's IAM policies and by CloudWatch Logs."""

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
                # In a key policy, "*" is the key itself.
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
                    # Logs sends the group in the encryption context, and no source account.
                    condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": site.arn("logs", "log-group:/aws/*")}},
                    sid="LogGroupsEncrypt",
                ),
                *pipeline,
            ),
        )
        KmsAlias(self, "alias", name=site.names.key_alias, target_key_id=key.key_id)
        self.arn: Final = key.arn
