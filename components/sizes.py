"""Size limits of AWS for documents that grow with the settings, and the sizes of an environment. Pure.

One row is one limit, with its source. Tokens count at their longest; what the functions write at run time is estimated
from a flow's policy, sources and outputs. All documents that are too large are refused together at synth, with the
setting that causes it.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from settings import Environment, Flow, Names, Problem

Content = Mapping[str, Any]
"""A synthesized stack: Terraform JSON."""
Found = tuple[str, str, int]
"""The setting that makes a document large, the resource it belongs to, and its size."""

LONGEST: Final = (
    (r"\$\{data\.aws_partition\.\w+\.partition\}", "aws-us-gov"),
    (r"\$\{data\.aws_caller_identity\.\w+\.account_id\}", "1" * 12),
    (
        r"\$\{module\.flow_(?P<flow>[\w-]+?)_flow_[0-9A-F]+\.flow_arn\}",
        r"arn:aws-us-gov:mediaconnect:us-gov-west-1:123456789012:flow:1-23aBC45dEF67hiJ8-12AbC34DE5fG:\g<flow>",
    ),
    (r"\$\{[^}]+\.arn\}", "arn:aws-us-gov:states:us-gov-west-1:123456789012:stateMachine:" + "x" * 80),
    (r"\$\{[^}]*\}", "x" * 128),
)
"""The longest value of a token; the first pattern that matches counts."""

REPORT_FRAME: Final = 1_500
"""Characters of a report, a record or a message beside its issues: names, ARNs, times, trigger, links."""
OF_A_PART: Final = 600
"""Characters that a source or output adds: name, ARN and event evidence."""
OF_AN_OUTPUT: Final = 240
"""Characters of an output in the flow's template beside its own values: names of properties, its ARN as output."""
OF_A_KEY: Final = 150
"""Characters of an encryption in the flow's template beside its own values, with the ARN of the role."""
OF_A_FLOW: Final = 2_400
"""Characters of a flow's template without its outputs and its sources' values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One limit.

    Attributes:
        what: the document.
        limit: the most that AWS takes.
        unit: unit of the limit.
        source: where AWS documents it.
        measured: yields the sizes in an environment, from its settings and the synthesized stacks.
        advice: how to fix it; completes the sentence "AWS takes LIMIT; ...".
    """

    what: str
    limit: int
    unit: str
    source: str
    measured: Callable[[Environment, Content], Iterable[Found]]
    advice: str


def oversized(environment: Environment, content: Content) -> list[Problem]:
    """Documents of an environment that are too large for AWS, as problems of its settings."""
    return [
        Problem(
            place=f"environments/{environment.name}.toml",
            key=key,
            value=f"too large: {row.what} of {whose} has {size:,} {row.unit}",
            rule=f"AWS takes {row.limit:,}; {row.advice}",
        )
        for row in SIZES
        for key, whose, size in row.measured(environment, content)
        if size > row.limit
    ]


def resolved(text: str) -> str:
    """A synthesized document with every token at its longest."""
    for pattern, value in LONGEST:
        text = re.sub(pattern, value, text)
    return text


def template_bytes(flow: Flow, tags: Mapping[str, str]) -> int:
    """The most bytes that the CloudFormation template of a flow has; the module writes it."""
    size = OF_A_FLOW + _bytes(dict(tags)) + len(tags) * len('{"Key":,"Value":},')
    size += sum(_bytes(part.model_dump(mode="json", exclude_none=True)) for part in flow.parts)
    size += sum(OF_A_KEY for part in flow.parts if part.given("encryption"))
    return size + sum(OF_AN_OUTPUT + len(name) for name in flow.outputs)


