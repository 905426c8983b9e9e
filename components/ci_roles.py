"""The two roles of a pipeline: one that plans and changes nothing, one that applies and destroys the environment.

Pull requests and the default branch may plan, a GitHub environment may apply. What the roles may do is in
`components.ci_permissions`, who may assume them in `components.ci_trust`.
"""

from collections.abc import Sequence
from typing import Final

from constructs import Construct

from components.aws import (
    IamOpenidConnectProvider,
    IamPolicy,
    IamRole,
    IamRolePolicy,
    IamRolePolicyAttachment,
)
from components.ci_permissions import Given, boundary, read, state, write, write_state
from components.ci_trust import ISSUER, audiences, github_trust, subjects
from components.iam import document
from components.site import Site
from settings import CiAccess


class CiRoles(Construct):
    """GitHub's identity provider, created or existing, and the roles that trust it for one repository.

    Args:
        scope: parent construct.
        id_: construct id, part of the address.
        site: account, Region and names.
        access: the repository.
        given: existing resources that the environment uses.
        partition: of the Region, from the settings: the length of a list cannot depend on a token.
        state_bucket: bucket of Terraform's state.
        state_key: key of the state in it.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        site: Site,
        access: CiAccess,
        given: Given,
        partition: str,
        state_bucket: str,
        state_key: str,
    ) -> None:
        super().__init__(scope, id_)
        self._audiences = audiences(partition)
        self._provider = (
            access.existing_provider_arn
            or IamOpenidConnectProvider(self, "provider", url=f"https://{ISSUER}", client_id_list=self._audiences).arn
        )
        # Attached, as both roles have it, and with the rest it exceeds the size of inline policies. Its description,
        # and that of the boundary, must stay: IAM cannot change them, so Terraform would replace the policy.
        reading = IamPolicy(
            self,
            "read",
            name=site.names.role("ci-read"),
            description=f"What a plan of {site.names.prefix} reads",
            policy=document(*state(site, state_bucket, state_key), *read(site, given)),
        )
        limit = IamPolicy(
            self,
            "boundary",
            name=site.names.boundary,
            description=f"The most that a role of {site.names.prefix} can be allowed",
            policy=document(*boundary(site, given)),
        )
        plan = self._role(
            "plan",
            site,
            reading,
            subjects=subjects(access, "pull_request", f"ref:refs/heads/{access.branch}"),
            description="Plans: reads, and locks the state meanwhile",
        )
        apply = self._role(
            "apply",
            site,
            reading,
            subjects=subjects(access, f"environment:{access.github_environment or site.names.environment}"),
            description="Applies and destroys the resources of this environment, by name",
        )
        IamRolePolicy(
            self,
            "write",
            name="write",
            role=apply.id,
            policy=document(write_state(site, state_bucket, state_key), *write(site, given)),
        )
        self.plan_role_arn: Final = plan.arn
        self.apply_role_arn: Final = apply.arn
        self.boundary_arn: Final = limit.arn

    def _role(self, part: str, site: Site, reading: IamPolicy, *, subjects: Sequence[str], description: str) -> IamRole:
        role = IamRole(
            self,
            f"{part}_role",
            name=site.names.role(f"ci-{part}"),
            description=description,
            assume_role_policy=github_trust(self._provider, audiences=self._audiences, subjects=subjects),
            max_session_duration=3600,
        )
        IamRolePolicyAttachment(self, f"{part}_reads", role=role.name, policy_arn=reading.arn)
        return role
