"""`bootstrap` creates or adopts the bucket for the state."""

import json
import re
from pathlib import Path

import boto3

from tests.local.checkout import Checkout
from tools.local_aws import LocalAws


def bootstrapped(aws: LocalAws, folder: Path, bucket: str) -> Checkout:
    """A clone whose environment `made` keeps its state in that bucket."""
    checkout = Checkout(folder, aws, {})
    text = (folder / "environments" / "dev.toml").read_text(encoding="utf-8")
    made = text.replace("[tags]", f'state_bucket = "{bucket}"\n\n[tags]', 1)
    (folder / "environments" / "made.toml").write_text(made, encoding="utf-8")
    return checkout


def test_bootstrap_creates_the_bucket_and_is_repeatable(aws: LocalAws, tmp_path: Path) -> None:
    checkout = bootstrapped(aws, tmp_path, "bootstrapped-state")
    assert "Apply complete! Resources: 7 added" in plain(checkout.run("bootstrap", "made", "--yes"))
    assert "Resources: 0 added, 0 changed, 0 destroyed" in plain(checkout.run("bootstrap", "made", "--yes"))
    s3 = aws.client("s3")
    assert s3.get_bucket_versioning(Bucket="bootstrapped-state")["Status"] == "Enabled"
    next(tmp_path.glob("*.tfstate")).unlink()  # as in another clone
    adopted = plain(checkout.run("bootstrap", "made", "--yes"))
    assert "Resources: 7 imported, 0 added, 0 changed, 0 destroyed" in adopted
    s3.delete_bucket(Bucket="bootstrapped-state")


def test_bootstrap_adopts_a_bucket_with_its_content(aws: LocalAws, tmp_path: Path) -> None:
    checkout, s3 = bootstrapped(aws, tmp_path, "made-by-hand"), aws.client("s3")
    s3.create_bucket(Bucket="made-by-hand")
    s3.put_object(Bucket="made-by-hand", Key="media-workflow/dev/media-workflow.tfstate", Body=b"{}")
    s3.put_bucket_versioning(Bucket="made-by-hand", VersioningConfiguration={"Status": "Suspended"})
    theirs = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "s3:*", "Resource": "arn:aws:s3:::*"}
    s3.put_bucket_policy(Bucket="made-by-hand", Policy=json.dumps({"Version": "2012-10-17", "Statement": [theirs]}))
    printed = plain(checkout.run("bootstrap", "made", "--yes"))
    assert "3 to import, 4 to add, 3 to change, 0 to destroy" in printed
    assert '"arn:aws:s3:::*" ->' in printed, "what is taken from their policy is shown"
    assert "Resources: 0 added, 0 changed, 0 destroyed" in plain(checkout.run("bootstrap", "made", "--yes"))
    assert s3.get_bucket_versioning(Bucket="made-by-hand")["Status"] == "Enabled"
    (statement,) = json.loads(s3.get_bucket_policy(Bucket="made-by-hand")["Policy"])["Statement"]
    assert statement["Sid"] == "TlsOnly"
    (kept,) = s3.list_objects_v2(Bucket="made-by-hand")["Contents"]
    s3.delete_object(Bucket="made-by-hand", Key=kept["Key"])


def test_bootstrap_refuses_a_foreign_bucket(aws: LocalAws, tmp_path: Path) -> None:
    checkout = bootstrapped(aws, tmp_path, "somebody-elses")
    role = aws.client("sts").assume_role(RoleArn="arn:aws:iam::210987654321:role/other", RoleSessionName="other")
    other = {
        "aws_access_key_id": role["Credentials"]["AccessKeyId"],
        "aws_secret_access_key": role["Credentials"]["SecretAccessKey"],
        "aws_session_token": role["Credentials"]["SessionToken"],
    }
    boto3.client("s3", endpoint_url=aws.endpoint, region_name="us-east-1", **other).create_bucket(
        Bucket="somebody-elses"
    )
    refused = checkout.run("bootstrap", "made", "--yes", expect=1)
    assert "The bucket somebody-elses exists, but belongs to another account than 123456789012" in refused
    assert "Set state_bucket in environments/made.toml to an unused name" in refused
    aws.client("s3").create_bucket(Bucket="far-away", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    checkout.edit("somebody-elses", "far-away", environment="made")
    assert "The bucket far-away is in eu-west-1" in checkout.run("bootstrap", "made", "--yes", expect=1)


def plain(text: str) -> str:
    """Without the colours of a terminal."""
    return re.sub(r"\x1b\[\d+m", "", text)
