"""The live impact of a changed property of a flow, a source or an output: one row per property, in one table.

A property without a row of its own is reported as a possible interruption.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Network
from typing import Any, Final

from tools.plan_review.differences import Difference
from tools.plan_review.findings import Rank
from tools.plan_review.template import FLOW, OUTPUT, SOURCE


def _any(_before: Any, _after: Any) -> bool:
    return True


def _added(before: Any, _after: Any) -> bool:
    return before is None


def _removed(_before: Any, after: Any) -> bool:
    return after is None


def _is(*values: Any) -> Callable[[Any, Any], bool]:
    return lambda _before, after: after in values


def _rose(before: Any, after: Any) -> bool:
    return isinstance(before, int | float) and isinstance(after, int | float) and after > before


def _only_wider(before: Any, after: Any) -> bool:
    """Whether every address that was accepted still is."""
    try:
        old, new = (
            [IPv4Network(item) for item in (value if isinstance(value, list) else [value])] for value in (before, after)
        )
    except (ValueError, TypeError):
        return False
    return all(any(part.subnet_of(whole) for whole in new) for part in old)


@dataclass(frozen=True, slots=True)
class Row:
    """The impact of a changed property. The first row that fits counts."""

    type: str
    path: str  # of the property, `*` for any part
    fits: Callable[[Any, Any], bool]
    rank: Rank
    sentence: str  # with {what}, {path}, {before}, {after}


ROWS: Final = (
    Row(FLOW, "Source.Protocol", _any, Rank.OFF_AIR, "{what} expects {after} instead of {before}: no picture until the encoder sends {after}"),
    Row(FLOW, "Source.IngestPort", _any, Rank.OFF_AIR, "{what} listens on port {after} instead of {before}: no picture until the encoder sends there"),
    Row(FLOW, "Source.WhitelistCidr", _only_wider, Rank.ACCESS, "{what} accepts senders from {after} instead of only {before}"),
    Row(FLOW, "Source.WhitelistCidr", _any, Rank.OFF_AIR, "{what} accepts senders from {after} instead of {before}: an encoder outside that range is refused"),
    Row(FLOW, "Source.SourceListener*", _any, Rank.OFF_AIR, "{what} connects to {after} instead of {before}"),
    Row(FLOW, "Source.StreamId", _any, Rank.OFF_AIR, "{what} expects another stream ID: the encoder is refused until it sends that ID"),
    Row(FLOW, "Source.Decryption*", _removed, Rank.OFF_AIR, "{what} is no longer encrypted: the stream crosses the network unencrypted, and an encoder that encrypts is refused"),
    Row(FLOW, "Source.Decryption*", _added, Rank.OFF_AIR, "{what} is encrypted from now on: an encoder that does not encrypt is refused"),
    Row(FLOW, "Source.Decryption*", _any, Rank.OFF_AIR, "{what} is decrypted in another way or with another key: no picture until the encoder encrypts the same way"),
    Row(FLOW, "Source.VpcInterfaceName", _any, Rank.OFF_AIR, "{what} moves to another VPC interface: no picture until the encoder sends there"),
    Row(FLOW, "Source.EntitlementArn", _any, Rank.OFF_AIR, "{what} takes its stream from another entitlement"),
    Row(FLOW, "Source.GatewayBridgeSource*", _any, Rank.OFF_AIR, "{what} takes its stream from another gateway bridge"),
    Row(FLOW, "Source.MaxBitrate", _any, Rank.INTERRUPTED, "{what} accepts at most {after} bit/s instead of {before}"),
    Row(FLOW, "Source.M*Latency", _any, Rank.INTERRUPTED, "{what} buffers {after} ms instead of {before} ms: the picture may jump"),
    Row(FLOW, "Source.MaxSyncBuffer", _any, Rank.INTERRUPTED, "{what} buffers {after} ms instead of {before} ms: the picture may jump"),
    Row(FLOW, "Source.Description", _any, Rank.CHANGED, "the description of {what} changes"),
    Row(FLOW, "Source.Tags*", _any, Rank.CHANGED, "the tags of {what} change"),
    Row(FLOW, "SourceFailoverConfig*", _removed, Rank.AT_RISK, "failover of {what} is switched off: if its source fails, nothing takes over"),
    Row(FLOW, "SourceFailoverConfig.State", _is("DISABLED"), Rank.AT_RISK, "failover of {what} is switched off: if its source fails, nothing takes over"),
    Row(FLOW, "SourceFailoverConfig*", _added, Rank.INTERRUPTED, "failover of {what} is switched on, which may briefly interrupt a running flow"),
    Row(FLOW, "SourceFailoverConfig*", _any, Rank.INTERRUPTED, "failover of {what} changes ({after} instead of {before}), which may switch sources"),
    Row(FLOW, "SourceMonitoringConfig.ContentQualityAnalysisState", _is("DISABLED", None), Rank.UNWATCHED, "{what} is no longer checked for black frames, frozen frames and silent audio"),
    Row(FLOW, "SourceMonitoringConfig.*.ThresholdSeconds", _rose, Rank.UNWATCHED, "black, frozen or silent content of {what} is detected after {after} s instead of {before} s"),
    Row(FLOW, "SourceMonitoringConfig*", _any, Rank.CHANGED, "content monitoring of {what} is {after} instead of {before}"),
    Row(FLOW, "Maintenance*", _removed, Rank.AT_RISK, "{what} has no maintenance window: AWS chooses when it restarts the flow"),
    Row(FLOW, "Maintenance*", _any, Rank.CHANGED, "AWS may restart {what} at {after} instead of {before}"),
    Row(FLOW, "FlowSize", _any, Rank.INTERRUPTED, "{what} changes size from {before} to {after}: apply it while the flow is stopped"),
    Row(FLOW, "VpcInterfaces*", _any, Rank.INTERRUPTED, "{what} changes its VPC interfaces, which MediaConnect does only while the flow is stopped"),
    Row(FLOW, "Tags*", _any, Rank.CHANGED, "the tags of {what} change"),
    Row(SOURCE, "WhitelistCidr", _only_wider, Rank.ACCESS, "{what} accepts senders from {after} instead of only {before}"),
    Row(SOURCE, "Description", _any, Rank.CHANGED, "the description of {what} changes"),
    Row(SOURCE, "Tags*", _any, Rank.CHANGED, "the tags of {what} change"),
    Row(SOURCE, "Decryption*", _removed, Rank.AT_RISK, "{what} is no longer encrypted: its stream crosses the network unencrypted"),
    Row(SOURCE, "*", _any, Rank.AT_RISK, "{what} changes ({path}: {after} instead of {before}): it cannot take over until its encoder follows"),
    Row(OUTPUT, "OutputStatus", _is("DISABLED"), Rank.OFF_AIR, "{what} is disabled: its receiver gets nothing"),
    Row(OUTPUT, "OutputStatus", _any, Rank.CHANGED, "{what} is enabled"),
    Row(OUTPUT, "Destination", _any, Rank.OFF_AIR, "{what} sends to {after} instead of {before}: the receiver at {before} gets nothing any more"),
    Row(OUTPUT, "Port", _any, Rank.OFF_AIR, "{what} uses port {after} instead of {before}: a receiver on port {before} gets nothing any more"),
    Row(OUTPUT, "Protocol", _any, Rank.OFF_AIR, "{what} sends {after} instead of {before}: its receiver gets no picture until it expects {after}"),
    Row(OUTPUT, "CidrAllowList*", _only_wider, Rank.ACCESS, "{what} accepts receivers from {after} instead of only {before}"),
    Row(OUTPUT, "CidrAllowList*", _any, Rank.OFF_AIR, "{what} accepts receivers from {after} instead of {before}: a receiver outside that range is refused"),
    Row(OUTPUT, "Encryption*", _removed, Rank.OFF_AIR, "{what} is no longer encrypted: the stream crosses the network unencrypted, and its receiver gets no picture until it expects that"),
    Row(OUTPUT, "Encryption*", _added, Rank.OFF_AIR, "{what} is encrypted from now on: its receiver gets no picture until it decrypts"),
    Row(OUTPUT, "Encryption*", _any, Rank.OFF_AIR, "{what} is encrypted in another way or with another key: its receiver gets no picture until it decrypts the same way"),
    Row(OUTPUT, "StreamId", _any, Rank.OFF_AIR, "{what} has another stream ID: its receiver gets nothing until it uses that ID"),
    Row(OUTPUT, "RemoteId", _any, Rank.OFF_AIR, "{what} has another remote ID: its receiver gets nothing until it uses that ID"),
    Row(OUTPUT, "VpcInterfaceAttachment*", _any, Rank.OFF_AIR, "{what} leaves through another VPC interface: its receiver gets nothing unless it can be reached from there"),
    Row(OUTPUT, "*Latency", _any, Rank.INTERRUPTED, "{what} buffers {after} ms instead of {before} ms: the picture may jump"),
    Row(OUTPUT, "Description", _any, Rank.CHANGED, "the description of {what} changes"),
    Row(OUTPUT, "Tags*", _any, Rank.CHANGED, "the tags of {what} change"),
    Row("*", "*", _any, Rank.INTERRUPTED, "{what} changes ({path}: {after} instead of {before}); the live impact is not known"),
)  # fmt: skip


def row_of(kind: str, difference: Difference) -> Row:
    """The row of a changed property; the last row fits every one."""
    return next(
        row
        for row in ROWS
        if fnmatchcase(kind, row.type)
        and fnmatchcase(difference.path, row.path)
        and row.fits(difference.before, difference.after)
    )
