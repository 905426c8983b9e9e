"""What is synthesized is right in every partition: China and GovCloud have other ARNs, and some other names."""

import json
import re
from pathlib import Path

import pytest

from components.paths import PROJECT
from settings import Environment, SettingsError
from tests.unit.environments import GOOD, load

REGIONS = {"us-east-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}
ARN = re.compile(r"arn:([^:]*):")
PARTITION = "${data.aws_partition.partition.partition}"


def environment(root: Path, region: str, partition: str) -> Environment:
    """An environment of everything that names an ARN, in a Region."""
    here = f"{region}:123456789012"
    secret = (
        f'{{ key_type = "srt-password", secret_arn = "arn:{partition}:secretsmanager:{here}:secret:venue-a-AbCdEf" }}'
    )
    text = (
        GOOD.replace('"us-east-1"', f'"{region}"')
        .replace('"us-east-1a"', f'"{region}a"')
        .replace('protocol = "rtp"\nport', f'protocol = "srt-listener"\nencryption = {secret}\nport')
    )
    text += (
        '\n[ci]\nrepository = "example/live"\nowner_id = 1\nrepository_id = 2\n\n[[notifications]]\nprotocol = "sqs"\n'
    )
    text += f'endpoint = "arn:{partition}:sqs:{here}:on-call"\n'
    return load(root, text)


def stacks_of(settings: Environment, build: Path) -> dict[str, str]:
    """Every stack of an environment as Terraform JSON."""
    from cdktf import Testing  # noqa: PLC0415  starts Node

    from stacks.ci_access import CiAccess  # noqa: PLC0415
    from stacks.media_workflow import MediaWorkflow  # noqa: PLC0415
    from stacks.state_backend import StateBackend  # noqa: PLC0415

    assert settings.ci
    app = Testing.app(outdir=str(build / "out"))
    return {
        "main": Testing.synth(MediaWorkflow(app, "media-workflow", settings, build=build)),
        "ci": Testing.synth(CiAccess(app, "ci-access", settings, settings.ci, state_bucket="our-state")),
        "state": Testing.synth(StateBackend(app, "state-backend", settings, name="our-state")),
    }


@pytest.mark.parametrize(("region", "partition"), REGIONS.items())
def test_arns_are_in_the_partition_of_the_region(tmp_path: Path, region: str, partition: str) -> None:
    found = stacks_of(environment(tmp_path, region, partition), tmp_path)
    for stack, text in found.items():
        assert set(ARN.findall(text)) <= {PARTITION, partition}, stack
    machines = json.loads(found["main"])["resource"]["aws_sfn_state_machine"].values()
    used = sorted(machine["definition"].count(f"arn:{PARTITION}:states:::") for machine in machines)
    assert used == [2, 6]  # the second path of self-monitoring, and the workflow
    modules = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "modules").glob("*/*.tf"))
    assert set(ARN.findall(modules)) <= {"${data.aws_partition.current[0].partition}"}


@pytest.mark.parametrize(("region", "partition"), REGIONS.items())
def test_service_principals_are_those_of_the_partition(tmp_path: Path, region: str, partition: str) -> None:
    """All are `<service>.amazonaws.com` everywhere but CloudWatch Logs, and tokens for China may ask for its STS."""
    found = stacks_of(environment(tmp_path, region, partition), tmp_path)
    services = set(re.findall(r'Service\\": \\"([^\\]+)\\"', found["main"]))
    assert f"logs.{region}.${{data.aws_partition.partition.dns_suffix}}" in services
    assert {name.partition(".")[2] for name in services if not name.startswith("logs.")} == {"amazonaws.com"}
    chinese = ["sts.amazonaws.com", "sts.amazonaws.com.cn"]
    (provider,) = json.loads(found["ci"])["resource"]["aws_iam_openid_connect_provider"].values()
    assert provider["client_id_list"] == (chinese if partition == "aws-cn" else chinese[:1])
    for role in json.loads(found["ci"])["resource"]["aws_iam_role"].values():
        (statement,) = json.loads(role["assume_role_policy"])["Statement"]
        assert (
            statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:aud"]
            == provider["client_id_list"]
        )


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "eu-west-1"])
def test_arn_of_another_partition_is_refused(tmp_path: Path, region: str) -> None:
    other = "aws-us-gov" if region.startswith("cn") else "aws-cn"
    with pytest.raises(SettingsError, match=rf"must start with arn:{REGIONS.get(region, 'aws')}:") as refused:
        environment(tmp_path, region, other)
    assert "flows.live.source.encryption.secret_arn" in str(refused.value)
    assert "notifications.#2.endpoint" in str(refused.value)
