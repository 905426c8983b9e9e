"""Permissions of a pipeline's two roles, and the boundary of every role that they create. Pure.

Each statement is for our resources; a "*" states its reason. The actions are those that Terraform's provider calls for
the resource types of `components`, and no others.

A pipeline cannot escalate its permissions: a role that it creates or changes has the boundary, which it cannot change,
and the boundary allows no more than the deployed roles need. Comments below mark where other ways are closed (tags on
another key, its own two roles). `tests/local/test_escalation.py` searches for more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.iam import DELIVER_LOGS, WRITE_TRACES, Statement, allow
from components.site import Site
from settings import Environment

PASSED_TO: Final = ("lambda", "states", "events", "scheduler", "mediaconnect")
READ_KEY: Final = ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags")
WRITE_KEY: Final = (
    *("kms:DisableKeyRotation", "kms:EnableKeyRotation", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"),
    *("kms:TagResource", "kms:UntagResource", "kms:UpdateKeyDescription"),
    *("kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"),
)
USE_KEY: Final = (
    # S3, Lambda, DynamoDB and Step Functions use the key for whoever calls them.
    *("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
)
READ_SECRETS: Final = (
    *("secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy"),
    *("secretsmanager:GetSecretValue", "secretsmanager:ListSecretVersionIds"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Existing resources that an environment uses; they do not have its name."""

    key_arn: str | None = None
    topic_arn: str | None = None
    code_bucket: str | None = None
    secret_arns: Sequence[str] = ()

    @classmethod
    def to(cls, environment: Environment) -> "Given":
        """Those of the settings of an environment."""
        return cls(
            key_arn=environment.existing_key_arn,
            topic_arn=environment.existing_topic_arn,
            code_bucket=environment.existing_code_bucket,
            secret_arns=environment.secret_arns,
        )


def role_arn(site: Site, part: str) -> str:
    """ARN of a role of this environment, without a reference to it."""
    return f"arn:{site.partition}:iam::{site.account_id}:role/{site.names.role(part)}"


def boundary_arn(site: Site) -> str:
    """ARN of the boundary of every deployed role."""
    return f"arn:{site.partition}:iam::{site.account_id}:policy/{site.names.boundary}"


def boundary(site: Site, given: Given) -> list[Statement]:
    """The most that a deployed role can be allowed: what functions, workflow and flows need together."""
    ours = _ours(site)
    return [
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], ours["logs"]),
        allow(["ssm:GetParameter"], ours["parameters"]),
        allow(
            ["mediaconnect:DescribeFlow", "mediaconnect:DescribeFlowSourceMetadata"],
            site.arn("mediaconnect", "flow:*"),
            condition=_tagged(site, "aws:ResourceTag"),
        ),
        # Metrics have no resource. The history of alarms has one, for which the 6,144 characters have no room.
        allow(["cloudwatch:DescribeAlarmHistory", "cloudwatch:GetMetricData"], "*"),
        allow(["sns:Publish"], [ours["topics"], *([given.topic_arn] if given.topic_arn else [])]),
        allow(["dynamodb:GetItem", "dynamodb:PutItem"], ours["tables"]),
        allow(["lambda:InvokeFunction"], ours["functions"]),
        allow(["sqs:SendMessage"], ours["queues"]),
        allow(["states:StartExecution"], ours["machines"]),
        # Any key, but only through these services, for the resources listed here. A condition on tags or aliases takes
        # minutes to see those of a new key, and protects only as long as nobody else can set them.
        allow(
            ["kms:Decrypt", "kms:GenerateDataKey*"],
            given.key_arn or site.arn("kms", "key/*"),
            condition={
                "StringLike": {
                    "kms:ViaService": [f"{name}.{site.region}.amazonaws.com*" for name in ("dynamodb", "sns", "sqs")]
                }
            },
        ),
        *([allow(READ_SECRETS, given.secret_arns)] if given.secret_arns else []),
        WRITE_TRACES,
        DELIVER_LOGS,
    ]


def key_grants(site: Site) -> list[Statement]:
    """What the key policy allows the pipeline.

    The pipeline's IAM policies refer to the key by alias, and IAM takes up to five minutes to see the alias of a new
    key; the key policy works at once, so that the first apply succeeds.
    """
    return [
        allow(
            [*READ_KEY, *WRITE_KEY, *(action for action in USE_KEY if action not in READ_KEY)],
            "*",  # a key's policy is attached to the key
            principal={"AWS": role_arn(site, "ci-apply")},
            sid="PipelineApplies",
        ),
        allow(READ_KEY, "*", principal={"AWS": role_arn(site, "ci-plan")}, sid="PipelinePlans"),
    ]


def read(site: Site, given: Given) -> list[Statement]:
    """What a plan reads."""
    ours = _ours(site)
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
            READ_KEY,
            site.arn("kms", "key/*"),  # KMS chooses the id of a key; the tags are ours
            condition=_tagged(site, "aws:ResourceTag"),
        ),
        allow(  # the provider compares the table's key with the AWS managed one
            ["kms:DescribeKey"],
            site.arn("kms", "key/*"),
            condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/aws/dynamodb"}},
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
        *_given_code(given, site, "s3:GetObject", "s3:GetObjectTagging"),
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
            "*",  # these actions have no resource
        ),
    ]


