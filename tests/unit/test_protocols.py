"""No alarm is made that can never have data, and the question that matters is always asked, for every protocol.

The table says for each metric which sources and outputs have it, as the MediaConnect User Guide and its metric tables
do; it is written from those and not from the rules that it judges.
"""

from dataclasses import asdict
from itertools import product
from typing import Any, Final, get_args

import hcl2
import pytest
from pydantic import BaseModel

from components.health_rules import HealthRule, health_rules
from components.paths import FLOW_MODULE
from settings import BackupSource, Flow, Output, Source, Thresholds
from settings.protocols import OUTPUT_PROTOCOLS, PROTOCOLS, SOURCE_PROTOCOLS
from tests.unit import environments

ANY: Final = frozenset(SOURCE_PROTOCOLS)
ARQ: Final = frozenset({"rist", "srt-listener", "srt-caller", "zixi-push"})
FEC: Final = frozenset({"rtp-fec", "zixi-push"})
RTP: Final = frozenset({"rtp", "rtp-fec"})

OF_SOURCES: Final = {
    "SourceBitRate": ANY,
    "SourceConnected": ARQ,
    "SourceContinuityCounter": ANY,
    "SourceDroppedPackets": ANY,
    "SourceJitter": ANY,
    "SourceNotRecoveredPackets": ARQ | FEC,
    # The guide lists it for RIST, dashboards chart it for SRT, and its table names no protocol.
    "SourcePacketLossPercent": ANY,
    "SourceRoundTripTime": ARQ,
}
OF_TWO_SOURCES: Final = {"FailoverSwitches": {"FAILOVER"}, "MergeActive": {"FAILOVER", "MERGE"}}
OF_OUTPUTS: Final = {"OutputConnected": {"srt-listener", "srt-caller", "zixi-push", "zixi-pull"}}
OF_CONTENT: Final = {
    "AudioStreamMissing",
    "BlackFramesBreaching",
    "FrozenFramesBreaching",
    "SilentAudioBreaching",
    "VideoStreamMissing",
}

FLOWS: Final = [
    (source, backup, mode, output, content)
    for source, backup, output, content in product(
        sorted(ANY), [None, *sorted(ANY)], [None, *sorted(OUTPUT_PROTOCOLS)], (False, True)
    )
    if backup in {None, source} or {source, backup} <= RTP
    for mode in ([None] if backup is None else ["FAILOVER", "MERGE"] if backup in RTP else ["FAILOVER"])
]


def rules(
    source: str, backup: str | None, mode: str | None, output: str | None, content: Any, **thresholds: Any
) -> list[HealthRule]:
    flow = {
        "name": "flow",
        "source": environments.source(source),
        "backup_source": environments.backup(backup, mode) if backup and mode else None,
        "outputs": {"receiver": environments.output(output)} if output else {},
        "content_monitoring": content,
    }
    return list(health_rules(Flow.model_validate(flow), Thresholds(**thresholds)))


def can_have_data(
    metric: str, source: str, backup: str | None, mode: str | None, output: str | None, content: Any
) -> bool:
    return bool(
        {source, backup} & OF_SOURCES.get(metric, frozenset())
        or mode in OF_TWO_SOURCES.get(metric, ())
        or output in OF_OUTPUTS.get(metric, ())
        or (content and metric in OF_CONTENT)
    )


def test_every_alarm_has_a_metric_that_exists() -> None:
    never = {(rule.key, *flow) for flow in FLOWS for rule in rules(*flow) if not can_have_data(rule.metric, *flow)}
    assert never == set()
    assert len(FLOWS) > 200


@pytest.mark.parametrize("source", sorted(ANY))
def test_presence_uses_best_metric_of_the_protocol(source: str) -> None:
    (presence,) = [rule for rule in rules(source, None, None, None, False) if rule.watches_presence]
    assert presence.metric == ("SourceConnected" if source in ARQ else "SourceBitRate")
    assert (presence.severity, presence.missing) == ("CRITICAL", "missing")


@pytest.mark.parametrize("source", sorted(ANY))
def test_damage_uses_a_metric_of_the_protocol(source: str) -> None:
    metrics = {rule.metric for rule in rules(source, None, None, None, False)}
    assert ("SourceDroppedPackets" if source == "rtp" else "SourceNotRecoveredPackets") in metrics


