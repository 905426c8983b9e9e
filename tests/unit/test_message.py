"""The message says what is wrong and what to do in its first two lines, and can always be sent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert_handler.message import ReportError, amount, compose
from tests.unit.stream import FLOW_ARN, report

ISSUE = report()["issues"][0]


def test_the_whole_message_of_one_issue() -> None:
    message = compose(report())
    assert message.subject == "[HIGH] live-stream (prod): Viewers see blocks."
    assert message.body == (
        "Viewers see blocks.\n"
        "Do first: Check the network.\n"
        "\n"
        "Flow: live-stream, ACTIVE\n"
        "Environment: prod\n"
        "Time: 2026-11-23 20:05:30 UTC\n"
        "Noticed by: alarm media-workflow-prod-live-stream/packet-loss (ALARM)\n"
        "\n"
        "HIGH: Viewers see blocks.\n"
        "  SourcePacketLossPercent is 2.4 %, limit 0.1 %\n"
        "  - Check the network.\n"
        "  - Call the sender.\n"
        "\n"
        "Dashboard: https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#dashboards/dashboard/media-workflow-prod\n"
        "Flow: https://us-east-1.console.aws.amazon.com/mediaconnect/home?region=us-east-1#/flows/arn:aws:mediaconnect:us-east-1:123456789012:flow:1-AbC:live-stream\n"
        "Execution: https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/arn:aws:states:us-east-1:123456789012:execution:media-workflow-prod-workflow:abc\n"
    )
    assert message.attributes == {"kind": "alert", "severity": "HIGH", "flow": "live-stream", "environment": "prod"}


def test_every_issue_is_told_with_its_own_actions() -> None:
    other: Any = {
        **ISSUE,
        "metric": "SourceJitter",
        "meaning": "It stutters.",
        "actions": ["Raise the buffers."],
        "severity": "MEDIUM",
    }
    body = compose(report(issues=[ISSUE, other])).body
    assert body.startswith("Viewers see blocks. (1 more below)\n")
    assert "MEDIUM: It stutters.\n" in body
    assert "  - Raise the buffers.\n" in body


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"value": None, "evidence": "no data", "metric": "SourceBitRate"}, "  SourceBitRate: no data arrives\n"),
        ({"evidence": "event", "metric": "SourceHealth"}, "  SourceHealth, reported by MediaConnect\n"),
        ({"evidence": "status", "metric": "FlowStatus"}, "  FlowStatus, read from MediaConnect\n"),
        ({"actions": []}, "Do first: look at the flow in the console.\n"),
    ],
)
def test_an_issue_without_a_number_says_how_it_is_known(changes: Any, words: str) -> None:
    assert words in compose(report(issues=[{**ISSUE, **changes}])).body


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.0, "Bits/Second", "0 bit/s"),
        (7_900_000, "Bits/Second", "7.9 Mbit/s"),
        (1_500, "Bits/Second", "1.5 kbit/s"),
        (2.4, "Percent", "2.4 %"),
        (18, "Milliseconds", "18 ms"),
        (120, "Packets/Minute", "120 packets a minute"),
        (0, "Connected", "0"),
        (3, "Parsecs", "3 Parsecs"),
    ],
)
def test_numbers_are_said_as_a_person_would(value: float, unit: str, words: str) -> None:
    assert amount(value, unit) == words


@pytest.mark.parametrize(
    ("arn", "console"),
    [
        (FLOW_ARN, "https://us-east-1.console.aws.amazon.com/"),
        (FLOW_ARN.replace("aws:", "aws-cn:", 1).replace("us-east-1", "cn-north-1"), "https://cn-north-1.console.amazonaws.cn/"),
        (FLOW_ARN.replace("aws:", "aws-us-gov:", 1).replace("us-east", "us-gov-west"), "https://us-gov-west-1.console.amazonaws-us-gov.com/"),
    ],
)  # fmt: skip
def test_links_lead_to_the_console_of_the_flows_own_region_and_partition(arn: str, console: str) -> None:
    assert f"Dashboard: {console}cloudwatch/" in compose(report(flow_arn=arn)).body


def test_an_express_execution_has_no_page_and_so_no_link() -> None:
    assert "Execution:" not in compose(report(execution="arn:aws:states:us-east-1:123456789012:express:m:a:b")).body


@pytest.mark.parametrize("key", ["healthy", "issues", "severity", "flow_arn"])
def test_a_report_that_lacks_something_is_an_error_and_never_health(key: str) -> None:
    broken: Any = {name: value for name, value in report().items() if name != key}
    with pytest.raises(ReportError, match=f"lacks {key}"):
        compose(broken)


@pytest.mark.parametrize("changes", [{"healthy": True}, {"issues": []}])
def test_a_report_with_nothing_to_tell_is_a_wiring_error(changes: Any) -> None:
    with pytest.raises(ReportError, match="has nothing to tell"):
        compose(report(**changes))


@given(st.text(max_size=300), st.text(max_size=300), st.floats(allow_nan=False, allow_infinity=False))
def test_sns_takes_every_message_whatever_names_and_numbers_it_holds(name: str, meaning: str, value: float) -> None:
    message = compose(report(flow_name=name, issues=[{**ISSUE, "meaning": meaning, "value": value}]))
    assert 0 < len(message.subject) < 100
    assert message.subject.isprintable()
    assert len(message.body.encode()) < 256 * 1024
