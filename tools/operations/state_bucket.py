"""Finds a bucket for the state that exists already, and lets Terraform import it instead of creating it.

It was made by hand, or by a clone whose own small state is lost. The plan shows what is imported and what is changed.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from settings import Environment
from tools.terraform.binary import TerraformError

IMPORTS: Final = "imports.tf.json"
SETTINGS: Final[Mapping[str, tuple[str, str]]] = {
    "aws_s3_bucket_lifecycle_configuration": ("get_bucket_lifecycle_configuration", "Rules"),
    "aws_s3_bucket_ownership_controls": ("get_bucket_ownership_controls", "OwnershipControls"),
    "aws_s3_bucket_policy": ("get_bucket_policy", "Policy"),
    "aws_s3_bucket_public_access_block": ("get_public_access_block", "PublicAccessBlockConfiguration"),
    "aws_s3_bucket_server_side_encryption_configuration": (
        "get_bucket_encryption",
        "ServerSideEncryptionConfiguration",
    ),
    "aws_s3_bucket_versioning": ("get_bucket_versioning", "Status"),
}
"""By resource type: the call that reads a bucket's setting, and the response key that exists if it was ever set."""


@contextmanager
def adopted(folder: Path, environment: Environment, bucket: str) -> Iterator[None]:
    """Keep import blocks in `folder` for the bucket and its settings, as far as they exist.

    Terraform skips the import of what its state already contains.

    Raises:
        TerraformError: the bucket cannot be adopted.
    """
    path = folder / IMPORTS
    types = existing(boto3.client("s3", region_name=environment.region), environment, bucket)
    stack: dict[str, Any] = json.loads((folder / "cdk.tf.json").read_text(encoding="utf-8"))
    blocks = [{"to": f"{kind}.{name}", "id": bucket} for kind in types for name in stack["resource"][kind]]
    try:
        if blocks:
            path.write_text(json.dumps({"import": blocks}, indent=2) + "\n", encoding="utf-8")
        yield
    finally:
        path.unlink(missing_ok=True)


def existing(s3: Any, environment: Environment, bucket: str) -> list[str]:
    """The types of the resources that exist; none without a bucket.

    Args:
        s3: a client in the environment's Region.
        environment: whose state it holds.
        bucket: its name.

    Raises:
        TerraformError: the bucket belongs to another account or Region.
    """
    place = f"environments/{environment.name}.toml"
    account = boto3.client("sts", region_name=environment.region).get_caller_identity()["Account"]
    try:
        head = s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in {"404", "NoSuchBucket"}:
            return []
        if code in {"403", "AccessDenied"}:
            raise TerraformError(
                f"The bucket {bucket} exists, but belongs to another account than {account}, or these credentials may "
                f"not read it. Set state_bucket in {place} to an unused name, or allow s3:ListBucket."
            ) from error
        raise
    region = head.get("BucketRegion", environment.region)
    if region != environment.region:
        raise TerraformError(
            f"The bucket {bucket} is in {region}, and {environment.name} keeps its state in {environment.region}. "
            f"Set another state_bucket in {place}."
        )
    return ["aws_s3_bucket", *(kind for kind, (call, key) in SETTINGS.items() if _is_set(s3, bucket, call, key))]


def _is_set(s3: Any, bucket: str, call: str, key: str) -> bool:
    try:
        return key in getattr(s3, call)(Bucket=bucket)
    except ClientError as error:
        # NoSuchBucketPolicy, NoSuchLifecycleConfiguration, OwnershipControlsNotFoundError, ...
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:  # noqa: PLR2004
            return False
        raise
