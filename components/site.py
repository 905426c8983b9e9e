"""Where things are built: account, Region, partition, names. Every construct takes it; none looks it up again."""

from dataclasses import dataclass

from settings import Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One environment in one account and Region. Account and partition are tokens, known to Terraform at plan.

    Attributes:
        names: of all that is built.
        region: the Region.
        account_id: the account.
        partition: the second part of every ARN.
        dns_suffix: what addresses of the partition end with, and there the names of some services, too.
        log_retention_days: how long logs are kept.
        permissions_boundary: ARN of the boundary of every role, where a pipeline may change roles.
    """

    names: Names
    region: str
    account_id: str
    partition: str
    dns_suffix: str
    log_retention_days: int
    permissions_boundary: str | None = None

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something of ours, before or without the resource that makes it."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    @property
    def alarm_arn_prefix(self) -> str:
        """What the ARN of each alarm of this environment begins with."""
        return self.arn("cloudwatch", f"alarm:{self.names.prefix}-")

    @property
    def self_monitoring_alarm_arn_prefix(self) -> str:
        """What the ARN of each self-monitoring alarm begins with."""
        return self.arn("cloudwatch", f"alarm:{self.names.prefix}-chain-")
