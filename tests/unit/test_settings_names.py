"""Names are fixed by the settings, fit their services, and never meet."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.names import Names, shortened, state_bucket
from settings.protocols import ports

FLOW_NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


def test_deployed_names_are_as_documented() -> None:
    names = Names("prod")
    assert names.alarm("channel-one", "source-lost") == "media-workflow-prod-channel-one/source-lost"
    assert names.policy_parameter("channel-one") == "/media-workflow/prod/flows/channel-one"
    assert names.self_monitoring_alarm("dead-letters") == "media-workflow-prod-chain-dead-letters"
    assert state_bucket("123456789012", "us-east-1") == "media-workflow-state-123456789012-us-east-1"


@given(FLOW_NAMES, st.sampled_from(["a", "a1", "production123456"]))
def test_names_fit_the_limits_of_their_services(flow: str, environment: str) -> None:
    names = Names(environment)
    assert len(names.role(f"events-{flow}")) <= 64
    assert len(names.rule(f"events-{flow}")) <= 64
    assert len(names.schedule(flow)) <= 64
    assert len(names.code_bucket("123456789012", "ap-southeast-1")) <= 63
    assert re.fullmatch("[a-zA-Z][-a-zA-Z0-9]{0,127}", names.flow_stack(flow))


@given(FLOW_NAMES, FLOW_NAMES)
def test_names_of_different_flows_differ(one: str, other: str) -> None:
    names = Names("prod")
    for make in (names.flow_stack, names.schedule, lambda flow: names.rule(f"events-{flow}")):
        assert (make(one) == make(other)) is (one == other)


@given(st.text(min_size=1, max_size=100), st.text(min_size=1, max_size=100), st.integers(20, 60))
def test_shortened_names_stay_unique(one: str, other: str, limit: int) -> None:
    assert len(shortened(one, limit)) <= limit
    if one != other:
        assert shortened(one, limit) != shortened(other, limit)


@pytest.mark.parametrize(
    ("protocol", "taken"),
    [("rtp", {5000}), ("rtp-fec", {5000, 5002, 5004}), ("rist", {5000, 5001}), ("srt-listener", {5000})],
)
def test_protocol_takes_documented_ports(protocol: str, taken: set[int]) -> None:
    assert ports(protocol, 5000) == taken
