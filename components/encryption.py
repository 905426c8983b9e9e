"""The customer key of an environment: alerts, dead letters, logs and code at rest.

AWS-managed keys will not do: CloudWatch and EventBridge cannot use them, so alarms sent to a topic under
`alias/aws/sns` are silent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from constructs import Construct

from components.aws import KmsAlias, KmsKey
from components.iam import Statement, allow, document, own_account
from components.site import Site

USE: Final = ("kms:Decrypt", "kms:GenerateDataKey*")


@dataclass(frozen=True, slots=True)
class GivenKey:
    """A key that is there already: its policy must let the services of `EncryptionKey` use it."""

    arn: str


class EncryptionKey(Construct):
    """One rotated key, with a grant for each service that must write under it."""

    def __init__(
        self, scope: Construct, id_: str, *, site: Site, protect: bool, pipeline: Sequence[Statement] = ()
    ) -> None:
        super().__init__(scope, id_)
        account = site.account_id
        key = KmsKey(
            self,
            "key",
            description=f"{site.names.prefix}: alerts, dead letters, logs and code",
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
                    USE,
                    "*",
                    principal={"Service": "cloudwatch.amazonaws.com"},
                    condition=own_account(account, source_arn=f"{site.alarm_arn_prefix}*"),
                    sid="AlarmsPublish",
                ),
                allow(
                    USE,
                    "*",
                    principal={"Service": "events.amazonaws.com"},
                    condition=own_account(account, source_arn=site.arn("events", f"rule/{site.names.prefix}-*")),
                    sid="RulesSendDeadLetters",
                ),
                allow(
                    [*USE, "kms:Encrypt*", "kms:ReEncrypt*", "kms:Describe*"],
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
