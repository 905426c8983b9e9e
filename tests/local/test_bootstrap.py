"""The bucket for the state, made by the command that makes it."""

import re
from pathlib import Path

from local_aws import LocalAws
from tests.local.checkout import Checkout


def test_the_bucket_for_state_is_made_once_and_the_command_can_be_repeated(aws: LocalAws, tmp_path: Path) -> None:
    checkout = Checkout(tmp_path, aws, {"TF_CLI_ARGS_apply": "-auto-approve"})
    text = (tmp_path / "environments" / "dev.toml").read_text(encoding="utf-8")
    made = text.replace("[tags]", 'state_bucket = "bootstrapped-state"\n\n[tags]', 1)
    (tmp_path / "environments" / "made.toml").write_text(made, encoding="utf-8")
    assert "Apply complete! Resources: 7 added" in plain(checkout.run("bootstrap", "made"))
    assert "Resources: 0 added, 0 changed, 0 destroyed" in plain(checkout.run("bootstrap", "made"))
    s3 = aws.client("s3")
    assert s3.get_bucket_versioning(Bucket="bootstrapped-state")["Status"] == "Enabled"
    s3.delete_bucket(Bucket="bootstrapped-state")


def plain(text: str) -> str:
    """Without the colours of a terminal."""
    return re.sub(r"\x1b\[\d+m", "", text)
