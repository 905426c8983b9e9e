"""What an environment costs a month before and after, from the list prices. What it cannot price, it says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tools import prices
from tools.plan_review import template
from tools.plan_review.plan import Change

REGION: Final = "us-east-1"
HIGH_RESOLUTION_SECONDS: Final = 60
LOCAL_ADDRESS: Final = 3  # where the Region stands in an ARN


@dataclass(frozen=True, slots=True)
class Price:
    """A list price in US dollars a month."""

    what: str
    dollars: float
    source: str


PRICES: Final[Mapping[str, Price]] = {
    name: Price(listed.what, listed.month, listed.origin)
    for name, listed in prices.PRICES.items()
    if name in {"flow", "alarm", "fast-alarm", "composite-alarm", "dashboard", "key", "secret"}
}
BY_TYPE: Final = {
    "aws_cloudwatch_composite_alarm": "composite-alarm",
    "aws_cloudwatch_dashboard": "dashboard",
    "aws_kms_key": "key",
    "aws_secretsmanager_secret": "secret",
}
BY_USE: Final = {
    "aws_cloudformation_stack": "data that a flow sends (per GB and destination)",
    "aws_cloudwatch_log_group": "logs (per GB)",
    "aws_dynamodb_table": "DynamoDB (per request and GB)",
    "aws_kms_key": "KMS requests",
    "aws_lambda_function": "Lambda (per run)",
    "aws_s3_bucket": "S3 (per GB and request)",
    "aws_scheduler_schedule": "scheduled checks (per run)",
    "aws_sfn_state_machine": "Step Functions (per state transition)",
    "aws_sns_topic": "SNS (per message)",
    "aws_sqs_queue": "SQS (per request)",
}
"""What is paid by use, which a plan does not show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How many of one item there are before and after."""

    price: Price
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """US dollars a month before and after, item by item, and what is not included."""

    lines: tuple[Line, ...]
    unpriced: tuple[str, ...]

    @property
    def before(self) -> float:
        """The sum before."""
        return sum(line.before * line.price.dollars for line in self.lines)

    @property
    def after(self) -> float:
        """The sum after."""
        return sum(line.after * line.price.dollars for line in self.lines)


def cost(changes: Sequence[Change]) -> Cost:
    """The cost of all resources of a plan, changed or not."""
    counts = {key: [0, 0] for key in PRICES}
    unpriced: set[str] = set()
    regions: set[str] = set()
    for change in changes:
        if change.deposed:
            continue  # left behind by an earlier replacement; its successor counts
        for position, state in enumerate(_states(change)):
            if state is None:
                continue
            unpriced |= {BY_USE[change.type]} if change.type in BY_USE else set()
            regions |= set(_region(state))
            for key in _priced(change, state, unpriced):
                counts[key][position] += 1
    if regions - {REGION}:
        unpriced.add(f"price differences in {', '.join(sorted(regions - {REGION}))}: the prices are those of {REGION}")
    return Cost(
        lines=tuple(
            Line(price=PRICES[key], before=before, after=after)
            for key, (before, after) in counts.items()
            if before or after
        ),
        unpriced=tuple(sorted(unpriced)),
    )


def _states(change: Change) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """The resource before and after; one that Terraform forgets stays and costs."""
    return change.before, change.before if change.action == "forget" else change.after


def _priced(change: Change, state: Mapping[str, Any], unpriced: set[str]) -> Iterator[str]:
    if change.type in BY_TYPE:
        yield BY_TYPE[change.type]
    elif change.type == "aws_cloudwatch_metric_alarm":
        if state.get("threshold_metric_id"):
            unpriced.add("anomaly detection alarms")
        for period in _periods(state):
            yield "alarm" if period >= HIGH_RESOLUTION_SECONDS else "fast-alarm"
    elif change.type == "aws_cloudformation_stack":
        flow = template.flow_of(state.get("template_body"))
        if flow is None:
            unpriced.add(f"the CloudFormation stack {state.get('name', change.address)}")
        elif flow.get("FlowSize", "MEDIUM") == "MEDIUM":
            yield "flow"
        else:
            unpriced.add(f"flow {flow.get('Name')} of size {flow['FlowSize']}: no list price is known")


def _periods(alarm: Mapping[str, Any]) -> list[float]:
    """The period of each metric of an alarm: CloudWatch bills metric math for each metric that it reads."""
    queries = _blocks(alarm, "metric_query")
    read = [metric for query in queries for metric in _blocks(query, "metric")] or [alarm]
    return [metric.get("period") or HIGH_RESOLUTION_SECONDS for metric in read]


def _blocks(of: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [block for block in of.get(name) or () if isinstance(block, Mapping)]


def _region(state: Mapping[str, Any]) -> Iterator[str]:
    parts = str(state.get("arn", "")).split(":")
    if len(parts) > LOCAL_ADDRESS and parts[LOCAL_ADDRESS]:
        yield parts[LOCAL_ADDRESS]
