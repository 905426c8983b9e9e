"""Which metrics MediaConnect emits for a flow, by its protocols and settings. Pure.

Names and conditions as in the AWS Elemental MediaConnect User Guide, "Monitoring with CloudWatch".
"""

import difflib
from collections.abc import Callable, Mapping
from typing import Final

from settings import Flow
from settings.protocols import PROTOCOLS


def protocols(flow: Flow) -> set[str]:
    """The protocols of the flow's sources."""
    return {flow.source.protocol} | ({flow.backup_source.protocol} if flow.backup_source else set())


def _always(_: Flow) -> bool:
    return True


def _of_sources(metric: str) -> Callable[[Flow], bool]:
    return lambda flow: any(metric in PROTOCOLS[protocol].source_metrics for protocol in protocols(flow))


def _of_outputs(metric: str) -> Callable[[Flow], bool]:
    return lambda flow: any(
        output.enabled and metric in PROTOCOLS[output.protocol].output_metrics for output in flow.outputs.values()
    )


def _failing_over(flow: Flow) -> bool:
    return flow.backup_source is not None and flow.backup_source.failover_mode == "FAILOVER"


def _merging(flow: Flow) -> bool:
    return flow.backup_source is not None and flow.backup_source.failover_mode == "MERGE"


def _content(flow: Flow) -> bool:
    return flow.content_monitoring


EMITTED: Final[Mapping[str, Callable[[Flow], bool]]] = {
    **dict.fromkeys(
        (
            "SourceBitRate",
            "SourceContinuityCounter",
            "SourceDroppedPackets",
            "SourceJitter",
            "SourceLatency",
            "SourceOverflowPackets",
            "SourcePacketLossPercent",
            "SourceTotalPackets",
        ),
        _always,
    ),
    **{metric: _of_sources(metric) for row in PROTOCOLS.values() for metric in sorted(row.source_metrics)},
    **dict.fromkeys(("FailoverSwitches", "SourceSelected"), _failing_over),
    **dict.fromkeys(("MergeActive", "SourceMergeActive", "SourceMergeLatency"), _merging),
    **{metric: _of_outputs(metric) for row in PROTOCOLS.values() for metric in sorted(row.output_metrics)},
    **dict.fromkeys(
        (
            "AudioStreamMissing",
            "BlackFramesBreaching",
            "FrozenFramesBreaching",
            "SilentAudioBreaching",
            "VideoStreamMissing",
        ),
        _content,
    ),
}
"""Whether a flow emits a metric."""


def emits(flow: Flow, metric: str) -> bool:
    """Whether a flow has a metric."""
    return EMITTED[metric](flow)


def known(metric: str) -> str:
    """The metric, if MediaConnect has it.

    Raises:
        ValueError: no such metric; the text suggests the nearest and lists all.
    """
    if metric in EMITTED:
        return metric
    by_letters = {name.lower(): name for name in EMITTED}
    near = difflib.get_close_matches(metric.lower(), by_letters, n=1)
    hint = f" Did you mean {by_letters[near[0]]}?" if near else ""
    raise ValueError(f"not a metric of MediaConnect.{hint} Metrics: {', '.join(sorted(EMITTED))}")