def _bytes(value: Any) -> int:
    """Bytes of a value as Terraform and the provider write it: compact, with <, > and & escaped."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return len(text.encode()) + 5 * len(re.findall("[<>&]", text))


def _all(content: Content, kind: str) -> Iterator[dict[str, Any]]:
    yield from content.get("resource", {}).get(kind, {}).values()


def _whole(
    kind: str, attribute: str, name: str, key: str = "flows"
) -> Callable[[Environment, Content], Iterator[Found]]:
    """Size of one attribute of each resource."""

    def measured(_: Environment, content: Content) -> Iterator[Found]:
        for resource in _all(content, kind):
            if text := resource.get(attribute):
                yield key, str(resource.get(name, kind)), len(resolved(text).encode())

    return measured


def _policies(environment: Environment, content: Content) -> Iterator[Found]:
    parameters = {resource["name"]: resource["value"] for resource in _all(content, "aws_ssm_parameter")}
    names = Names(environment.name)
    for flow in environment.flows:
        if value := parameters.get(names.policy_parameter(flow.name)):
            yield f"flows.{flow.name}.outputs", flow.name, len(resolved(value))


def _inline(_: Environment, content: Content) -> Iterator[Found]:
    """Size of all inline policies of a role, without whitespace, as IAM counts it."""
    sizes: dict[str, int] = defaultdict(int)
    for policy in _all(content, "aws_iam_role_policy"):
        sizes[policy["role"]] += len(json.dumps(json.loads(resolved(policy["policy"])), separators=(",", ":")))
    yield from (("flows", role, size) for role, size in sizes.items())


def _managed(_: Environment, content: Content) -> Iterator[Found]:
    for policy in _all(content, "aws_iam_policy"):
        size = len(json.dumps(json.loads(resolved(policy["policy"])), separators=(",", ":")))
        yield "ci", str(policy.get("name")), size


def _secrets(environment: Environment, _: Content) -> Iterator[Found]:
    """Size of the policy of the role that reads a flow's keys; the module writes it."""
    for flow in environment.flows:
        arns = {key.secret_arn for part in flow.parts if (key := part.given("encryption"))}
        yield f"flows.{flow.name}.outputs", flow.name, 250 + sum(len(arn) + 3 for arn in arns)


def _templates(environment: Environment, _: Content) -> Iterator[Found]:
    for flow in environment.flows:
        yield f"flows.{flow.name}.outputs", flow.name, template_bytes(flow, environment.resource_tags)


def _reports(times: int, *, parts: int) -> Callable[[Environment, Content], Iterator[Found]]:
    """Size of what a function writes when everything is wrong: `times` all rules, `parts` times all parts."""

    def measured(environment: Environment, content: Content) -> Iterator[Found]:
        sizes = {whose: size for _, whose, size in _policies(environment, content)}
        for flow in environment.flows:
            size = REPORT_FRAME + times * sizes.get(flow.name, 0) + parts * OF_A_PART * len(flow.parts)
            yield f"flows.{flow.name}.outputs", flow.name, size

    return measured


def _graphs(count: Callable[[list[dict[str, Any]]], int]) -> Callable[[Environment, Content], Iterator[Found]]:
    def measured(_: Environment, content: Content) -> Iterator[Found]:
        for page in _all(content, "aws_cloudwatch_dashboard"):
            yield "flows", page["dashboard_name"], count(json.loads(page["dashboard_body"])["widgets"])

    return measured


def _metrics_of(widget: Mapping[str, Any]) -> int:
    properties = widget.get("properties", {})
    return len(properties.get("metrics", ())) + len(properties.get("alarms", ()))


