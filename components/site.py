"""Account, Region, partition and names of an environment; every construct takes them from here."""

from dataclasses import dataclass

from settings import Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One environment in one account and Region. Account and partition are tokens, known to Terraform at plan.

    Attributes:
        names: names of all resources.
        region: the Region.
        account_id: the account, a token.
        partition: the partition, second part of every ARN, a token.
        dns_suffix: end of host names, and of some service principals, in the partition.
        log_retention_days: how long logs are kept.
        permissions_boundary: ARN of the boundary of every role, if a pipeline may change roles.
    """

    names: Names
    region: str
    account_id: str
    partition: str
    dns_suffix: str
    log_retention_days: int
    permissions_boundary: str | None = None

    def arn(self, service: str, resource: str) -> str:
        """ARN of a resource of this environment, without a reference to it."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    @property
    def alarm_arn_prefix(self) -> str:
        """Start of the ARN of every alarm of this environment."""
        return self.arn("cloudwatch", f"alarm:{self.names.prefix}-")

    @property
    def self_monitoring_alarm_arn_prefix(self) -> str:
        """Start of the ARN of every self-monitoring alarm."""
        return self.arn("cloudwatch", f"alarm:{self.names.prefix}-chain-")
