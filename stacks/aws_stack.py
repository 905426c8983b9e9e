"""Base of all stacks: Terraform's version, the AWS provider with its tags, the backend, account and Region."""

from collections.abc import Mapping
from typing import Final

from cdktf import LocalBackend, S3Backend, TerraformStack
from constructs import Construct

from components.aws import AwsProvider, AwsProviderDefaultTags, DataAwsCallerIdentity, DataAwsPartition
from components.site import Site
from settings import Environment, Names

STATE_KEY: Final = "media-workflow.tfstate"
WORKSPACE_KEY_PREFIX: Final = "media-workflow"


class AwsStack(TerraformStack):
    """A Terraform root module for one environment. Terraform refuses other accounts than the allowed ones."""

    def __init__(self, scope: Construct, id_: str, environment: Environment, *, tags: Mapping[str, str]) -> None:
        super().__init__(scope, id_)
        self._environment = environment
        self.add_override("terraform.required_version", ">= 1.10")
        AwsProvider(
            self,
            "aws",
            region=environment.region,
            allowed_account_ids=list(environment.allowed_account_ids) or None,
            default_tags=[AwsProviderDefaultTags(tags=dict(tags))],
        )

    def keep_state_in(self, bucket: str, key: str, *, workspace_key_prefix: str | None = None) -> None:
        """Keep state in S3, with a lock file beside it."""
        S3Backend(
            self,
            bucket=bucket,
            key=key,
            workspace_key_prefix=workspace_key_prefix,
            region=self._environment.region,
            encrypt=True,
        )
        # CDKTF 0.21 knows the DynamoDB lock only; the lock file needs Terraform 1.10.
        self.add_override("terraform.backend.s3.use_lockfile", True)
        if self._environment.allowed_account_ids:
            self.add_override("terraform.backend.s3.allowed_account_ids", list(self._environment.allowed_account_ids))

    def keep_state_here(self, name: str, *, workspaces: str) -> None:
        """Keep state on this machine, in the project folder: every synth recreates the output folder."""
        LocalBackend(self, path=f"../../../{name}", workspace_dir=f"../../../{workspaces}")

    def site(self) -> Site:
        """Account, Region and names; adds the data sources that they come from."""
        partition = DataAwsPartition(self, "partition")
        return Site(
            names=Names(self._environment.name),
            region=self._environment.region,
            account_id=DataAwsCallerIdentity(self, "caller").account_id,
            partition=partition.partition,
            dns_suffix=partition.dns_suffix,
            log_retention_days=self._environment.log_retention_days,
        )
