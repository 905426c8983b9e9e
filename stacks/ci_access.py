"""Access of a GitHub pipeline to one environment: two roles with least privilege, no long-lived keys.

A person applies this stack: the pipeline may not change its own permissions. Its state is in the environment's bucket.
"""

from cdktf import TerraformOutput
from constructs import Construct

from components.ci_permissions import Given
from components.ci_roles import CiRoles
from settings import CiAccess as CiAccessSettings
from settings import Environment
from settings.names import partition as partition_of
from stacks.aws_stack import STATE_KEY, WORKSPACE_KEY_PREFIX, AwsStack


class CiAccess(AwsStack):
    """The roles of one environment, for the repository in its settings."""

    def __init__(
        self, scope: Construct, id_: str, environment: Environment, access: CiAccessSettings, *, state_bucket: str
    ) -> None:
        super().__init__(scope, id_, environment, tags=environment.resource_tags)
        self.keep_state_in(state_bucket, f"ci-access/{environment.name}.tfstate")
        roles = CiRoles(
            self,
            "roles",
            site=self.site(),
            access=access,
            given=Given.to(environment),
            partition=partition_of(environment.region),
            state_bucket=state_bucket,
            state_key=f"{WORKSPACE_KEY_PREFIX}/{environment.name}/{STATE_KEY}",
        )
        variable = f"AWS_PLAN_ROLE_{environment.name}"
        for name, arn, description in (
            ("plan_role_arn", roles.plan_role_arn, f"Value of the repository variable {variable}"),
            ("apply_role_arn", roles.apply_role_arn, "Value of the variable AWS_APPLY_ROLE of the GitHub environment"),
            ("boundary_arn", roles.boundary_arn, "Permissions boundary of every deployed role"),
        ):
            TerraformOutput(self, name, value=arn, description=description, static_id=True)