@pytest.mark.parametrize(("source", "backup", "mode"), sorted({flow[:3] for flow in FLOWS if flow[1]}))
def test_loss_of_one_of_two_sources_is_high(source: str, backup: str, mode: str) -> None:
    about = {rule.key: rule for rule in rules(source, backup, mode, None, False) if rule.about == "source"}
    assert about["source-lost"].severity == "CRITICAL"
    assert about["one-source-lost"].severity == "HIGH"
    assert ("failover" if mode == "FAILOVER" else "merge-broken") in about


@pytest.mark.parametrize(("seconds", "periods"), [(10, 18), (30, 6), (60, 1)])
def test_early_packet_loss_covers_late_metrics(seconds: int, periods: int) -> None:
    found = rules("rtp", None, None, None, False, early_packet_loss_seconds=seconds)
    (early,) = [rule for rule in found if rule.key == "packet-loss-early"]
    assert (early.period, early.datapoints_to_alarm, early.evaluation_periods) == (seconds, 1, periods)


@pytest.mark.parametrize("seconds", [10, 30])
def test_only_early_packet_loss_has_short_periods(
    seconds: int,
) -> None:
    for flow in FLOWS:
        found = rules(*flow, early_packet_loss_seconds=seconds)
        assert [rule.key for rule in found if rule.period < 60] == ["packet-loss-early"]
        assert all(
            rule.missing == "notBreaching" and rule.datapoints_to_alarm == 1 for rule in found if rule.period < 60
        )
        assert [rule for rule in found if rule.period == 60] == [
            rule for rule in rules(*flow) if rule.key != "packet-loss-early"
        ]


OF_THE_MODULE: Final = (
    "source",
    "output",
    "chooses_port",
    "extra_ports",
    "latency_property",
    "key_type",
    "limits_bitrate",
    "merges",
)


def test_module_has_the_same_protocols() -> None:
    """Its checks and its template read a table in HCL, as it can be used without this repository's Python."""
    text = (FLOW_MODULE / "protocols.tf").read_text(encoding="utf-8")
    (table,) = [block["protocols"] for block in hcl2.loads(text)["locals"]]
    in_hcl = {
        name: {key: value.strip('"') if isinstance(value, str) else value for key, value in row.items()}
        for name, row in table.items()
    }
    in_python = {
        name: {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(row).items()
            if key in OF_THE_MODULE
        }
        for name, row in PROTOCOLS.items()
    }
    assert in_hcl == in_python


def test_settings_of_each_protocol_match_the_table() -> None:
    sources = {name: model for model in models_of(Source) for name in protocols_of(model)}
    outputs = {name: model for model in models_of(Output) for name in protocols_of(model)}
    assert (tuple(sources), tuple(outputs)) == (SOURCE_PROTOCOLS, OUTPUT_PROTOCOLS)
    for model, name, role in [
        *((model, name, "source") for name, model in sources.items()),
        *((model, name, "output") for name, model in outputs.items()),
    ]:
        row, fields = PROTOCOLS[name], model.model_fields
        listens = (row.source if role == "source" else row.output) == "listens"
        assert ("latency_ms" in fields) is (row.latency_property is not None)
        assert ("encryption" in fields) is (row.key_type is not None)
        assert (("allowed_cidr" if role == "source" else "allowed_cidrs") in fields) is listens
        assert (("listener_address" if role == "source" else "destination") in fields) is not listens
        if role == "source":
            assert ("port" in fields) is (listens and not row.chooses_port)
            assert ("max_bitrate_bps" in fields) is row.limits_bitrate
        else:
            assert ("port" in fields) is not (listens and row.chooses_port)
    merging = [
        name
        for model in models_of(BackupSource)
        if "recovery_window_ms" in model.model_fields
        for name in protocols_of(model)
    ]
    assert merging == [name for name in SOURCE_PROTOCOLS if PROTOCOLS[name].merges]


def models_of(union: Any) -> tuple[type[BaseModel], ...]:
    return get_args(get_args(union)[0])


def protocols_of(model: type[BaseModel]) -> tuple[str, ...]:
    return get_args(model.model_fields["protocol"].annotation)
