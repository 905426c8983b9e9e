"""The two Lambda functions, each with its own role, log group and permissions.

Their code is in `lambda_src`; `components.workflow` calls them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cdktf import AssetType, TerraformAsset
from constructs import Construct

from components.aws import (
    CloudwatchLogGroup,
    IamRole,
    IamRolePolicy,
    LambdaFunction,
    LambdaFunctionEnvironment,
    LambdaFunctionLoggingConfig,
    LambdaFunctionTracingConfig,
    S3Object,
)
from components.bucket import PrivateBucket
from components.iam import WRITE_TRACES, Statement, allow, document, trust
from components.lambda_package import LambdaPackage
from components.site import Site
from components.workflow_definition import FUNCTION_TIMEOUT_SECONDS

KEEP_OLD_CODE_DAYS: Final = 30


class Code(Construct):
    """The zip of the functions in its own or an existing bucket, under a key that is the hash of its content."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        site: Site,
        key_arn: str,
        package: LambdaPackage,
        build: Path,
        existing_bucket: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        bucket = None
        if existing_bucket is None:
            bucket = PrivateBucket(
                self,
                "bucket",
                name=site.names.code_bucket(site.account_id, site.region),
                key_arn=key_arn,
                keep_old_versions_days=KEEP_OLD_CODE_DAYS,
            )
        asset = TerraformAsset(
            self,
            "zip",
            path=str(package.write_to(build)),
            type=AssetType.FILE,
            asset_hash=package.digest,
        )
        stored = S3Object(
            self,
            "object",
            bucket=bucket.name if bucket else existing_bucket or "",
            key=f"functions/{package.digest}.zip",
            source=asset.path,
            depends_on=list(bucket.ready) if bucket else [],
        )
        self.bucket: Final = stored.bucket
        self.key: Final = stored.key
        self.source_code_hash: Final = package.source_code_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionConfig:
    """Configuration of a function. `part` is its package in `lambda_src`, with hyphens instead of underscores."""

    part: str
    description: str
    environment: Mapping[str, str]
    permissions: Sequence[Statement]
    reserved_concurrency: int | None = None

    @property
    def handler(self) -> str:
        """Import path of the handler, in the zip as in the tests."""
        return f"{self.part.replace('-', '_')}.handler.lambda_handler"


class Function(Construct):
    """A function with a role that may write to its own log group, and has the permissions of its configuration.

    `after` is the function that reads what this one writes: it is updated first (`lambda_src/schema.py`).
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        config: FunctionConfig,
        *,
        site: Site,
        code: Code,
        key_arn: str,
        after: "Function | None" = None,
    ) -> None:
        super().__init__(scope, id_)
        name = site.names.function(config.part)
        logs = CloudwatchLogGroup(
            self,
            "logs",
            name=site.names.log_group(config.part),
            retention_in_days=site.log_retention_days,
            kms_key_id=key_arn,
        )
        role = IamRole(
            self,
            "role",
            name=site.names.role(config.part),
            description=config.description,
            # Lambda sends no source account here; a role can be passed only within its account.
            assume_role_policy=trust("lambda.amazonaws.com"),
            permissions_boundary=site.permissions_boundary,
        )
        policy = IamRolePolicy(
            self,
            "policy",
            name=config.part,
            role=role.id,
            policy=document(
                allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{logs.arn}:*"),
                WRITE_TRACES,
                *config.permissions,
            ),
        )
        function = LambdaFunction(
            self,
            "function",
            function_name=name,
            description=config.description,
            role=role.arn,
            runtime="python3.13",
            architectures=["arm64"],
            handler=config.handler,
            memory_size=256,
            timeout=FUNCTION_TIMEOUT_SECONDS,
            s3_bucket=code.bucket,
            s3_key=code.key,
            source_code_hash=code.source_code_hash,
            reserved_concurrent_executions=(
                -1 if config.reserved_concurrency is None else config.reserved_concurrency  # -1 is Lambda's "none"
            ),
            environment=LambdaFunctionEnvironment(variables=dict(config.environment)),
            logging_config=LambdaFunctionLoggingConfig(
                log_format="JSON", application_log_level="INFO", system_log_level="WARN", log_group=logs.name
            ),
            tracing_config=LambdaFunctionTracingConfig(mode="Active"),
            # The first run needs its permissions.
            depends_on=[policy, *([after.resource] if after else [])],
        )
        self.resource: Final[LambdaFunction] = function
        self.name: Final = function.function_name
        self.arn: Final = function.arn


def stream_monitor(*, site: Site, flow_tags: Mapping[str, str], concurrency: int | None) -> FunctionConfig:
    """The function that checks a flow: it may read policies, describe our flows and read metrics.

    Args:
        site: account, Region and names.
        flow_tags: tags of every flow; `Project` and `Environment` distinguish our flows from others.
        concurrency: reserved concurrency; None: none.
    """
    return FunctionConfig(
        part="stream-monitor",
        description="Checks one MediaConnect flow and reports its health",
        environment={"ENVIRONMENT": site.names.environment, "POLICY_PREFIX": site.names.policy_prefix},
        permissions=[
            allow(["ssm:GetParameter"], site.arn("ssm", f"parameter{site.names.policy_prefix}*")),
            # By tag, as the names of 150 flows would exceed the size of a role's policies.
            allow(
                ["mediaconnect:DescribeFlow", "mediaconnect:DescribeFlowSourceMetadata"],
                site.arn("mediaconnect", "flow:*"),
                condition={
                    "StringEquals": {f"aws:ResourceTag/{key}": flow_tags[key] for key in ("Project", "Environment")}
                },
            ),
            allow(["cloudwatch:GetMetricData"], "*"),  # classic metrics have no resource
        ],
        reserved_concurrency=concurrency,
    )


def alert_handler(
    *,
    site: Site,
    topic_arn: str,
    self_monitoring_topic_arn: str,
    table_name: str,
    table_arn: str,
    key_arn: str,
    concurrency: int | None,
) -> FunctionConfig:
    """The function that keeps incidents and notifies: it may read and put items, publish, and use the key."""
    return FunctionConfig(
        part="alert-handler",
        description="Keeps the incident of each flow and sends its notifications",
        environment={
            "ENVIRONMENT": site.names.environment,
            "TOPIC_ARN": topic_arn,
            "SELF_MONITORING_TOPIC_ARN": self_monitoring_topic_arn,
            "TABLE_NAME": table_name,
        },
        permissions=[
            allow(["sns:Publish"], list(dict.fromkeys([topic_arn, self_monitoring_topic_arn]))),
            allow(["dynamodb:GetItem", "dynamodb:PutItem"], table_arn),
            allow(["kms:Decrypt", "kms:GenerateDataKey"], key_arn),
        ],
        reserved_concurrency=concurrency,
    )
