"""Reviews of unusual plans: broken, unfinished, moved, sensitive, too long, with allowances."""

import json
from typing import Any

import pytest

from tests.plans.plans import change, corpus, plan
from tools.plan_review import PlanError, as_json, as_markdown, read_plan, review
from tools.plan_review.allowances import allowances
from tools.plan_review.findings import Rank

ALARM = {
    "alarm_name": "media-workflow-prod-studio/jitter",
    "comparison_operator": "GreaterThanThreshold",
    "threshold": 50,
    "evaluation_periods": 2,
    "datapoints_to_alarm": 2,
    "period": 60,
    "statistic": "Average",
    "treat_missing_data": "notBreaching",
    "actions_enabled": True,
}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("terraform will perform", "This is not JSON"),
        pytest.param("[" * 100_000, "This is not JSON", id="nested"),
        ("[]", "no format_version"),
        ('{"a": 1}', "no format_version"),
        ('{"format_version": "2.0", "resource_changes": []}', "format 2.0. Supported: 1.x"),
        ('{"format_version": "0.1", "resource_changes": []}', "format 0.1. Supported: 1.x"),
        ('{"format_version": "1.0", "values": {}}', "a state, not a plan"),
        ('{"format_version": "1.2", "resource_changes": [{"address": "a.b"}]}', "cannot be read"),
        ('{"format_version": "1.2", "resource_changes": [7]}', "cannot be read"),
    ],
)
def test_input_that_is_not_a_plan_is_refused_with_a_fix(text: str, words: str) -> None:
    with pytest.raises(PlanError, match=words.replace("(", r"\(")):
        read_plan(text)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.9"])
def test_every_minor_format_version_is_read(version: str) -> None:
    assert review(read_plan(json.dumps({"format_version": version, "resource_changes": []}))).findings == ()


def test_plan_without_resources_changes_nothing() -> None:
    empty = review(read_plan('{"format_version": "1.2", "planned_values": {}, "terraform_version": "1.13.0"}'))
    assert "Nothing changes" in as_markdown(empty)
    assert not empty.blocked


def test_unfinished_plan_is_blocked() -> None:
    found = review(plan(change(ALARM, {**ALARM, "threshold": 40}), errored=True, complete=False))
    assert found.blocked
    shown = as_markdown(found)
    assert "could not finish the plan" in shown
    assert "not all that will happen" in shown


@pytest.mark.parametrize("name", ["threshold", "treat_missing_data", "period", "comparison_operator"])
def test_unknown_alarm_condition_may_be_loosened(name: str) -> None:
    after = {key: value for key, value in ALARM.items() if key != name}
    found = review(plan(change(ALARM, after, after_unknown={name: True})), protect=True)
    assert [finding.rank for finding in found.findings] == [Rank.UNWATCHED]
    assert "known only after apply" in found.findings[0].sentence
    assert found.blocked
    assert f"- `{name}`: `{ALARM[name]}` → `(known after apply)`" in as_markdown(found)


def test_unknown_alarm_dimension_is_only_listed() -> None:
    before = {**ALARM, "dimensions": {"FlowARN": "arn:old"}}
    found = review(plan(change(before, {**ALARM, "dimensions": {}}, after_unknown={"dimensions": {"FlowARN": True}})))
    assert found.findings == ()
    assert "- `dimensions.FlowARN`: `arn:old` → `(known after apply)`" in as_markdown(found)


def test_moved_resource_keeps_running() -> None:
    found = review(plan(change(ALARM, ALARM, actions=["no-op"], previous_address="aws_cloudwatch_metric_alarm.old")))
    assert "keeps running under a new Terraform address" in found.findings[0].sentence
    assert "moved from `aws_cloudwatch_metric_alarm.old`" in as_markdown(found)


def test_moved_and_changed_resource_is_judged_by_its_change() -> None:
    moved = change(ALARM, {**ALARM, "threshold": 500}, previous_address="aws_cloudwatch_metric_alarm.old")
    assert [finding.rank for finding in review(plan(moved)).findings] == [Rank.UNWATCHED, Rank.CHANGED]


def test_imported_resource_exists_already() -> None:
    found = review(plan(change(ALARM, ALARM, actions=["no-op"], importing={"id": "by-hand"})))
    assert "exists already and is imported (ID by-hand)" in found.findings[0].sentence


def test_deposed_object_is_named_and_costs_nothing() -> None:
    found = review(plan(change(ALARM, None, deposed="4f2a")))
    assert "key `4f2a`" in as_markdown(found)
    assert found.cost.lines == ()


