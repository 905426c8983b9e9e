"""The bucket of Terraform's state, created once per account and Region, before anything else.

Its own state is local, as there is no bucket yet. If that file is lost, `bootstrap` imports the bucket again.
"""

from typing import Final

from cdktf import TerraformOutput
from constructs import Construct

from components.bucket import PrivateBucket
from settings import Environment
from settings.names import PROJECT
from stacks.aws_stack import AwsStack

KEEP_OLD_STATE_DAYS: Final = 365


class StateBackend(AwsStack):
    """A versioned, encrypted, TLS-only bucket that Terraform refuses to destroy."""

    def __init__(self, scope: Construct, id_: str, environment: Environment, *, name: str) -> None:
        super().__init__(scope, id_, environment, tags={"Project": PROJECT, **environment.tags})
        self.keep_state_here(f"{name}.tfstate", workspaces="state-backend.tfstate.d")
        bucket = PrivateBucket(
            self,
            "state",
            name=name,
            key_arn=None,
            keep_old_versions_days=KEEP_OLD_STATE_DAYS,
            prevent_destroy=True,
        )
        TerraformOutput(self, "bucket", value=bucket.name, description="Bucket of the state", static_id=True)