def write(site: Site, given: Given) -> list[Statement]:
    """What an apply and a destroy do beside reading, on resources with our names only."""
    ours = _ours(site)
    return [
        allow(
            [
                *("cloudformation:CreateStack", "cloudformation:DeleteStack", "cloudformation:SetStackPolicy"),
                *("cloudformation:DescribeStackEvents", "cloudformation:TagResource", "cloudformation:UntagResource"),
                *("cloudformation:UpdateStack", "cloudformation:UpdateTerminationProtection"),
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
            # Flows have names of their own. Only CloudFormation may, and only for our stacks.
            condition={"ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}},
        ),
        # These have no resource. CloudFormation lists flows before it reads or deletes an output or a backup source.
        allow(["mediaconnect:ListFlows", "mediaconnect:ListTagsForResource"], "*"),
        allow(  # destroy checks that a flow is stopped, and stop stops it
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
                *("iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"),
                *("iam:UpdateAssumeRolePolicy", "iam:UpdateRole"),
            ],
            ours["roles"],
            condition={"StringEquals": {"iam:PermissionsBoundary": boundary_arn(site)}},
        ),
        allow(
            [
                *("iam:DeleteRole", "iam:ListInstanceProfilesForRole", "iam:TagRole", "iam:UntagRole"),
                "iam:UpdateRoleDescription",
            ],
            ours["roles"],
        ),
        allow(
            ["iam:PassRole"],
            ours["roles"],
            condition={"StringEquals": {"iam:PassedToService": [f"{name}.amazonaws.com" for name in PASSED_TO]}},
        ),
        # Who can change these can give themselves any permission.
        {
            "Effect": "Deny",
            "Action": [
                *("iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*", "iam:PassRole", "iam:Put*"),
                *("iam:Set*", "iam:Tag*", "iam:Untag*", "iam:Update*"),
            ],
            "Resource": [role_arn(site, "ci-apply"), role_arn(site, "ci-plan"), boundary_arn(site)],
        },
        allow(
            ["kms:CreateKey"],
            "*",  # there is no key yet
            condition=_tagged(site, "aws:RequestTag"),
        ),
        # A new key has no tags yet. Without the second condition any key could be given these tags.
        allow(
            ["kms:TagResource"],
            site.arn("kms", "key/*"),
            condition=_tagged(site, "aws:RequestTag") | {"Null": {"aws:ResourceTag/Project": "true"}},
        ),
        # The alias cannot be given to another key: that key would need to have it already.
        allow(
            [*WRITE_KEY, *USE_KEY],
            site.arn("kms", "key/*"),
            condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": site.names.key_alias}},
        ),
        *([allow(USE_KEY, given.key_arn)] if given.key_arn else []),
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
        *_given_code(given, site, "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject", "s3:PutObjectTagging"),
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
        allow(["sns:SetSubscriptionAttributes", "sns:Unsubscribe"], "*"),  # have no resource
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
    """ARN patterns of the resources with the environment's name."""
    prefix = site.names.prefix
    account = f"arn:{site.partition}:iam::{site.account_id}"
    return {
        "stacks": site.arn("cloudformation", f"stack/{prefix}-*/*"),
        "cloudwatch": [
            site.arn("cloudwatch", f"alarm:{prefix}-*"),
            *(
                f"arn:{site.partition}:cloudwatch::{site.account_id}:dashboard/{site.names.dashboard}{page}"
                for page in ("", "-*")
            ),
        ],
        "rules": site.arn("events", f"rule/{prefix}-*"),
        "roles": f"{account}:role/{prefix}-*",
        "functions": site.arn("lambda", f"function:{prefix}-*"),
        "logs": [
            site.arn("logs", f"log-group:/aws/lambda/{prefix}-*"),
            site.arn("logs", f"log-group:/aws/vendedlogs/states/{prefix}-*"),
        ],
        "bucket": [
            f"arn:{site.partition}:s3:::{site.names.code_bucket(site.account_id, site.region)}{objects}"
            for objects in ("", "/*")
        ],
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


def _tagged(site: Site, key: str) -> dict[str, Mapping[str, Any]]:
    return {"StringEquals": {f"{key}/Project": "media-workflow", f"{key}/Environment": site.names.environment}}


def _given_code(given: Given, site: Site, *actions: str) -> list[Statement]:
    """Actions on the functions' zip in an existing bucket."""
    if not given.code_bucket:
        return []
    return [allow(actions, f"arn:{site.partition}:s3:::{given.code_bucket}/functions/*")]


def state(site: Site, bucket: str, key: str) -> list[Statement]:
    """Read the state, and lock it by a file beside it."""
    place = f"arn:{site.partition}:s3:::{bucket}"
    # `init` runs in the default workspace, which has no state; without ListBucket a missing key is "access denied".
    default = key.rpartition("/")[2]
    return [
        allow(["s3:ListBucket"], place),
        allow(["s3:GetObject"], [f"{place}/{key}", f"{place}/{default}"]),
        allow(["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], f"{place}/{key}.tflock"),
    ]


def write_state(site: Site, bucket: str, key: str) -> Statement:
    """Write the state."""
    return allow(["s3:PutObject"], f"arn:{site.partition}:s3:::{bucket}/{key}")
