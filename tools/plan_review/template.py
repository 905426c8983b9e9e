"""What a change of a flow's CloudFormation template means on air, property by property.

Terraform shows such a change as two long texts. Which properties CloudFormation replaces a resource for is in the
resource types' schemas, and stands here once. A property that no row names is still reported, as a possible interruption.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Network
from typing import Any, Final

from tools.plan_review.findings import Rank
from tools.plan_review.plan import Change, Leaf, parsed, shown

FLOW: Final = "AWS::MediaConnect::Flow"
SOURCE: Final = "AWS::MediaConnect::FlowSource"
OUTPUT: Final = "AWS::MediaConnect::FlowOutput"
CREATE_ONLY: Final[Mapping[str, tuple[str, ...]]] = {
    FLOW: ("Name", "AvailabilityZone", "Source.Name"),
    SOURCE: ("FlowArn", "Name", "Protocol"),
    OUTPUT: ("FlowArn", "Name"),
    "AWS::MediaConnect::FlowEntitlement": ("FlowArn", "Name", "DataTransferSubscriberFeePercent"),
    "AWS::MediaConnect::FlowVpcInterface": ("FlowArn", "Name"),
}
Meaning = tuple[Rank, str]
Resource = Mapping[str, Any]


def _same(_before: Any, _after: Any) -> bool:
    return True


def _came(before: Any, _after: Any) -> bool:
    return before is None


def _went(_before: Any, after: Any) -> bool:
    return after is None


def _became(*values: Any) -> Callable[[Any, Any], bool]:
    return lambda _before, after: after in values


def _rose(before: Any, after: Any) -> bool:
    return isinstance(before, int | float) and isinstance(after, int | float) and after > before


def _only_wider(before: Any, after: Any) -> bool:
    """Whether every address that was let in still is."""
    try:
        ranges = [
            [IPv4Network(item) for item in (value if isinstance(value, list) else [value])] for value in (before, after)
        ]
    except (ValueError, TypeError):
        return False
    return all(any(old.subnet_of(new) for new in ranges[1]) for old in ranges[0])


@dataclass(frozen=True, slots=True)
class Row:
    """What a change of a property means. The first row that fits speaks."""

    type: str
    path: str  # of the property, `*` for any part
    fits: Callable[[Any, Any], bool]
    rank: Rank
    words: str  # of {what}, {before}, {after}


ROWS: Final = (
    Row(FLOW, "Source.Protocol", _same, Rank.OFF_AIR, "{what} expects {after} instead of {before}: no picture until the encoder sends {after}"),
    Row(FLOW, "Source.IngestPort", _same, Rank.OFF_AIR, "{what} listens on port {after} instead of {before}: no picture until the encoder sends there"),
    Row(FLOW, "Source.WhitelistCidr", _only_wider, Rank.ACCESS, "{what} accepts senders from {after} instead of only {before}"),
    Row(FLOW, "Source.WhitelistCidr", _same, Rank.OFF_AIR, "{what} accepts senders from {after} instead of {before}: an encoder outside that range is refused"),
    Row(FLOW, "Source.SourceListener*", _same, Rank.OFF_AIR, "{what} connects to {after} instead of {before}"),
    Row(FLOW, "Source.StreamId", _same, Rank.OFF_AIR, "{what} expects another stream ID: the encoder is refused until it sends that ID"),
    Row(FLOW, "Source.Decryption*", _went, Rank.OFF_AIR, "{what} is no longer encrypted: the stream crosses the network unencrypted, and an encoder that encrypts is refused"),
    Row(FLOW, "Source.Decryption*", _came, Rank.OFF_AIR, "{what} is encrypted from now on: an encoder that does not encrypt is refused"),
    Row(FLOW, "Source.Decryption*", _same, Rank.OFF_AIR, "{what} is decrypted in another way or with another key: no picture until the encoder encrypts the same way"),
    Row(FLOW, "Source.VpcInterfaceName", _same, Rank.OFF_AIR, "{what} moves to another VPC interface: no picture until the encoder sends there"),
    Row(FLOW, "Source.EntitlementArn", _same, Rank.OFF_AIR, "{what} takes its stream from another entitlement"),
    Row(FLOW, "Source.GatewayBridgeSource*", _same, Rank.OFF_AIR, "{what} takes its stream from another gateway bridge"),
    Row(FLOW, "Source.MaxBitrate", _same, Rank.INTERRUPTED, "{what} accepts at most {after} bit/s instead of {before}"),
    Row(FLOW, "Source.M*Latency", _same, Rank.INTERRUPTED, "{what} buffers {after} ms instead of {before} ms: the picture may jump"),
    Row(FLOW, "Source.MaxSyncBuffer", _same, Rank.INTERRUPTED, "{what} buffers {after} ms instead of {before} ms: the picture may jump"),
    Row(FLOW, "Source.Description", _same, Rank.CHANGED, "the description of {what} changes"),
    Row(FLOW, "Source.Tags*", _same, Rank.CHANGED, "the tags of {what} change"),
    Row(FLOW, "SourceFailoverConfig*", _went, Rank.AT_RISK, "failover of {what} is switched off: if its source fails, nothing takes over"),
    Row(FLOW, "SourceFailoverConfig.State", _became("DISABLED"), Rank.AT_RISK, "failover of {what} is switched off: if its source fails, nothing takes over"),
    Row(FLOW, "SourceFailoverConfig*", _came, Rank.INTERRUPTED, "failover of {what} is switched on, which may briefly interrupt a running flow"),
    Row(FLOW, "SourceFailoverConfig*", _same, Rank.INTERRUPTED, "failover of {what} changes ({after} instead of {before}), which may switch sources"),
    Row(FLOW, "SourceMonitoringConfig.ContentQualityAnalysisState", _became("DISABLED", None), Rank.UNWATCHED, "{what} is no longer checked for black frames, frozen frames and silent audio"),
    Row(FLOW, "SourceMonitoringConfig.*.ThresholdSeconds", _rose, Rank.UNWATCHED, "black, frozen or silent content of {what} is detected after {after} s instead of {before} s"),
    Row(FLOW, "SourceMonitoringConfig*", _same, Rank.CHANGED, "content monitoring of {what} is {after} instead of {before}"),
    Row(FLOW, "Maintenance*", _went, Rank.AT_RISK, "{what} has no maintenance window: AWS chooses when it restarts the flow"),
    Row(FLOW, "Maintenance*", _same, Rank.CHANGED, "AWS may restart {what} at {after} instead of {before}"),
    Row(FLOW, "FlowSize", _same, Rank.INTERRUPTED, "{what} changes size from {before} to {after}: apply it while the flow is stopped"),
    Row(FLOW, "VpcInterfaces*", _same, Rank.INTERRUPTED, "{what} changes its VPC interfaces, which MediaConnect does only while the flow is stopped"),
    Row(FLOW, "Tags*", _same, Rank.CHANGED, "the tags of {what} change"),
    Row(SOURCE, "WhitelistCidr", _only_wider, Rank.ACCESS, "{what} accepts senders from {after} instead of only {before}"),
    Row(SOURCE, "Description", _same, Rank.CHANGED, "the description of {what} changes"),
    Row(SOURCE, "Tags*", _same, Rank.CHANGED, "the tags of {what} change"),
    Row(SOURCE, "Decryption*", _went, Rank.AT_RISK, "{what} is no longer encrypted: its stream crosses the network unencrypted"),
    Row(SOURCE, "*", _same, Rank.AT_RISK, "{what} changes ({path}: {after} instead of {before}): it cannot take over until its encoder follows"),
    Row(OUTPUT, "OutputStatus", _became("DISABLED"), Rank.OFF_AIR, "{what} is disabled: its receiver gets nothing"),
    Row(OUTPUT, "OutputStatus", _same, Rank.CHANGED, "{what} is enabled"),
    Row(OUTPUT, "Destination", _same, Rank.OFF_AIR, "{what} sends to {after} instead of {before}: the receiver at {before} gets nothing any more"),
    Row(OUTPUT, "Port", _same, Rank.OFF_AIR, "{what} uses port {after} instead of {before}: a receiver on port {before} gets nothing any more"),
    Row(OUTPUT, "Protocol", _same, Rank.OFF_AIR, "{what} sends {after} instead of {before}: its receiver gets no picture until it expects {after}"),
    Row(OUTPUT, "CidrAllowList*", _only_wider, Rank.ACCESS, "{what} accepts receivers from {after} instead of only {before}"),
    Row(OUTPUT, "CidrAllowList*", _same, Rank.OFF_AIR, "{what} accepts receivers from {after} instead of {before}: a receiver outside that range is refused"),
    Row(OUTPUT, "Encryption*", _went, Rank.OFF_AIR, "{what} is no longer encrypted: the stream crosses the network unencrypted, and its receiver gets no picture until it expects that"),
    Row(OUTPUT, "Encryption*", _came, Rank.OFF_AIR, "{what} is encrypted from now on: its receiver gets no picture until it decrypts"),
    Row(OUTPUT, "Encryption*", _same, Rank.OFF_AIR, "{what} is encrypted in another way or with another key: its receiver gets no picture until it decrypts the same way"),
    Row(OUTPUT, "StreamId", _same, Rank.OFF_AIR, "{what} has another stream ID: its receiver gets nothing until it uses that ID"),
    Row(OUTPUT, "RemoteId", _same, Rank.OFF_AIR, "{what} has another remote ID: its receiver gets nothing until it uses that ID"),
    Row(OUTPUT, "VpcInterfaceAttachment*", _same, Rank.OFF_AIR, "{what} leaves through another VPC interface: its receiver gets nothing unless it can be reached from there"),
    Row(OUTPUT, "*Latency", _same, Rank.INTERRUPTED, "{what} buffers {after} ms instead of {before} ms: the picture may jump"),
    Row(OUTPUT, "Description", _same, Rank.CHANGED, "the description of {what} changes"),
    Row(OUTPUT, "Tags*", _same, Rank.CHANGED, "the tags of {what} change"),
    Row("*", "*", _same, Rank.INTERRUPTED, "{what} changes ({path}: {after} instead of {before}); the live impact is not known"),
)  # fmt: skip
WHOLE: Final = frozenset({"Decryption", "Encryption", "CidrAllowList", "Maintenance", "SourceFailoverConfig", "Tags"})
"""Properties that are compared as one, because a part of them says nothing by itself."""


def resources(template: Any) -> dict[str, Resource] | None:
    """Resources of a template by logical id; empty for no template, None if it cannot be read."""
    content = parsed(template)
    if content in (None, ""):
        return {}
    if not isinstance(content, Mapping) or not isinstance(content.get("Resources"), Mapping):
        return None
    return dict(content["Resources"])


def flow_of(template: Any) -> Resource | None:
    """The properties of the flow in a template, if there is one."""
    for resource in (resources(template) or {}).values():
        if resource.get("Type") == FLOW:
            return dict(resource.get("Properties", {}))
    return None


def create_only_changes(before: Resource, after: Resource) -> list[Leaf]:
    """The differences for which CloudFormation replaces a resource."""
    found = []
    for path in CREATE_ONLY.get(before["Type"], ()):
        old, new = (_at(resource.get("Properties", {}), path) for resource in (before, after))
        if old != new:
            found.append(Leaf(path, old, new))
    return found


def meanings(flow_name: str, before: Mapping[str, Resource], after: Mapping[str, Resource]) -> Iterator[Meaning]:
    """What the differences between two templates mean; of the flow itself, only what does not replace it."""
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if old is None:
            yield _added(flow_name, new or {})
        elif new is None:
            yield _removed(flow_name, old, after)
        elif old.get("Type") != new.get("Type"):
            yield Rank.OFF_AIR, f"{_what(flow_name, old)} becomes a {new.get('Type')}"
        else:
            yield from _changed(flow_name, old, new)


def _added(flow_name: str, new: Resource) -> Meaning:
    return Rank.CHANGED, f"{_what(flow_name, new)} is added{_where(new)}"


def _removed(flow_name: str, old: Resource, after: Mapping[str, Resource]) -> Meaning:
    what = _what(flow_name, old)
    if old["Type"] == SOURCE:
        return Rank.AT_RISK, f"{what} is removed: if the other source fails, nothing takes over"
    if old["Type"] != OUTPUT:
        return Rank.OFF_AIR, f"{what} is removed"
    for other in after.values():
        same = all(
            _at(other.get("Properties", {}), key) == _at(old["Properties"], key) for key in ("Destination", "Port")
        )
        if other["Type"] == OUTPUT and same and _where(old):
            name = other["Properties"].get("Name")
            return (
                Rank.INTERRUPTED,
                f"{what} is replaced by output {name}, which sends to the same receiver{_where(old)}",
            )
    return Rank.OFF_AIR, f"{what} is removed: its receiver{_where(old)} gets nothing any more"


def _changed(flow_name: str, old: Resource, new: Resource) -> Iterator[Meaning]:
    kind = str(old["Type"])
    replaced = {leaf.path for leaf in create_only_changes(old, new)}
    if replaced and kind != FLOW:
        rank = Rank.AT_RISK if kind == SOURCE else Rank.OFF_AIR
        limit = ". A flow has at most two sources: remove it, apply, then add it" if kind == SOURCE else ""
        yield (
            rank,
            f"{_what(flow_name, old)} is replaced, because {' and '.join(sorted(replaced))} cannot change in place{limit}",
        )
    told = set()
    for leaf in _differences(old.get("Properties", {}), new.get("Properties", {})):
        if leaf.path in replaced:
            continue
        row = next(
            row for row in ROWS
            if fnmatchcase(kind, row.type) and fnmatchcase(leaf.path, row.path) and row.fits(leaf.before, leaf.after)
        )  # fmt: skip
        words = row.words.format(
            what=_what(flow_name, old, leaf.path), path=leaf.path, before=shown(leaf.before), after=shown(leaf.after)
        )
        if words not in told:
            told.add(words)
            yield row.rank, words


def _differences(before: Resource, after: Resource, path: str = "") -> Iterator[Leaf]:
    """Properties that differ, those in `WHOLE` as one."""
    for key in sorted({*before, *after}):
        old, new, inner = before.get(key), after.get(key), f"{path}.{key}".lstrip(".")
        if old == new:
            continue
        if (
            isinstance(old, Mapping)
            and isinstance(new, Mapping)
            and (key not in WHOLE or key == "SourceFailoverConfig")
        ):
            yield from _differences(old, new, inner)
        elif key in WHOLE or not (isinstance(old, list) and isinstance(new, list)):
            yield Leaf(inner, old, new)
        else:
            change = Change(address="", type="", action="update", before={key: old}, after={key: new})
            yield from (Leaf(f"{path}.{leaf.path}".lstrip("."), leaf.before, leaf.after) for leaf in change.leaves())


def _what(flow_name: str, resource: Resource, path: str = "") -> str:
    """A resource as a person calls it."""
    properties = resource.get("Properties", {})
    name = properties.get("Name", "")
    kind = resource.get("Type")
    if kind == FLOW:
        source = properties.get("Source", {}).get("Name", "")
        return f"source {source} of {flow_name}" if path.startswith("Source.") else flow_name
    word = {SOURCE: "backup source", OUTPUT: "output"}.get(str(kind), str(kind))
    return f"{word} {name} of {flow_name}"


def _where(resource: Resource) -> str:
    properties = resource.get("Properties", {})
    if resource.get("Type") != OUTPUT or "Destination" not in properties:
        return ""
    return f" at {properties['Destination']}:{properties.get('Port', '?')}"


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
