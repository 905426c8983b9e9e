"""What a pipeline on GitHub needs of AWS to plan and apply one environment: no long-lived key, two narrow roles.

Applied by a person, not by the pipeline, which may not widen what it may do. Its state is beside the environment's.
"""

from cdktf import S3Backend, TerraformOutput, TerraformStack
from constructs import Construct

from components.aws import AwsProvider, AwsProviderDefaultTags, DataAwsCallerIdentity, DataAwsPartition
from components.ci_permissions import Given
from components.ci_roles import CiRoles
from components.site import Site
from settings import CiAccess as CiAccessSettings
from settings import Environment, Names
from settings.names import partition as partition_of
from stacks.media_workflow import STATE_KEY, WORKSPACE_KEY_PREFIX


class CiAccess(TerraformStack):
    """The roles of one environment, for the repository that its settings name."""

    def __init__(
        self, scope: Construct, id_: str, environment: Environment, access: CiAccessSettings, *, state_bucket: str
    ) -> None:
        super().__init__(scope, id_)
        names = Names(environment.name)
        S3Backend(
            self,
            bucket=state_bucket,
            key=f"ci-access/{environment.name}.tfstate",
            region=environment.region,
            encrypt=True,
        )
        self.add_override("terraform.backend.s3.use_lockfile", True)
        self.add_override("terraform.backend.s3.allowed_account_ids", list(environment.allowed_account_ids))
        self.add_override("terraform.required_version", ">= 1.10")
        AwsProvider(
            self,
            "aws",
            region=environment.region,
            allowed_account_ids=list(environment.allowed_account_ids),
            default_tags=[
                AwsProviderDefaultTags(
                    tags={"Project": "media-workflow", "Environment": environment.name, **environment.tags}
                )
            ],
        )
        partition = DataAwsPartition(self, "partition")
        roles = CiRoles(
            self,
            "roles",
            site=Site(
                names=names,
                region=environment.region,
                account_id=DataAwsCallerIdentity(self, "caller").account_id,
                partition=partition.partition,
                dns_suffix=partition.dns_suffix,
                log_retention_days=environment.log_retention_days,
            ),
            access=access,
            given=Given.to(environment),
            partition=partition_of(environment.region),
            state_bucket=state_bucket,
            state_key=f"{WORKSPACE_KEY_PREFIX}/{environment.name}/{STATE_KEY}",
        )
        variable = f"AWS_PLAN_ROLE_{environment.name}"
        for name, arn, description in (
            ("plan_role_arn", roles.plan_role_arn, f"For the variable {variable} of the repository"),
            ("apply_role_arn", roles.apply_role_arn, "For the variable AWS_APPLY_ROLE of the GitHub environment"),
            ("boundary_arn", roles.boundary_arn, "The permissions boundary of every role that is deployed"),
        ):
            TerraformOutput(self, name, value=arn, description=description, static_id=True)
