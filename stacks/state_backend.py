"""The bucket that holds Terraform's state, made once for an account and Region, before anything else.

Its own state is local, because there is no bucket yet to keep it in. Losing that file loses nothing: `bootstrap`
imports the bucket again.
"""

from typing import Final

from cdktf import LocalBackend, TerraformOutput, TerraformStack
from constructs import Construct

from components.aws import AwsProvider, AwsProviderDefaultTags
from components.bucket import PrivateBucket
from settings import Environment

KEEP_OLD_STATE_DAYS: Final = 365


class StateBackend(TerraformStack):
    """A versioned, encrypted, TLS-only bucket that Terraform refuses to destroy."""

    def __init__(self, scope: Construct, id_: str, environment: Environment, *, name: str) -> None:
        super().__init__(scope, id_)
        # Beside the repository's own files, not in the output folder, which every synth writes anew.
        LocalBackend(
            self,
            path=f"../../../{name}.tfstate",
            workspace_dir="../../../state-backend.tfstate.d",
        )
        self.add_override("terraform.required_version", ">= 1.10")
        AwsProvider(
            self,
            "aws",
            region=environment.region,
            allowed_account_ids=list(environment.allowed_account_ids) or None,
            default_tags=[AwsProviderDefaultTags(tags={"Project": "media-workflow", **environment.tags})],
        )
        bucket = PrivateBucket(
            self,
            "state",
            name=name,
            key_arn=None,
            keep_old_versions_days=KEEP_OLD_STATE_DAYS,
            prevent_destroy=True,
        )
        TerraformOutput(self, "bucket", value=bucket.name, description="Bucket of the state", static_id=True)
