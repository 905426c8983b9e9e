"""Where things are built: account, Region, partition, names. Every construct takes it; none looks it up again."""

from dataclasses import dataclass

from settings import Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One environment in one account and Region. Account and partition are tokens, known to Terraform at plan."""

    names: Names
    region: str
    account_id: str
    partition: str
    log_retention_days: int

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something of ours, before or without the resource that makes it."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    @property
    def alarm_arn_prefix(self) -> str:
        """What the ARN of each alarm of this environment begins with."""
        return self.arn("cloudwatch", f"alarm:{self.names.prefix}-")

    @property
    def chain_alarm_arn_prefix(self) -> str:
        """What the ARN of each self-monitoring alarm begins with."""
        return self.arn("cloudwatch", f"alarm:{self.names.prefix}-chain-")
