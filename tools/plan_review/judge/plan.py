"""All findings of a plan: those of each change, and those that need every change."""

import json
from collections.abc import Iterable, Iterator, Sequence

from tools.plan_review.findings import Finding, Rank
from tools.plan_review.judge import flows, function_code, recipients, resources
from tools.plan_review.judge.flows import FLOW_STACK, Flow
from tools.plan_review.judge.function_code import FilesOf
from tools.plan_review.judge.removed_flow import removed_with
from tools.plan_review.judge.subjects import subject
from tools.plan_review.plan import Cause, Change, Plan


def findings(plan: Plan, files_of: FilesOf) -> tuple[Finding, ...]:
    """The findings of the planned changes, worst first."""
    changes = plan.changes
    return _sorted([*_judged(changes), *recipients.findings(changes), *function_code.findings(changes, files_of)])


def drift(plan: Plan) -> tuple[Finding, ...]:
    """The findings of what was changed outside Terraform, worst first."""
    return _sorted(_judged(plan.drift))


def _sorted(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each sentence once with all its causes, worst first."""
    causes: dict[tuple[Rank, str], set[Cause]] = {}
    for item in found:
        causes.setdefault((item.rank, item.sentence), set()).update(item.causes)
    merged = (Finding(rank=rank, sentence=text, causes=tuple(sorted(of))) for (rank, text), of in causes.items())
    return tuple(sorted(merged, key=lambda item: (item.rank, item.causes, item.sentence)))


def _judged(changes: Sequence[Change]) -> Iterator[Finding]:
    found = list(flows.flows_in(changes))
    for flow in found:
        for rank, sentence in flows.impacts(flow, found):
            yield Finding(rank=rank, sentence=sentence, causes=(flow.change.cause,))
    existing = [change for change in changes if change.before is not None and change.action != "read"]
    if existing and all(change.action == "delete" for change in existing):
        yield _everything_removed(existing)
        return
    removed = [flow for flow in found if flow.before is not None and flow.after is None]
    yield from _of_resources(changes, removed)
    yield from _of_state(changes)


def _everything_removed(existing: Sequence[Change]) -> Finding:
    return Finding(
        rank=Rank.NOBODY_NOTIFIED,
        sentence="the whole environment is removed: nothing is monitored, nobody is notified, logs and incidents are "
        "deleted",
        causes=tuple(change.cause for change in existing),
    )


def _of_resources(changes: Sequence[Change], removed: Sequence[Flow]) -> Iterator[Finding]:
    """The findings of each resource; what would block and only concerned a removed flow becomes one finding of it."""
    templates = json.dumps(
        [(change.after or {}).get("template_body") for change in changes if change.type == FLOW_STACK]
    )
    with_flow: dict[str, list[Cause]] = {}
    for change in changes:
        if not change.changes_something:
            continue
        flow = removed_with(change, changes, removed)
        for rank, sentence in resources.impacts(change, flows=templates):
            if flow and rank.blocks:
                # Nothing is left unwatched: the flow is removed, and that is a finding of its own.
                with_flow.setdefault(flow, []).append(change.cause)
            else:
                yield Finding(rank=rank, sentence=sentence, causes=(change.cause,))
    for flow, causes in with_flow.items():
        sentence = f"the monitoring of {flow} is removed with the flow ({len(causes)} changes)"
        yield Finding(rank=Rank.CHANGED, sentence=sentence, causes=tuple(causes))


def _of_state(changes: Sequence[Change]) -> Iterator[Finding]:
    """What only changes in Terraform's state: moves and imports."""
    for change in changes:
        if change.moved_from:
            sentence = f"{subject(change)} keeps running under a new Terraform address (was {change.moved_from})"
            yield Finding(rank=Rank.CHANGED, sentence=sentence, causes=(change.cause,))
        if change.import_id is not None:
            sentence = f"{subject(change)} exists already and is imported (ID {change.import_id})"
            yield Finding(rank=Rank.CHANGED, sentence=sentence, causes=(change.cause,))