FEWER_NAMES: Final = "shorten the names of its outputs, or split it into two flows"
FEWER_FLOWS: Final = "split the flows between two environments"
SIZES: Final = (
    Size(
        what="the monitoring policy", limit=8_192, unit="characters", measured=_policies, advice=FEWER_NAMES,
        source="Parameter Store, advanced tier; the standard tier takes 4,096, and the service chooses",
    ),
    Size(
        what="the CloudFormation template", limit=51_200, unit="bytes", measured=_templates,
        source="CloudFormation quotas: template body in a request",
        advice="shorten stream ids and lists of ranges, or split it into two flows",
    ),
    Size(
        what="the policy of the role that reads the keys", limit=10_240, unit="characters", measured=_secrets,
        source="IAM quotas: inline policies of a role", advice="let outputs share a secret, or split it into two flows",
    ),
    Size(
        what="the alarm name", limit=255, unit="characters", source="CloudWatch, PutMetricAlarm",
        measured=_whole("aws_cloudwatch_metric_alarm", "alarm_name", "alarm_name"), advice="shorten the flow's name",
    ),
    Size(
        what="the alarm description", limit=1_024, unit="characters", source="CloudWatch, PutMetricAlarm",
        measured=_whole("aws_cloudwatch_metric_alarm", "alarm_description", "alarm_name"), advice=FEWER_NAMES,
    ),
    Size(
        what="the event pattern", limit=2_048, unit="characters", source="EventBridge quotas: pattern, by default",
        measured=_whole("aws_cloudwatch_event_rule", "event_pattern", "name"), advice="shorten the flows' names",
    ),
    Size(
        what="the inline policies", limit=10_240, unit="characters", source="IAM quotas: inline policies of a role",
        measured=_inline, advice=FEWER_FLOWS,
    ),
    Size(
        what="the managed policy", limit=6_144, unit="characters", source="IAM quotas: managed policy",
        measured=_managed, advice="shorten the name of the environment",
    ),
    Size(
        what="the trust policy", limit=2_048, unit="characters", source="IAM quotas: trust policy, by default",
        measured=_whole("aws_iam_role", "assume_role_policy", "name", "ci"), advice="shorten the names in [ci]",
    ),
    Size(
        what="the key policy", limit=32_768, unit="bytes", source="KMS quotas: key policy document",
        measured=_whole("aws_kms_key", "policy", "description"), advice=FEWER_FLOWS,
    ),
    Size(
        what="the topic policy", limit=30_720, unit="bytes", source="SNS quotas: policy",
        measured=_whole("aws_sns_topic_policy", "policy", "arn", "notifications"), advice=FEWER_FLOWS,
    ),
    Size(
        what="the queue policy", limit=8_192, unit="bytes", source="SQS quotas: policy",
        measured=_whole("aws_sqs_queue_policy", "policy", "queue_url"), advice=FEWER_FLOWS,
    ),
    Size(
        what="the bucket policy", limit=20_480, unit="bytes", source="S3: bucket policies",
        measured=_whole("aws_s3_bucket_policy", "policy", "bucket"), advice=FEWER_FLOWS,
    ),
    Size(
        what="the state machine", limit=1_048_576, unit="bytes", source="Step Functions quotas: definition",
        measured=_whole("aws_sfn_state_machine", "definition", "name"), advice=FEWER_FLOWS,
    ),
    Size(
        what="the dashboard", limit=500, unit="widgets", source="CloudWatch quotas: dashboards",
        measured=_graphs(len), advice=FEWER_FLOWS,
    ),
    Size(
        what="a widget of the dashboard", limit=500, unit="metrics", source="CloudWatch quotas: dashboards",
        measured=_graphs(lambda widgets: max(map(_metrics_of, widgets), default=0)), advice=FEWER_FLOWS,
    ),
    Size(
        what="the dashboard", limit=2_500, unit="metrics", source="CloudWatch quotas: dashboards",
        measured=_graphs(lambda widgets: sum(map(_metrics_of, widgets))), advice=FEWER_FLOWS,
    ),
    # At run time. An execution holds the report and the event, which is not larger than a report.
    Size(
        what="the state of an execution", limit=262_144, unit="bytes", source="Step Functions quotas: payload",
        measured=_reports(2, parts=2), advice=FEWER_NAMES,
    ),
    Size(
        what="a message", limit=262_144, unit="bytes", source="SNS quotas: message", measured=_reports(2, parts=2),
        advice=FEWER_NAMES,
    ),
    # Open issues, event evidence, and three days of messages that could not be sent.
    Size(
        what="the stored record", limit=409_600, unit="bytes", source="DynamoDB quotas: item",
        measured=_reports(16, parts=2), advice=FEWER_NAMES,
    ),
)  # fmt: skip
