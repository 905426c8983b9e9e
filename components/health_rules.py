"""The health rules of a flow, derived from its protocols and settings.

One row is one alarm, one entry of the monitoring policy, one line in a dashboard graph and one paragraph of a message;
adding a metric is adding a row. Pure: no provider, no AWS call. `lambda_src` decides what happens on a breach,
`components.notifications` who receives it.
Touch with care: the key of a row is the name and the address of its alarm.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from settings import Flow, Severity, Thresholds
from settings.protocols import PROTOCOLS

Comparison = Literal[
    "GreaterThanThreshold",
    "GreaterThanOrEqualToThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "IncreasesByMoreThan",
]
"""CloudWatch's operators, and one that only the monitor has: the increase between two datapoints."""

SOURCE: Final = "source"
"""`about` of the rules and events on sources: an encoder that fails is one issue, however many signals it causes."""

WHOLE_MINUTE: Final = 60
"""Seconds. An alarm with a shorter period costs three times as much."""
LATENESS_SECONDS: Final = 240
"""How late a datapoint may be without effect. One to three minutes were observed; AWS publishes no bound.

An alarm sees a datapoint only within its evaluation range. How far CloudWatch reads beyond the range is not documented,
so nothing relies on it. The monitor's tolerance is `LATE` in `lambda_src/report.py`.
"""
EARLY_WINDOW_SECONDS: Final = 180
"""Seconds for which packet loss of less than a minute stays an issue."""
NAMES_LISTED: Final = 300
"""Characters of names that one sentence lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRule:
    """One condition that is worth a notification, complete on one row.

    Metrics are in the namespace `AWS/MediaConnect`, with the one dimension `FlowARN`. With two sources that combines
    both: Maximum asks whether any is there, Minimum whether all are.
    """

    key: str
    metric: str  # CloudWatch's spelling, capital letters included: SourceBitRate, but OutputBitrate
    statistic: Literal["Average", "Minimum", "Maximum", "Sum"]
    comparison: Comparison
    threshold: float
    unit: str  # for people; alarms leave it out, because a wrong unit never matches a datapoint
    datapoints_to_alarm: int
    evaluation_periods: int
    severity: Severity
    meaning: str
    actions: tuple[str, ...]
    about: str = ""  # rules about the same thing are one issue; empty: about their metric
    # Seconds. Metrics are minutes late, so that the newest short periods of a healthy stream are empty, too: below 60
    # only where one datapoint decides and missing data means nothing.
    period: int = WHOLE_MINUTE
    # A stopped flow emits nothing, so missing data of a counter is not a fault.
    missing: Literal["missing", "notBreaching"] = "notBreaching"

    # An alarm compares the flow's metric with a number. Where that is not enough, only the monitor evaluates the rule.
    has_alarm: bool = True

    @property
    def watches_presence(self) -> bool:
        """Whether missing data is an issue: then INSUFFICIENT_DATA starts the workflow as ALARM does."""
        return self.missing == "missing"

    @property
    def alarm_periods(self) -> int:
        """Periods that the alarm evaluates: those of the rule, and those whose datapoints may be late."""
        return self.evaluation_periods + -(-LATENESS_SECONDS // self.period)

    def as_json(self) -> dict[str, Any]:
        """The row as it is in the monitoring policy."""
        row = asdict(self) | {"about": self.about or self.metric, "alarm_periods": self.alarm_periods}
        del row["has_alarm"]
        return row


CHECK_SENDER: Final = "Call the sender: is the encoder running, and sending to the ingest address of this flow?"
CHECK_NETWORK: Final = "Check the network between encoder and AWS: another path, a lower bitrate, or more latency."
CHECK_ALLOWED: Final = "Check that the sender's public address is still inside the source's allowed CIDR."


def health_rules(flow: Flow, thresholds: Thresholds) -> tuple[HealthRule, ...]:
    """The rules of one flow, most important first.

    Args:
        flow: its sources and outputs.
        thresholds: those of the flow, as `Environment.thresholds_of` gives them.
    """
    protocols = {flow.source.protocol} | ({flow.backup_source.protocol} if flow.backup_source else set())
    return (
        _source_lost(flow),
        *_redundancy(flow),
        _bitrate_low(thresholds),
        *_packet_loss(thresholds),
        *([_not_recovered(thresholds)] if any(PROTOCOLS[name].recovery for name in protocols) else []),
        *([] if all(PROTOCOLS[name].recovery for name in protocols) else [_dropped(thresholds)]),
        _jitter(thresholds),
        *_outputs(flow),
        *_content(flow),
    )


def _source_lost(flow: Flow) -> HealthRule:
    connected = "SourceConnected" in PROTOCOLS[flow.source.protocol].source_metrics
    every = "Both sources are" if flow.backup_source else "The source is"
    return HealthRule(
        key="source-lost",
        about=SOURCE,
        metric="SourceConnected" if connected else "SourceBitRate",
        statistic="Maximum",
        comparison="LessThanThreshold" if connected else "LessThanOrEqualToThreshold",
        threshold=1 if connected else 0,
        unit="Connected" if connected else "Bits/Second",
        datapoints_to_alarm=1,
        evaluation_periods=1,
        # In metrics a stopped flow and a dead source look alike: the monitor asks the flow which it is.
        missing="missing",
        severity="CRITICAL",
        meaning=f"{every} gone: viewers see nothing.",
        actions=(_check_senders(flow), CHECK_ALLOWED, "Switch viewers to another feed until the source is back."),
    )


def _check_senders(flow: Flow) -> str:
    if flow.backup_source is None:
        return CHECK_SENDER
    names = f"{flow.source.name} and {flow.backup_source.name}"
    return f"Call {names}: are the encoders running, and sending to the ingest addresses of this flow?"


def _redundancy(flow: Flow) -> tuple[HealthRule, ...]:
    if flow.backup_source is None:
        return ()
    connected = "SourceConnected" in PROTOCOLS[flow.source.protocol].source_metrics
    rows = [
        HealthRule(
            key="one-source-lost",
            about=SOURCE,
            metric="SourceConnected" if connected else "SourceBitRate",
            statistic="Minimum",
            comparison="LessThanThreshold" if connected else "LessThanOrEqualToThreshold",
            threshold=1 if connected else 0,
            unit="Connected" if connected else "Bits/Second",
            datapoints_to_alarm=2,
            evaluation_periods=2,
            severity="HIGH",
            meaning="One of the two sources is gone: running on the other one, no redundancy.",
            actions=("Find which source is gone, and call its sender.", CHECK_NETWORK),
        )
    ]
    if flow.backup_source.failover_mode == "FAILOVER":
        rows.append(
            HealthRule(
                key="failover",
                about=SOURCE,
                metric="FailoverSwitches",
                # Whether it counts per period or since the start is not documented: either increases at a switch.
                statistic="Maximum",
                comparison="IncreasesByMoreThan",
                has_alarm=False,
                threshold=0,
                unit="Count",
                datapoints_to_alarm=1,
                evaluation_periods=5,  # the default check interval in minutes
                severity="HIGH",
                meaning="The flow switched between its sources: one of them was not good enough.",
                actions=(
                    "Check which source is in use, and call the sender of the other one.",
                    "Do not restart the source in use.",
                ),
            )
        )
    else:
        rows.append(
            HealthRule(
                key="merge-broken",
                about=SOURCE,
                metric="MergeActive",
                statistic="Minimum",
                comparison="LessThanThreshold",
                threshold=1,
                unit="Active",
                datapoints_to_alarm=2,
                evaluation_periods=2,
                severity="HIGH",
                meaning="At least one source is out of the merge: the picture holds, but there is no redundancy.",
                actions=(
                    "Compare both sources: they must be bit-identical and inside the recovery window.",
                    CHECK_SENDER,
                ),
            )
        )
    return tuple(rows)


def _bitrate_low(thresholds: Thresholds) -> HealthRule:
    return HealthRule(
        key="bitrate-low",
        about=SOURCE,
        metric="SourceBitRate",
        statistic="Average",
        comparison="LessThanThreshold",
        threshold=thresholds.minimum_bitrate_bps,
        unit="Bits/Second",
        datapoints_to_alarm=3,
        evaluation_periods=3,
        severity="HIGH",
        meaning="The source sends less than a watchable picture needs.",
        actions=("Check the encoder's bitrate setting and its input.", CHECK_NETWORK),
    )


def _packet_loss(thresholds: Thresholds) -> tuple[HealthRule, HealthRule]:
    seconds = thresholds.early_packet_loss_seconds
    early = HealthRule(
        key="packet-loss-early",
        metric="SourcePacketLossPercent",
        statistic="Average",
        comparison="GreaterThanThreshold",
        threshold=thresholds.packet_loss_percent / 2,
        unit="Percent",
        datapoints_to_alarm=1,
        evaluation_periods=1 if seconds == WHOLE_MINUTE else EARLY_WINDOW_SECONDS // seconds,
        period=seconds,
        severity="MEDIUM",
        meaning="The network is losing packets.",
        actions=("Watch the packet-loss graph for the next minutes.", CHECK_NETWORK),
    )
    lasting = HealthRule(
        key="packet-loss",
        metric="SourcePacketLossPercent",
        statistic="Average",
        comparison="GreaterThanThreshold",
        threshold=thresholds.packet_loss_percent,
        unit="Percent",
        datapoints_to_alarm=3,
        evaluation_periods=5,
        severity="HIGH",
        meaning="Packets have been lost for minutes: viewers see blocks.",
        actions=(CHECK_NETWORK, "Ask the sender to look for a saturated uplink."),
    )
    return early, lasting


def _lost_for_good(thresholds: Thresholds, key: str, metric: str, meaning: str, advice: str) -> HealthRule:
    """Packets that were not recovered: viewers see each."""
    return HealthRule(
        key=key,
        metric=metric,
        statistic="Sum",
        comparison="GreaterThanThreshold",
        threshold=thresholds.not_recovered_packets_per_minute,
        unit="Packets/Minute",
        datapoints_to_alarm=2,
        evaluation_periods=2,
        severity="HIGH",
        meaning=meaning,
        actions=(advice, CHECK_NETWORK),
    )


def _not_recovered(thresholds: Thresholds) -> HealthRule:
    return _lost_for_good(
        thresholds,
        "packets-not-recovered",
        "SourceNotRecoveredPackets",
        "Error correction cannot keep up: viewers see damage.",
        "Raise the source's latency, so that retransmissions arrive in time.",
    )


def _dropped(thresholds: Thresholds) -> HealthRule:
    return _lost_for_good(
        thresholds,
        "packets-dropped",
        "SourceDroppedPackets",
        "Packets are lost on the way, and plain RTP recovers none: viewers see damage.",
        "Ask the sender for a protocol that recovers packets: SRT, RIST or RTP-FEC.",
    )


def _jitter(thresholds: Thresholds) -> HealthRule:
    return HealthRule(
        key="jitter",
        metric="SourceJitter",
        statistic="Average",
        comparison="GreaterThanThreshold",
        threshold=thresholds.jitter_ms,
        unit="Milliseconds",
        datapoints_to_alarm=2,
        evaluation_periods=2,
        severity="MEDIUM",
        meaning="Packets arrive unevenly: receivers with small buffers will stutter.",
        actions=("Check for congestion on the path from the encoder.", "Raise the receivers' buffers."),
    )


def _outputs(flow: Flow) -> tuple[HealthRule, ...]:
    connected = {
        name: output
        for name, output in flow.outputs.items()
        if "OutputConnected" in PROTOCOLS[output.protocol].output_metrics
    }
    enabled = sorted(name for name, output in connected.items() if output.enabled)
    if not enabled:
        return ()
    return (
        HealthRule(
            key="output-disconnected",
            metric="OutputConnected",
            # A disabled output may report 0. Then the flow's minimum is useless, and the monitor reads each output's
            # metric.
            has_alarm=len(enabled) == len(connected),
            statistic="Minimum",
            comparison="LessThanThreshold",
            threshold=1,
            unit="Connected",
            datapoints_to_alarm=2,
            evaluation_periods=2,
            severity="HIGH",
            meaning="A receiver is not connected to its output: whoever it serves sees nothing.",
            actions=(
                f"In the console, find which is disconnected: {listed(enabled)}.",
                "Call the receiver's side; check address, port and password.",
            ),
        ),
    )


def listed(names: Sequence[str]) -> str:
    """The first names, up to `NAMES_LISTED` characters, and how many more there are.

    Fifty names of 128 characters would exceed the size of a policy, an alarm's description and a message.
    """
    shown = [*names[:1]]
    for name in names[1:]:
        if len(", ".join([*shown, name])) > NAMES_LISTED:
            break
        shown.append(name)
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _content(flow: Flow) -> tuple[HealthRule, ...]:
    if not flow.content_monitoring:
        return ()
    look = "Check the flow's thumbnail in the console, then the encoder's input."
    rows: tuple[tuple[str, str, Severity, str], ...] = (
        ("video-missing", "VideoStreamMissing", "CRITICAL", "There is no video in the stream."),
        ("audio-missing", "AudioStreamMissing", "HIGH", "There is no audio in the stream."),
        ("black-frames", "BlackFramesBreaching", "HIGH", "The picture is black."),
        ("frozen-frames", "FrozenFramesBreaching", "HIGH", "The picture is frozen."),
        ("silent-audio", "SilentAudioBreaching", "HIGH", "There is no sound."),
    )
    return tuple(
        HealthRule(
            key=key,
            metric=metric,
            statistic="Maximum",
            comparison="GreaterThanOrEqualToThreshold",
            threshold=1,
            unit="Flag",
            datapoints_to_alarm=1,
            evaluation_periods=1,
            severity=severity,
            meaning=meaning,
            actions=(look, "Ask the sender whether this is intended: a test card, a break, a silent scene."),
        )
        for key, metric, severity, meaning in rows
    )
