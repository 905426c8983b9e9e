"""The live impact of single changes that the corpus of real plans does not have."""

import json
from typing import Any

import pytest

from tests.plans.plans import change, plan
from tools.plan_review import review
from tools.plan_review.findings import Rank
from tools.plan_review.judge.grants import gained, grants

STACK = "aws_cloudformation_stack"
OUTPUTS = {
    "FlowArn": "arn:aws:mediaconnect:us-east-1:123456789012:flow:1-a:studio",
    "IngestIp": "192.0.2.10",
    "IngestPort": "5000",
}


def flow(output: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """A stack with a flow, and with an output if one is given."""
    parts = {
        "Flow": {
            "Type": "AWS::MediaConnect::Flow",
            "Properties": {"Name": "studio", "Source": {"Name": "a"}, **properties},
        }
    }
    if output is not None:
        parts["Out"] = {"Type": "AWS::MediaConnect::FlowOutput", "Properties": {"Name": "tx", **output}}
    return {"name": "live", "template_body": json.dumps({"Resources": parts}), "outputs": OUTPUTS}


def policy(*actions: str, resource: str = "arn:x", **more: Any) -> str:
    return json.dumps({"Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}]})


def ranks(before: Any, after: Any, kind: str = STACK, **more: Any) -> list[tuple[str, str]]:
    found = review(plan(change(before, after, kind=kind, **more)))
    return [(finding.rank.name, finding.sentence) for finding in found.findings]


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        (flow(), flow(Name="other"), "Name"),
        (flow(), flow(AvailabilityZone="us-east-1b"), "AvailabilityZone"),
        (flow(AvailabilityZone="us-east-1b"), flow(), "AvailabilityZone"),
        (flow(), flow(Source={"Name": "b"}), "Source.Name"),
    ],
)
def test_replacement_hidden_in_a_template_update_is_found(before: Any, after: Any, path: str) -> None:
    ((rank, sentence),) = ranks(before, after)
    assert rank == "OFF_AIR"
    assert f"its flow is replaced, because {path} cannot change in place" in sentence
    assert "192.0.2.10:5000 is lost" in sentence


@pytest.mark.parametrize(
    ("after", "unknown", "words"),
    [
        ({"name": "live", "template_body": "Resources: {}"}, {}, "cannot be read"),
        ({"name": "live"}, {"template_body": True}, "is known only after apply"),
        ({"name": "live", "template_body": '{"Resources": {}}'}, {}, "its flow is deleted"),
    ],
)
def test_unreadable_template_may_take_flow_off_air(after: Any, unknown: Any, words: str) -> None:
    ((rank, sentence),) = ranks(flow(), after, after_unknown=unknown)
    assert (rank, words in sentence) == ("OFF_AIR", True)


@pytest.mark.parametrize(
    ("before", "after", "rank", "words"),
    [
        ({}, {"Name": "ty"}, "OFF_AIR", "because Name cannot change in place"),
        ({"Protocol": "rtp"}, {"Protocol": "rist"}, "OFF_AIR", "sends rist instead of rtp"),
        ({"OutputStatus": "DISABLED"}, {"OutputStatus": "ENABLED"}, "CHANGED", "is enabled"),
        ({"Encryption": {"SecretArn": "x"}}, {}, "OFF_AIR", "is no longer encrypted"),
        ({"Encryption": {"SecretArn": "x"}}, {"Encryption": {"SecretArn": "y"}}, "OFF_AIR", "with another key"),
        ({"CidrAllowList": ["192.0.2.0/24"]}, {"CidrAllowList": ["192.0.0.0/16"]}, "ACCESS", "accepts receivers"),
        ({"CidrAllowList": ["192.0.0.0/16"]}, {"CidrAllowList": ["192.0.2.0/24"]}, "OFF_AIR", "is refused"),
        ({"MinLatency": 1}, {"MinLatency": 2}, "INTERRUPTED", "buffers 2 ms"),
        ({}, {"NdiSpeedHqQuality": 5}, "INTERRUPTED", "the live impact is not known"),
    ],
)
def test_output_change_is_judged_by_its_receiver(before: Any, after: Any, rank: str, words: str) -> None:
    ((found, sentence),) = ranks(flow(before), flow(after))
    assert (found, words in sentence) == (rank, True), sentence


@pytest.mark.parametrize(
    ("kind", "before", "after", "rank", "words"),
    [
        ("aws_iam_role_policy", {"policy": policy("sns:Publish", "xray:Put")}, {"policy": policy("xray:Put")}, "NOBODY_NOTIFIED", "no longer allows sns:Publish"),
        ("aws_iam_role_policy", {"policy": policy("lambda:InvokeFunction")}, {"policy": policy("xray:Put")}, "UNWATCHED", "the workflow cannot run its functions"),
        ("aws_iam_role", {"assume_role_policy": policy("sts:AssumeRole", Principal={"Service": "a"})}, {"assume_role_policy": policy("sts:AssumeRole", Principal={"Service": ["a", "b"]})}, "ACCESS", "sts:AssumeRole on arn:x for b"),
        ("aws_s3_bucket_policy", {"policy": '{"Statement": {"Effect": "Deny", "Action": "s3:*", "Principal": "*", "Resource": "x"}}'}, {"policy": '{"Statement": []}'}, "ACCESS", "s3:* on x for * (no longer denied)"),
        ("aws_cloudwatch_event_rule", {"event_pattern": '{"detail-type": ["A", "B"]}'}, {"event_pattern": '{"detail-type": ["A"]}'}, "UNWATCHED", "no longer matches detail-type B"),
        ("aws_cloudwatch_event_rule", {"event_pattern": '{"detail-type": ["A"]}'}, {"event_pattern": '{"detail-type": ["A", "B"]}'}, "CHANGED", "also matches detail-type B"),
        ("aws_cloudwatch_event_target", {"arn": "x"}, {"arn": "y"}, "UNWATCHED", "starts y instead of x"),
        ("aws_lambda_function", {"reserved_concurrent_executions": -1}, {"reserved_concurrent_executions": 0}, "UNWATCHED", "can no longer run"),
        ("aws_kms_key", {"is_enabled": True}, {"is_enabled": False}, "NOBODY_NOTIFIED", "is disabled"),
        ("aws_cloudwatch_log_group", {"retention_in_days": 0}, {"retention_in_days": 30}, "RETENTION", "keeps logs for 30 days instead of without limit"),
        ("aws_cloudwatch_log_group", {"retention_in_days": 30}, {"retention_in_days": 7}, "RETENTION", "keeps logs for 7 instead of 30 days"),
        ("aws_dynamodb_table", {"deletion_protection_enabled": True}, {"deletion_protection_enabled": False}, "PROTECTION", "can be deleted"),
        ("aws_cloudwatch_metric_alarm", {"alarm_actions": ["t"], "threshold": 1}, {"alarm_actions": [], "threshold": 1}, "NOBODY_NOTIFIED", "nobody is notified"),
        ("aws_cloudwatch_metric_alarm", {"metric_name": "SourceBitRate"}, {"metric_name": "SourceBitrate"}, "UNWATCHED", "checks metric SourceBitrate"),
    ],
)  # fmt: skip
def test_resource_change_gets_rank_and_sentence(kind: str, before: Any, after: Any, rank: str, words: str) -> None:
    found = ranks(before, after, kind)
    assert [(name, words in sentence) for name, sentence in found if name == rank] == [(rank, True)], found


EARLY = {"statistic": "Average", "period": 60, "evaluation_periods": 1, "datapoints_to_alarm": 1}
EARLY_SECONDS = EARLY | {"period": 10, "evaluation_periods": 18}


def test_period_of_seconds_is_tightened_and_costs_more() -> None:
    ((_, sentence),) = ranks(EARLY, EARLY_SECONDS, "aws_cloudwatch_metric_alarm")
    assert sentence.endswith("is tightened: after 1 of 18 periods instead of 1 of 1; periods of 10 s instead of 60 s")
    cost = review(plan(change(EARLY, EARLY_SECONDS, kind="aws_cloudwatch_metric_alarm"))).cost
    assert (round(cost.before, 2), round(cost.after, 2)) == (0.10, 0.30)


@pytest.mark.parametrize(
    ("before", "after", "looser"),
    [
        ({"comparison_operator": "GreaterThanThreshold", "threshold": 1}, {"threshold": 2}, True),
        ({"comparison_operator": "GreaterThanThreshold", "threshold": 2}, {"threshold": 1}, False),
        ({"comparison_operator": "LessThanThreshold", "threshold": 2}, {"threshold": 1}, True),
        ({"comparison_operator": "LessThanThreshold", "threshold": 1}, {"threshold": 2}, False),
        (
            {"comparison_operator": "GreaterThanOrEqualToThreshold"},
            {"comparison_operator": "GreaterThanThreshold"},
            True,
        ),
        (
            {"comparison_operator": "GreaterThanThreshold"},
            {"comparison_operator": "GreaterThanOrEqualToThreshold"},
            False,
        ),
        ({"evaluation_periods": 3, "datapoints_to_alarm": 2}, {"datapoints_to_alarm": 3}, True),
        ({"evaluation_periods": 5, "datapoints_to_alarm": 2}, {"evaluation_periods": 3}, True),
        ({"evaluation_periods": 3, "datapoints_to_alarm": 2}, {"evaluation_periods": 5}, False),
        ({"period": 60, "statistic": "Maximum"}, {"period": 300}, True),
        ({"period": 300, "statistic": "Maximum"}, {"period": 60}, False),
        ({"period": 300, "statistic": "Sum"}, {"period": 60}, True),
        (EARLY, EARLY_SECONDS, False),
        (EARLY_SECONDS, EARLY, True),
        ({"treat_missing_data": "breaching"}, {"treat_missing_data": "missing"}, True),
        ({"treat_missing_data": "missing"}, {"treat_missing_data": "ignore"}, True),
        ({"treat_missing_data": "notBreaching"}, {"treat_missing_data": "missing"}, False),
    ],
)
def test_alarm_is_loosened_or_tightened(before: Any, after: Any, looser: bool) -> None:  # noqa: FBT001
    ((rank, sentence),) = ranks(before, {**before, **after}, "aws_cloudwatch_metric_alarm")
    assert (rank, "loosened" in sentence) == ("UNWATCHED" if looser else "CHANGED", looser)


def test_permission_in_a_wider_one_is_not_gained() -> None:
    wide = grants(policy("sns:*", resource="*"))
    narrow = grants(policy("sns:Publish", resource="arn:x"))
    assert wide is not None
    assert narrow is not None
    assert gained(wide, narrow) == []
    assert gained(narrow, wide) != []
    bound = grants(policy("sns:Publish", resource="arn:x", Condition={"StringEquals": {"a": "b"}}))
    assert bound is not None
    assert gained(bound, narrow) != []
    assert gained(narrow, bound) == []


def test_severity_with_another_recipient_is_not_reported() -> None:
    def subscription(address: str, severities: list[str], *, stays: bool) -> dict[str, Any]:
        state = {
            "topic_arn": "arn:t",
            "protocol": "sms",
            "endpoint": address,
            "filter_policy": json.dumps({"severity": severities}),
        }
        actions = ["no-op"] if stays else ["delete"]
        return change(state, state if stays else None, kind="aws_sns_topic_subscription", address=f"aws_sns_topic_subscription.{address}", actions=actions)  # fmt: skip

    found = review(
        plan(subscription("a", ["CRITICAL", "HIGH"], stays=False), subscription("b", ["CRITICAL"], stays=True)),
        protect=True,
    )
    sentences = [finding.sentence for finding in found.findings if finding.rank is Rank.NOBODY_NOTIFIED]
    assert sentences == ["nobody is notified of HIGH on topic t any more"]
    assert found.blocked


OTHER_ARN = OUTPUTS["FlowArn"].replace("1-a:studio", "2-b:other")


def rule_of(*arns: str) -> dict[str, Any]:
    pattern = {"source": ["aws.mediaconnect"], "detail-type": ["MediaConnect Alert"], "resources": list(arns)}
    return {"name": "events-1", "event_pattern": json.dumps(pattern)}


def with_a_flow_removed(*more: dict[str, Any]) -> list[tuple[str, str]]:
    """The findings where one of two flows that share a rule is removed, and of the changes in `more`."""
    other = {**flow(), "name": "other", "outputs": {**OUTPUTS, "FlowArn": OTHER_ARN}}
    found = review(
        plan(
            change(flow(), None, kind=STACK, address="studio"),
            change(other, other, kind=STACK, address="other", actions=["no-op"]),
            *more,
        )
    )
    return [(finding.rank.name, finding.sentence) for finding in found.findings]


def test_shared_rule_without_removed_flow_is_not_unwatched() -> None:
    both, one = rule_of(OUTPUTS["FlowArn"], OTHER_ARN), rule_of(OTHER_ARN)
    found = with_a_flow_removed(change(both, one, kind="aws_cloudwatch_event_rule"))
    assert [rank for rank, _ in found] == ["OFF_AIR", "CHANGED"]
    assert "is removed with the flow" in found[1][1]


def test_shared_rule_without_other_flow_is_unwatched() -> None:
    both = rule_of(OUTPUTS["FlowArn"], OTHER_ARN)
    found = with_a_flow_removed(change(both, rule_of(), kind="aws_cloudwatch_event_rule"))
    assert [rank for rank, _ in found] == ["OFF_AIR", "UNWATCHED"]


def test_removed_target_of_a_shared_rule_is_unwatched() -> None:
    both, one = rule_of(OUTPUTS["FlowArn"], OTHER_ARN), rule_of(OTHER_ARN)
    found = with_a_flow_removed(
        change(both, one, kind="aws_cloudwatch_event_rule", address="rule"),
        change({"rule": "events-1", "arn": "arn:x"}, None, kind="aws_cloudwatch_event_target", address="target"),
    )
    assert "UNWATCHED" in [rank for rank, _ in found]
