"""The two roles of a pipeline: one that can plan and change nothing, one that can apply and destroy one environment.

Who may take them on is in their trust: pull requests and the default branch plan, a GitHub environment applies. Each
statement names what of ours it is for; a "*" carries its reason. Actions are those that Terraform's provider calls
for the resource types of `components`, and no others.
"""

from collections.abc import Sequence
from typing import Any, Final

from constructs import Construct

from components.aws import (
    IamOpenidConnectProvider,
    IamPolicy,
    IamRole,
    IamRolePolicy,
    IamRolePolicyAttachment,
)
from components.iam import Statement, allow, document
from components.site import Site
from settings import CiAccess

ISSUER: Final = "token.actions.githubusercontent.com"
AUDIENCE: Final = "sts.amazonaws.com"
PASSED_TO: Final = ("lambda", "states", "events", "scheduler", "mediaconnect")


class CiRoles(Construct):
    """GitHub's identity provider, or the one that is there, and the roles that trust it for one repository."""

    def __init__(
        self, scope: Construct, id_: str, *, site: Site, access: CiAccess, state_bucket: str, state_key: str
    ) -> None:
        super().__init__(scope, id_)
        provider = (
            access.existing_provider_arn
            or IamOpenidConnectProvider(self, "provider", url=f"https://{ISSUER}", client_id_list=[AUDIENCE]).arn
        )
        # Attached, because both roles have it, and together with the rest it is longer than IAM takes inside a role.
        reading = IamPolicy(
            self,
            "read",
            name=site.names.role("ci-read"),
            description=f"What a plan of {site.names.prefix} reads",
            policy=document(*_state(site, state_bucket, state_key), *read(site)),
        )
        github_environment = access.github_environment or site.names.environment
        plan = self._role(
            "plan",
            site,
            reading,
            subjects=[f"{access.repository}:pull_request", f"{access.repository}:ref:refs/heads/{access.branch}"],
            provider=provider,
            description="Plans: reads, and holds the lock of the state while it does",
        )
        apply = self._role(
            "apply",
            site,
            reading,
            subjects=[f"{access.repository}:environment:{github_environment}"],
            provider=provider,
            description="Applies and destroys what bears the name of this environment",
        )
        IamRolePolicy(
            self,
            "write",
            name="write",
            role=apply.id,
            policy=document(_write_state(site, state_bucket, state_key), *write(site)),
        )
        self.plan_role_arn: Final = plan.arn
        self.apply_role_arn: Final = apply.arn

    def _role(
        self, part: str, site: Site, reading: IamPolicy, *, subjects: Sequence[str], provider: str, description: str
    ) -> IamRole:
        role = IamRole(
            self,
            f"{part}_role",
            name=site.names.role(f"ci-{part}"),
            description=description,
            assume_role_policy=_trust(provider, [f"repo:{subject}" for subject in subjects]),
            max_session_duration=3600,
        )
        IamRolePolicyAttachment(self, f"{part}_reads", role=role.name, policy_arn=reading.arn)
        return role


def read(site: Site) -> list[Statement]:
    """What a plan asks of each service."""
    ours = _ours(site)
    tagged = _tagged(site, "aws:ResourceTag")
    return [
        allow(
            ["cloudformation:DescribeStacks", "cloudformation:GetStackPolicy", "cloudformation:GetTemplate"],
            ours["stacks"],
        ),
        allow(
            ["cloudwatch:DescribeAlarms", "cloudwatch:GetDashboard", "cloudwatch:ListTagsForResource"],
            ours["cloudwatch"],
        ),
        allow(["events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule"], ours["rules"]),
        allow(
            ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"], ours["roles"]
        ),
        allow(
            ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"],
            site.arn("kms", "key/*"),  # a key's id is made by the service; its tags are ours
            condition=tagged,
        ),
        allow(
            ["lambda:GetFunction", "lambda:GetFunctionCodeSigningConfig", "lambda:ListVersionsByFunction"],
            ours["functions"],
        ),
        allow(["logs:ListTagsForResource"], ours["logs"]),
        allow(
            [
                *("s3:GetAccelerateConfiguration", "s3:GetBucket*", "s3:GetEncryptionConfiguration"),
                *("s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:ListBucket"),
                *("s3:GetObject", "s3:GetObjectTagging"),
            ],
            ours["bucket"],
        ),
        allow(
            ["scheduler:GetSchedule", "scheduler:GetScheduleGroup", "scheduler:ListTagsForResource"], ours["schedules"]
        ),
        allow(["sns:GetTopicAttributes", "sns:ListTagsForResource"], ours["topics"]),
        allow(["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags"], ours["queues"]),
        allow(["ssm:GetParameter", "ssm:GetParameters", "ssm:ListTagsForResource"], ours["parameters"]),
        allow(
            ["states:DescribeStateMachine", "states:ListStateMachineVersions", "states:ListTagsForResource"],
            ours["machines"],
        ),
        allow(
            [
                *("dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive"),
                "dynamodb:ListTagsOfResource",
            ],
            ours["tables"],
        ),
        allow(
            [
                *("kms:ListAliases", "logs:DescribeLogGroups", "sns:GetSubscriptionAttributes"),
                *("ssm:DescribeParameters", "states:ValidateStateMachineDefinition"),
            ],
            "*",  # these actions know no resource
        ),
    ]


