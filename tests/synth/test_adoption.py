"""What a team gives that has something already, and the roles that its pipeline gets."""

import json
import re
from pathlib import Path

from components.paths import PROJECT
from settings import CiAccess, load_environment
from tests.synth.conftest import Synthesized


def test_existing_topic_key_and_bucket_are_used(tmp_path: Path) -> None:
    topic, key = "arn:aws:sns:us-east-1:123456789012:noc", "arn:aws:kms:us-east-1:123456789012:key/1234"
    given = {"existing_topic_arn": topic, "existing_key_arn": key, "existing_code_bucket": "somebodys-code"}
    from cdktf import Testing  # noqa: PLC0415  pytest would collect it by its name

    from stacks.media_workflow import MediaWorkflow  # noqa: PLC0415  starts Node

    dev = load_environment("dev", root=PROJECT, environ={}, context={})
    environment = dev.model_copy(update={**given, "notifications": ()})
    built = MediaWorkflow(Testing.app(outdir=str(tmp_path / "out")), "media-workflow", environment, build=tmp_path)
    stack = Synthesized(Testing.synth(built, True))
    for made in ("aws_sns_topic", "aws_sns_topic_subscription", "aws_kms_key", "aws_kms_alias", "aws_s3_bucket"):
        assert stack.all_of(made) == [], made
    assert stack.one("aws_s3_object")["bucket"] == "somebodys-code"
    assert {group["kms_key_id"] for group in stack.all_of("aws_cloudwatch_log_group")} == {key}
    rung = {
        tuple(alarm["alarm_actions"])
        for alarm in stack.all_of("aws_cloudwatch_metric_alarm")
        if "alarm_actions" in alarm
    }
    assert rung == {(topic,)}
    assert stack.content["output"]["topic_arn"]["value"] == topic
    assert topic in json.dumps(stack.all_of("aws_sfn_state_machine"))
    # Whose key a given topic is under is not known: whoever publishes may use the given key.
    publishers = [role["policy"] for role in stack.all_of("aws_iam_role_policy") if "sns:Publish" in role["policy"]]
    assert len(publishers) == 3
    assert all(key in policy for policy in publishers)
    # Its subscriptions are not ours, so deliveries are judged by attempts.
    failed = stack.one("aws_cloudwatch_metric_alarm", alarm_name="media-workflow-dev-chain-deliveries-of-alerts-failed")
    assert failed["metric_name"] == "NumberOfNotificationsFailed"
    assert "retry" in failed["alarm_description"]


def test_existing_identity_provider_is_trusted(tmp_path: Path) -> None:
    from cdktf import Testing  # noqa: PLC0415  pytest would collect it by its name

    from stacks.ci_access import CiAccess as CiAccessStack  # noqa: PLC0415  starts Node

    provider = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    dev = load_environment("dev", root=PROJECT, environ={}, context={})
    access = CiAccess(repository="example/live", github_environment="lab", existing_provider_arn=provider)
    app = Testing.app(outdir=str(tmp_path))
    stack = Synthesized(Testing.synth(CiAccessStack(app, "ci-access", dev, access, state_bucket="state"), True))
    assert stack.all_of("aws_iam_openid_connect_provider") == []
    for role in stack.all_of("aws_iam_role"):
        (trust,) = json.loads(role["assume_role_policy"])["Statement"]
        assert trust["Principal"] == {"Federated": provider}
        assert "*" not in json.dumps(trust["Condition"])
    assert "repo:example/live:environment:lab" in json.dumps(stack.all_of("aws_iam_role"))


def test_pipeline_policies_fit_iam_limits(tmp_path: Path) -> None:
    from cdktf import Testing  # noqa: PLC0415  pytest would collect it by its name

    from stacks.ci_access import CiAccess as CiAccessStack  # noqa: PLC0415  starts Node

    dev = load_environment("dev", root=PROJECT, environ={}, context={}).model_copy(update={"name": "e" * 16})
    app, access = Testing.app(outdir=str(tmp_path)), CiAccess(repository="example/live")
    stack = Synthesized(Testing.synth(CiAccessStack(app, "ci-access", dev, access, state_bucket="state"), True))
    policies = [(policy, 6_144) for policy in stack.all_of("aws_iam_policy")]
    policies += [(policy, 10_240) for policy in stack.all_of("aws_iam_role_policy")]
    assert len(policies) == 3
    for policy, limit in policies:
        text = policy["policy"]
        for token, value in (("caller.account_id", "123456789012"), ("partition.partition", "aws-us-gov")):
            text = re.sub(rf"\$\{{[a-z_.]*{token}\}}", value, text)
        assert "${" not in text
        assert len("".join(json.dumps(json.loads(text)).split())) <= limit, policy["name"]