def test_data_sources_are_not_changes() -> None:
    found = review(plan(change(None, {"id": "x"}, kind="aws_partition", mode="data", actions=["read"])))
    assert found.touched == ()


def test_create_and_delete_in_either_order_is_a_replacement() -> None:
    for actions in (["create", "delete"], ["delete", "create"]):
        assert plan(change(ALARM, ALARM, actions=actions)).changes[0].action == "replace"


def test_resource_type_without_rules_is_listed() -> None:
    found = review(plan(change({"size": 1}, {"size": 2}, kind="aws_rare_thing")))
    shown = as_markdown(found)
    assert "- `size`: `1` → `2`" in shown
    assert "this review has no rule for these changes" in shown


def test_long_comment_is_shortened_and_says_so() -> None:
    rows = [
        change({"n": "a" * 100}, {"n": "b" * 100}, kind="aws_rare_thing", address=f"aws_rare_thing.n{number}")
        for number in range(2000)
    ]
    found = review(plan(*rows))
    shown = as_markdown(found)
    assert len(shown) < 60_000
    assert "Shortened:" in shown
    assert "- and others" in shown
    assert len(json.loads(as_json(found))["changes"]) == 2000


def test_long_table_of_findings_is_shortened() -> None:
    rows = [
        change({**ALARM, "alarm_name": f"a{number}"}, None, address=f"aws_cloudwatch_metric_alarm.n{number}")
        for number in range(1000)
    ]
    shown = as_markdown(review(plan(*rows, change(ALARM, ALARM, actions=["no-op"]))))
    assert len(shown) < 60_000
    assert "table is shortened" in shown


def test_text_of_a_plan_cannot_break_out_of_the_comment() -> None:
    evil = "`| </details> <script> ```\n# hello"
    shown = as_markdown(review(plan(change({"n": "x"}, {"n": evil}, kind="aws_rare_thing"))))
    assert "<script>" not in shown
    assert "\n# hello" not in shown
    assert shown.count("</details>") == shown.count("<details>")


def test_same_plan_gives_same_output() -> None:
    assert as_markdown(review(corpus("mixed"))) == as_markdown(review(corpus("mixed")))
    assert as_json(review(corpus("mixed"))) == as_json(review(corpus("mixed")))


@pytest.mark.parametrize("text", ["aws_sns_topic.it", "aws_sns_topic.it:destroy", ":delete"])
def test_malformed_allowance_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match="give the exact address of a resource, a colon"):
        allowances([text])


@pytest.mark.parametrize(
    ("allowed", "blocked"),
    [
        ([], True),
        (["aws_cloudwatch_metric_alarm.it:update"], True),
        (["aws_cloudwatch_metric_alarm.other:delete"], True),
        (["aws_cloudwatch_metric_alarm.*:delete"], True),
        (["aws_cloudwatch_metric_alarm.it:delete"], False),
    ],
)
def test_allowance_needs_exact_address_and_action(allowed: list[str], blocked: bool) -> None:  # noqa: FBT001
    rows = (change(ALARM, None), change(ALARM, ALARM, actions=["no-op"], address="aws_cloudwatch_metric_alarm.stays"))
    found = review(plan(*rows), protect=True, allowed=allowances(allowed))
    assert found.blocked is blocked
    assert not review(plan(*rows)).blocked


def test_unused_allowance_is_reported() -> None:
    found = review(plan(), allowed=allowances(["aws_sns_topic.gone:delete"]))
    assert "Allowed, but not in this plan: `aws_sns_topic.gone:delete`" in as_markdown(found)


@pytest.mark.parametrize("hidden", [({"value": True}, {}), ({}, {"value": True}), ({"value": True}, {"value": True})])
def test_sensitive_json_shows_neither_values_nor_keys(
    hidden: tuple[dict[str, bool], dict[str, bool]],
) -> None:
    shapes: dict[str, Any] = {"before_sensitive": hidden[0], "after_sensitive": hidden[1]}
    made = change({"value": '{"passphrase": "old"}'}, {"value": '{"passphrase": "new"}'}, kind="aws_x", **shapes)
    found = review(plan(made))
    assert "- `value`: `(sensitive)` → `(sensitive)`" in as_markdown(found)
    for shown in (as_markdown(found), as_json(found)):
        assert not any(word in shown for word in ("passphrase", "old", "new"))


def test_newly_sensitive_output_is_not_shown() -> None:
    changed = {
        "actions": ["update"],
        "before": "old-key",
        "after": "new-key",
        "before_sensitive": False,
        "after_sensitive": True,
    }
    shown = as_markdown(review(plan(output_changes={"key": changed})))
    assert "`key`: `(sensitive)` → `(sensitive)`" in shown
    assert "old-key" not in shown
