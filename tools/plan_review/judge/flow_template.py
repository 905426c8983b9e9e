"""The live impact of the differences between two CloudFormation templates of a flow.

Terraform shows such a change as two long texts.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tools.plan_review.differences import Difference, differences, shown
from tools.plan_review.findings import Impact, Rank
from tools.plan_review.judge.flow_properties import row_of
from tools.plan_review.template import FLOW, OUTPUT, SOURCE, Resource, at, create_only_changes

WHOLE: Final = frozenset({"Decryption", "Encryption", "CidrAllowList", "Maintenance", "Tags"})
"""Properties that are compared as one, because a part of them says nothing by itself."""


def impacts(flow_name: str, before: Mapping[str, Resource], after: Mapping[str, Resource]) -> Iterator[Impact]:
    """The impact of each changed resource of a template; of the flow itself, only of what does not replace it."""
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if old is None:
            yield Rank.CHANGED, f"{_subject(flow_name, new or {})} is added{_destination(new or {})}"
        elif new is None:
            yield _removed(flow_name, old, after)
        elif old.get("Type") != new.get("Type"):
            yield Rank.OFF_AIR, f"{_subject(flow_name, old)} becomes a {new.get('Type')}"
        else:
            yield from _changed(flow_name, old, new)


def _removed(flow_name: str, old: Resource, after: Mapping[str, Resource]) -> Impact:
    what = _subject(flow_name, old)
    if old["Type"] == SOURCE:
        return Rank.AT_RISK, f"{what} is removed: if the other source fails, nothing takes over"
    if old["Type"] != OUTPUT:
        return Rank.OFF_AIR, f"{what} is removed"
    where = _destination(old)
    for other in after.values():
        if where and _sends_to_same(old, other):
            name = other["Properties"].get("Name")
            return Rank.INTERRUPTED, f"{what} is replaced by output {name}, which sends to the same receiver{where}"
    return Rank.OFF_AIR, f"{what} is removed: its receiver{where} gets nothing any more"


def _sends_to_same(old: Resource, other: Resource) -> bool:
    return other["Type"] == OUTPUT and all(
        at(other.get("Properties", {}), key) == at(old["Properties"], key) for key in ("Destination", "Port")
    )


def _changed(flow_name: str, old: Resource, new: Resource) -> Iterator[Impact]:
    kind = str(old["Type"])
    replaced = {item.path for item in create_only_changes(old, new)}
    if replaced and kind != FLOW:
        yield _replaced(_subject(flow_name, old), kind, sorted(replaced))
    seen = set()
    for item in _differences(old.get("Properties", {}), new.get("Properties", {})):
        if item.path in replaced:
            continue
        row = row_of(kind, item)
        what = _subject(flow_name, old, item.path)
        sentence = row.sentence.format(what=what, path=item.path, before=shown(item.before), after=shown(item.after))
        if sentence not in seen:
            seen.add(sentence)
            yield row.rank, sentence


def _replaced(what: str, kind: str, paths: list[str]) -> Impact:
    rank = Rank.AT_RISK if kind == SOURCE else Rank.OFF_AIR
    limit = ". A flow has at most two sources: remove it, apply, then add it" if kind == SOURCE else ""
    return rank, f"{what} is replaced, because {' and '.join(paths)} cannot change in place{limit}"


def _differences(before: Resource, after: Resource, path: str = "") -> Iterator[Difference]:
    """Properties that differ, those in `WHOLE` as one."""
    for key in sorted({*before, *after}):
        old, new, inner = before.get(key), after.get(key), f"{path}.{key}".lstrip(".")
        if old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping) and key not in WHOLE:
            yield from _differences(old, new, inner)
        elif isinstance(old, list) and isinstance(new, list) and key not in WHOLE:
            yield from differences(inner, old, new, False, False, False)
        else:
            yield Difference(inner, old, new)


def _subject(flow_name: str, resource: Resource, path: str = "") -> str:
    """What a resource of a template is called in a sentence."""
    properties: Mapping[str, Any] = resource.get("Properties", {})
    kind = resource.get("Type")
    if kind == FLOW:
        source = properties.get("Source", {}).get("Name", "")
        return f"source {source} of {flow_name}" if path.startswith("Source.") else flow_name
    word = {SOURCE: "backup source", OUTPUT: "output"}.get(str(kind), str(kind))
    return f"{word} {properties.get('Name', '')} of {flow_name}"


def _destination(resource: Resource) -> str:
    properties = resource.get("Properties", {})
    if resource.get("Type") != OUTPUT or "Destination" not in properties:
        return ""
    return f" at {properties['Destination']}:{properties.get('Port', '?')}"
