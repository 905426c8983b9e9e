"""Names of everything that is deployed. They depend on the settings alone.

Touch with care: a changed name replaces the resource.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

PROJECT: Final = "media-workflow"
ROLE_LIMIT: Final = 64
FUNCTION_LIMIT: Final = 64
SCHEDULE_LIMIT: Final = 64
RULE_LIMIT: Final = 64
BUCKET_LIMIT: Final = 63
STATE_MACHINE_LIMIT: Final = 80
ALARM_LIMIT: Final = 255
STACK_LIMIT: Final = 128
PARTITIONS: Final = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
"""Partition by the beginning of its Regions' names; every other Region is in `aws`."""


def partition(region: str) -> str:
    """The partition of a Region: the second part of every ARN there."""
    return next((name for start, name in PARTITIONS.items() if region.startswith(start)), "aws")


def shortened(name: str, limit: int) -> str:
    """`name`, or past `limit` its start and a hash, so that truncated names stay unique."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: limit - len(digest) - 1].rstrip('-_.')}-{digest}"


def state_bucket(account_id: str, region: str) -> str:
    """The bucket for Terraform's state: one for an account and Region, shared by its environments."""
    return shortened(f"{PROJECT}-state-{account_id}-{region}", BUCKET_LIMIT)


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one environment."""

    environment: str

    @property
    def prefix(self) -> str:
        """Start of every name. Environment names have no hyphen, so no prefix is the start of another."""
        return f"{PROJECT}-{self.environment}"

    @property
    def topic(self) -> str:
        """SNS topic of the alerts."""
        return f"{self.prefix}-alerts"

    @property
    def self_monitoring_topic(self) -> str:
        """SNS topic of self-monitoring."""
        return f"{self.prefix}-chain"

    @property
    def key_alias(self) -> str:
        """KMS alias."""
        return f"alias/{self.prefix}"

    @property
    def dashboard(self) -> str:
        """CloudWatch dashboard; the first page, if there are more."""
        return self.prefix

    def dashboard_page(self, number: int) -> str:
        """A page of the dashboard, counted from 1."""
        return self.dashboard if number == 1 else f"{self.dashboard}-{number}"

    @property
    def state_machine(self) -> str:
        """Step Functions state machine."""
        return shortened(f"{self.prefix}-workflow", STATE_MACHINE_LIMIT)

    @property
    def dead_letter_queue(self) -> str:
        """SQS dead-letter queue of events and failed checks."""
        return f"{self.prefix}-dead-letters"

    @property
    def undelivered_queue(self) -> str:
        """SQS queue of messages that SNS could not deliver."""
        return f"{self.prefix}-undelivered"

    @property
    def self_monitoring_machine(self) -> str:
        """Step Functions state machine of the second path of self-monitoring alarms."""
        return shortened(f"{self.prefix}-self-monitoring", STATE_MACHINE_LIMIT)

    @property
    def incidents_table(self) -> str:
        """DynamoDB table of open and closed incidents."""
        return f"{self.prefix}-incidents"

    @property
    def schedule_group(self) -> str:
        """EventBridge Scheduler group."""
        return shortened(self.prefix, SCHEDULE_LIMIT)

    @property
    def policy_prefix(self) -> str:
        """Path of the policies of all flows, with a slash at its end."""
        return f"/{PROJECT}/{self.environment}/flows/"

    def code_bucket(self, account_id: str, region: str) -> str:
        """Bucket of the functions' code. Not shortened, as the account id may be a token."""
        return f"{self.prefix}-{account_id}-{region}"

    def policy_parameter(self, flow: str) -> str:
        """SSM parameter with the policy of a flow."""
        return f"{self.policy_prefix}{flow}"

    def function(self, part: str) -> str:
        """Lambda function."""
        return shortened(f"{self.prefix}-{part}", FUNCTION_LIMIT)

    def log_group(self, part: str) -> str:
        """Log group of a function, named as Lambda names it."""
        return f"/aws/lambda/{self.function(part)}"

    def role(self, part: str) -> str:
        """IAM role."""
        return shortened(f"{self.prefix}-{part}", ROLE_LIMIT)

    @property
    def boundary(self) -> str:
        """IAM policy: permissions boundary of every role that a pipeline may create."""
        return f"{self.prefix}-boundary"

    def rule(self, part: str) -> str:
        """EventBridge rule."""
        return shortened(f"{self.prefix}-{part}", RULE_LIMIT)

    def schedule(self, flow: str) -> str:
        """Schedule of a flow, within the group."""
        return shortened(flow, SCHEDULE_LIMIT)

    def flow_stack(self, flow: str) -> str:
        """CloudFormation stack of a flow. Unlike flow names, stack names have no underscore."""
        plain = flow.replace("_", "-")
        if plain == flow and flow[0].isalnum():
            return shortened(f"{self.prefix}-{flow}", STACK_LIMIT)
        digest = hashlib.sha256(flow.encode()).hexdigest()[:8]
        return f"{shortened(f'{self.prefix}-{plain}', STACK_LIMIT - 9)}-{digest}"

    def alarm(self, flow: str, key: str) -> str:
        """Health alarm of a flow. Flow names have no slash, so the name can be split again."""
        return shortened(f"{self.prefix}-{flow}/{key}", ALARM_LIMIT)

    def self_monitoring_alarm(self, what: str) -> str:
        """Self-monitoring alarm."""
        return shortened(f"{self.prefix}-chain-{what}", ALARM_LIMIT)
