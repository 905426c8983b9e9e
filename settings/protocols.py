"""The transport protocols of MediaConnect, one row each: the only place that knows what a protocol can do.

Imports nothing of ours. From the MediaConnect User Guide (protocols, source ports, monitoring with CloudWatch) and
CloudFormation's `AWS::MediaConnect::Flow`, `FlowSource` and `FlowOutput`. `modules/mediaconnect_flow/protocols.tf` has
the same rows for Terraform, and `settings/model.py` the settings of each protocol; a test compares all three.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

KeyType = Literal["srt-password", "static-key"]
Direction = Literal["listens", "calls"]
"""Whether the flow waits for the other side to connect or to send, or connects or sends by itself."""

CONNECTION: Final = frozenset({"SourceConnected", "SourceDisconnections", "SourceRoundTripTime"})
RECOVERY: Final = frozenset({"SourceNotRecoveredPackets", "SourceRecoveredPackets"})
RECEIVER: Final = frozenset({"ConnectedOutputs", "OutputConnected", "OutputDisconnections"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """One protocol.

    Attributes:
        source: what the flow does where a source has the protocol; None: no source can have it.
        output: the same of an output.
        chooses_port: MediaConnect chooses the port on which the flow listens.
        extra_ports: ports taken beside its own, as distances: RTP-FEC sends its correction there, RIST its control.
        latency_property: CloudFormation's property for the latency; None: it has none.
        key_type: how it is encrypted; None: it cannot be.
        recovery: how lost packets are recovered: retransmission (ARQ), forward error correction (FEC).
        limits_bitrate: a source can have a highest bitrate.
        merges: two sources can be merged by their RTP sequence numbers; these protocols may also mix.
        source_metrics: metrics in `AWS/MediaConnect` that not every protocol's sources have.
        output_metrics: the same of outputs. Without any, nothing says whether a receiver gets the stream.
    """

    source: Direction | None
    output: Direction | None
    chooses_port: bool = False
    extra_ports: tuple[int, ...] = ()
    latency_property: Literal["MaxLatency", "MinLatency"] | None = None
    key_type: KeyType | None = None
    recovery: tuple[Literal["ARQ", "FEC"], ...] = ()
    limits_bitrate: bool = False
    merges: bool = False
    source_metrics: frozenset[str] = frozenset()
    output_metrics: frozenset[str] = frozenset()


PROTOCOLS: Final[Mapping[str, Protocol]] = {
    "rtp": Protocol(source="listens", output="calls", limits_bitrate=True, merges=True),
    "rtp-fec": Protocol(
        source="listens",
        output="calls",
        extra_ports=(2, 4),
        recovery=("FEC",),
        limits_bitrate=True,
        merges=True,
        source_metrics=RECOVERY,
    ),
    "rist": Protocol(
        source="listens",
        output="calls",
        extra_ports=(1,),
        latency_property="MaxLatency",
        recovery=("ARQ",),
        limits_bitrate=True,
        source_metrics=CONNECTION | RECOVERY,
    ),
    "srt-listener": Protocol(
        source="listens",
        output="listens",
        latency_property="MinLatency",
        key_type="srt-password",
        recovery=("ARQ",),
        source_metrics=CONNECTION | RECOVERY,
        output_metrics=RECEIVER,
    ),
    "srt-caller": Protocol(
        source="calls",
        output="calls",
        latency_property="MinLatency",
        key_type="srt-password",
        recovery=("ARQ",),
        source_metrics=CONNECTION | RECOVERY,
        output_metrics=RECEIVER,
    ),
    "zixi-push": Protocol(
        source="listens",
        output="calls",
        chooses_port=True,
        latency_property="MaxLatency",
        key_type="static-key",
        recovery=("ARQ", "FEC"),
        source_metrics=CONNECTION | RECOVERY,
        output_metrics=RECEIVER,
    ),
    "zixi-pull": Protocol(
        source=None,
        output="listens",
        chooses_port=True,
        latency_property="MaxLatency",
        key_type="static-key",
        output_metrics=RECEIVER,
    ),
}
SOURCE_PROTOCOLS: Final = tuple(name for name, protocol in PROTOCOLS.items() if protocol.source)
OUTPUT_PROTOCOLS: Final = tuple(name for name, protocol in PROTOCOLS.items() if protocol.output)


def ports(protocol: str, port: int) -> set[int]:
    """The ports that a source or output takes."""
    return {port, *(port + distance for distance in PROTOCOLS[protocol].extra_ports)}