def write(site: Site) -> list[Statement]:
    """What an apply and a destroy ask of each service beside reading, on what bears our name only."""
    ours = _ours(site)
    return [
        allow(
            [
                *("cloudformation:CreateStack", "cloudformation:DeleteStack", "cloudformation:SetStackPolicy"),
                *("cloudformation:DescribeStackEvents", "cloudformation:TagResource", "cloudformation:UpdateStack"),
                "cloudformation:UpdateTerminationProtection",  # our commands set it; the provider cannot
            ],
            ours["stacks"],
        ),
        allow(
            [
                *("mediaconnect:AddFlow*", "mediaconnect:CreateFlow", "mediaconnect:DeleteFlow"),
                *("mediaconnect:DescribeFlow", "mediaconnect:RemoveFlow*", "mediaconnect:RevokeFlowEntitlement"),
                *("mediaconnect:TagResource", "mediaconnect:UntagResource", "mediaconnect:UpdateFlow*"),
            ],
            [site.arn("mediaconnect", f"{part}:*") for part in ("flow", "source", "output", "vpcinterface")],
            # Flows are called as their channel is. Only CloudFormation may, and it only as one of our stacks.
            condition={"ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}},
        ),
        allow(["mediaconnect:ListTagsForResource"], "*"),  # knows no resource
        allow(  # a flow is looked at and stopped before it is destroyed
            ["mediaconnect:DescribeFlow", "mediaconnect:StopFlow"],
            site.arn("mediaconnect", "flow:*"),
            condition=_tagged(site, "aws:ResourceTag"),
        ),
        allow(
            [
                *("cloudwatch:DeleteAlarms", "cloudwatch:DeleteDashboards", "cloudwatch:PutDashboard"),
                *("cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource"),
            ],
            ours["cloudwatch"],
        ),
        allow(
            [
                *("events:DeleteRule", "events:DisableRule", "events:EnableRule", "events:PutRule"),
                *("events:PutTargets", "events:RemoveTargets", "events:TagResource", "events:UntagResource"),
            ],
            ours["rules"],
        ),
        allow(
            [
                *("iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:ListInstanceProfilesForRole"),
                *("iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy"),
                *("iam:UpdateRole", "iam:UpdateRoleDescription"),
            ],
            ours["roles"],
        ),
        allow(
            ["iam:PassRole"],
            ours["roles"],
            condition={"StringEquals": {"iam:PassedToService": [f"{name}.amazonaws.com" for name in PASSED_TO]}},
        ),
        # Whoever could change these roles could give itself anything.
        {
            "Effect": "Deny",
            "Action": ["iam:Delete*", "iam:PassRole", "iam:Put*", "iam:Tag*", "iam:Untag*", "iam:Update*"],
            "Resource": f"{ours['roles']}".removesuffix("*") + "ci-*",
        },
        allow(
            ["kms:CreateKey", "kms:TagResource"],
            "*",  # there is no key yet
            condition=_tagged(site, "aws:RequestTag"),
        ),
        allow(
            [
                *("kms:DisableKeyRotation", "kms:EnableKeyRotation", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"),
                *("kms:TagResource", "kms:UntagResource", "kms:UpdateKeyDescription"),
                *("kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"),
                # S3, Lambda and Step Functions use the key for whoever calls them.
                *("kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*"),
            ],
            site.arn("kms", "key/*"),
            condition=_tagged(site, "aws:ResourceTag"),
        ),
        allow(["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"], site.arn("kms", site.names.key_alias)),
        allow(
            [
                *("lambda:CreateFunction", "lambda:DeleteFunction", "lambda:DeleteFunctionConcurrency"),
                *("lambda:PutFunctionConcurrency", "lambda:TagResource", "lambda:UntagResource"),
                *("lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"),
            ],
            ours["functions"],
        ),
        allow(
            [
                *("logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:DeleteRetentionPolicy"),
                *("logs:DisassociateKmsKey", "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource"),
            ],
            ours["logs"],
        ),
        allow(
            [
                *("s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:ListBucketVersions"),
                *("s3:PutBucketOwnershipControls", "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock"),
                *("s3:PutBucketTagging", "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration"),
                *("s3:PutLifecycleConfiguration", "s3:DeleteObject", "s3:DeleteObjectVersion"),
                *("s3:PutObject", "s3:PutObjectTagging"),
            ],
            ours["bucket"],
        ),
        allow(
            [
                *("scheduler:CreateSchedule", "scheduler:CreateScheduleGroup", "scheduler:DeleteSchedule"),
                *("scheduler:DeleteScheduleGroup", "scheduler:TagResource", "scheduler:UntagResource"),
                "scheduler:UpdateSchedule",
            ],
            ours["schedules"],
        ),
        allow(
            [
                *("sns:CreateTopic", "sns:DeleteTopic", "sns:SetTopicAttributes", "sns:Subscribe"),
                *("sns:TagResource", "sns:UntagResource"),
            ],
            ours["topics"],
        ),
        allow(["sns:SetSubscriptionAttributes", "sns:Unsubscribe"], "*"),  # know no resource
        allow(
            ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue"],
            ours["queues"],
        ),
        allow(
            [
                *("ssm:AddTagsToResource", "ssm:DeleteParameter", "ssm:PutParameter"),
                "ssm:RemoveTagsFromResource",
            ],
            ours["parameters"],
        ),
        allow(
            [
                *("states:CreateStateMachine", "states:DeleteStateMachine", "states:TagResource"),
                *("states:UntagResource", "states:UpdateStateMachine"),
            ],
            ours["machines"],
        ),
        allow(
            [
                *("logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeResourcePolicies"),
                *("logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery"),
            ],
            "*",  # log delivery has no resource; without it a state machine that logs is refused
        ),
        allow(
            [
                *("dynamodb:CreateTable", "dynamodb:DeleteTable", "dynamodb:TagResource", "dynamodb:UntagResource"),
                "dynamodb:GetItem",  # whether an incident is open
                *("dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive"),
            ],
            ours["tables"],
        ),
    ]


def _ours(site: Site) -> dict[str, Any]:
    """ARN patterns of what bears the environment's name."""
    prefix = site.names.prefix
    account = f"arn:{site.partition}:iam::{site.account_id}"
    return {
        "stacks": site.arn("cloudformation", f"stack/{prefix}-*/*"),
        "cloudwatch": [
            site.arn("cloudwatch", f"alarm:{prefix}-*"),
            f"arn:{site.partition}:cloudwatch::{site.account_id}:dashboard/{site.names.dashboard}",
        ],
        "rules": site.arn("events", f"rule/{prefix}-*"),
        "roles": f"{account}:role/{prefix}-*",
        "functions": site.arn("lambda", f"function:{prefix}-*"),
        "logs": [
            site.arn("logs", f"log-group:/aws/lambda/{prefix}-*"),
            site.arn("logs", f"log-group:/aws/vendedlogs/states/{prefix}-*"),
        ],
        "bucket": [f"arn:{site.partition}:s3:::{prefix}-*"],
        "schedules": [
            site.arn("scheduler", f"schedule/{site.names.schedule_group}/*"),
            site.arn("scheduler", f"schedule-group/{site.names.schedule_group}"),
        ],
        "topics": site.arn("sns", f"{prefix}-*"),
        "queues": site.arn("sqs", f"{prefix}-*"),
        "parameters": site.arn("ssm", f"parameter{site.names.policy_prefix}*"),
        "machines": site.arn("states", f"stateMachine:{prefix}-*"),
        "tables": site.arn("dynamodb", f"table/{prefix}-*"),
    }


def _tagged(site: Site, key: str) -> dict[str, Any]:
    return {
        "StringEquals": {f"{key}/Project": "media-workflow", f"{key}/Environment": site.names.environment},
    }


def _state(site: Site, bucket: str, key: str) -> list[Statement]:
    """Reading the state and holding its lock; the lock is a file beside it."""
    place = f"arn:{site.partition}:s3:::{bucket}"
    # `init` runs in the default workspace, which has no state; that a key is missing is told to who may list only.
    default = key.rpartition("/")[2]
    return [
        allow(["s3:ListBucket"], place),
        allow(["s3:GetObject"], [f"{place}/{key}", f"{place}/{default}"]),
        allow(["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], f"{place}/{key}.tflock"),
    ]


def _write_state(site: Site, bucket: str, key: str) -> Statement:
    return allow(["s3:PutObject"], f"arn:{site.partition}:s3:::{bucket}/{key}")


def _trust(provider_arn: str, subjects: Sequence[str]) -> str:
    return document(
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": provider_arn},
            "Condition": {"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": list(subjects)}},
        }
    )
