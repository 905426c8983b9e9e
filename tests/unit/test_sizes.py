"""Each limit refuses one more than AWS takes, and nothing less, with the setting and what to do."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest

from alert_handler.incident import decide
from alert_handler.message import compose
from alert_handler.record import nothing_known
from components.health_rules import health_rules
from components.sizes import SIZES, oversized, template_bytes
from settings import Environment, Flow, Names
from tests.unit.environments import GOOD, load, output, text
from tests.unit.stream import check, issue

OUTPUT_ARN: Final = "arn:aws-us-gov:mediaconnect:us-gov-west-1:123456789012:output:1-23aBC45dEF67hiJ8-12AbC34DE5fG:"
POLICY: Final = len(json.dumps({"a": ""}, separators=(",", ":")))
DOCUMENTS: Final[tuple[tuple[Any, ...], ...]] = (
    ("aws_cloudwatch_event_rule", "event_pattern", {"name": "r"}, 2_048, "the event pattern of r", 0),
    ("aws_cloudwatch_metric_alarm", "alarm_description", {"alarm_name": "a"}, 1_024, "the alarm description of a", 0),
    ("aws_cloudwatch_metric_alarm", "alarm_name", {}, 255, "the alarm name of ", 0),
    ("aws_iam_policy", "policy", {"name": "p"}, 6_144, "the managed policy of p", POLICY),
    ("aws_iam_role", "assume_role_policy", {"name": "r"}, 2_048, "the trust policy of r", 0),
    ("aws_iam_role_policy", "policy", {"role": "r"}, 10_240, "the inline policies of r", POLICY),
    ("aws_kms_key", "policy", {"description": "k"}, 32_768, "the key policy of k", 0),
    ("aws_s3_bucket_policy", "policy", {"bucket": "b"}, 20_480, "the bucket policy of b", 0),
    ("aws_sfn_state_machine", "definition", {"name": "m"}, 1_048_576, "the state machine of m", 0),
    ("aws_sns_topic_policy", "policy", {"arn": "t"}, 30_720, "the topic policy of t", 0),
    ("aws_sqs_queue_policy", "policy", {"queue_url": "q"}, 8_192, "the queue policy of q", 0),
    (
        *("aws_ssm_parameter", "value", {"name": "/media-workflow/dev/flows/live"}, 8_192),
        *("the monitoring policy of live", 0),
    ),
)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return load(tmp_path, GOOD)


def problems_of(environment: Environment, content: dict[str, Any]) -> list[str]:
    return [str(problem) for problem in oversized(environment, {"resource": content})]


@pytest.mark.parametrize(("kind", "attribute", "other", "limit", "words", "frame"), DOCUMENTS)
def test_document_above_limit_is_refused(
    environment: Environment, *, kind: str, attribute: str, other: dict[str, str], limit: int, words: str, frame: int
) -> None:
    def of(size: int) -> list[str]:
        text = json.dumps({"a": "x" * (size - frame)}) if frame else "x" * size
        return problems_of(environment, {kind: {"x": {**other, attribute: text}}})

    assert of(limit) == []
    (problem,) = of(limit + 1)
    assert words in problem
    assert f"has {limit + 1:,} " in problem
    assert f"AWS takes {limit:,}; " in problem


@pytest.mark.parametrize(
    ("widgets", "words"),
    [
        ([{}] * 501, "has 501 widgets"),
        ([{"properties": {"metrics": [[]] * 501}}], "a widget of the dashboard of d has 501 metrics"),
        ([{"properties": {"metrics": [[]] * 500}}] * 5 + [{"properties": {"alarms": [""]}}], "has 2,501 metrics"),
    ],
)
def test_dashboard_above_limit_is_refused(environment: Environment, widgets: list[dict[str, Any]], words: str) -> None:
    def of(shown: list[dict[str, Any]]) -> list[str]:
        body = json.dumps({"widgets": shown})
        return problems_of(
            environment, {"aws_cloudwatch_dashboard": {"x": {"dashboard_name": "d", "dashboard_body": body}}}
        )

    (problem,) = of(widgets)
    assert words in problem
    assert of(widgets[1:]) == []


def test_all_oversized_documents_are_reported_together(environment: Environment) -> None:
    (flow,) = environment.flows
    large_output = output("srt-caller", stream_id="<" * 512)
    outputs = {f"o{number}": {**large_output, "port": 6000 + number} for number in range(50)}
    large = Flow.model_validate({**flow.model_dump(exclude_none=True), "outputs": outputs})
    both = environment.model_copy(update={"flows": (large, large.model_copy(update={"name": "other"}))})
    assert template_bytes(large, {}) > 51_200
    problems = problems_of(both, {"aws_kms_key": {"x": {"policy": "x" * 40_000}}})
    assert [problem.split(" is ")[0] for problem in problems] == [
        "environments/dev.toml: flows.live.outputs",
        "environments/dev.toml: flows.other.outputs",
        "environments/dev.toml: flows",
    ]


def test_every_limit_has_a_source() -> None:
    assert all(row.source and row.advice for row in SIZES)


@pytest.mark.parametrize("count", [10, 50])
def test_estimated_sizes_cover_the_worst_case(tmp_path: Path, count: int) -> None:
    """Every rule breached, every output disconnected, and no message sent for three days."""
    environment = load(tmp_path, text(count))
    (flow,) = environment.flows
    rules = [rule.as_json() for rule in health_rules(flow, environment.thresholds)]
    value = json.dumps({"rules": rules}, separators=(",", ":"))
    parameter = {"name": Names("dev").policy_parameter(flow.name), "value": value}
    rows = {row.what: row for row in SIZES}

    def measured(what: str) -> int:
        ((_, _, size),) = rows[what].measured(environment, {"resource": {"aws_ssm_parameter": {"x": parameter}}})
        return size

    copied = ("metric", "meaning", "actions", "unit")
    issues = [issue(rule["about"], rule["severity"], **{key: rule[key] for key in copied}) for rule in rules]
    record, largest = nothing_known(), {"the stored record": 0, "a message": 0, "the state of an execution": 0}
    for number in range(3 * 24 * 2):
        part = f"{OUTPUT_ARN}{list(flow.outputs)[number % count]}"
        evidence = [{"about": "OutputConnected", "part": part, "bad": True, "holds_seconds": 180}]
        report = check(number * 1800, *issues, event_evidence=evidence, flow_name=flow.name)
        record, messages = decide(record, report)
        made: dict[str, list[Any]] = {
            "the stored record": [record],
            "a message": [asdict(compose(message)) for message in messages],
            "the state of an execution": [{"input": report, "report": report}],
        }
        for what, found in made.items():
            largest[what] = max([largest[what], *(len(json.dumps(one).encode()) for one in found)])
    assert all(largest.values())
    assert {what: size for what, size in largest.items() if size > measured(what)} == {}
