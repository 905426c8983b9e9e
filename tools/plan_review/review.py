"""The verdict on a plan: what its changes mean together, and whether they may be applied.

What a single attribute means is in `meanings` and `template`; here is what needs the whole plan: flows that go or come
under another name, and who would still be notified.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from settings import WORST_FIRST
from tools.plan_review import meanings, permissions, template
from tools.plan_review.cost import Cost, cost
from tools.plan_review.findings import Finding, Rank
from tools.plan_review.plan import Change, Plan, PlanError, parsed, shown

EVERYTHING: Final = "any message"
FLOW_STACK: Final = "aws_cloudformation_stack"
EVENT_RULE: Final = "aws_cloudwatch_event_rule"
SUBSCRIPTION: Final = "aws_sns_topic_subscription"
ACTIONS: Final = ("create", "update", "delete", "replace", "forget")
CONFIRMED_BY_HAND: Final = frozenset({"email", "email-json", "https", "http"})
Cause = tuple[str, str]
CodeOf = Callable[[str], Mapping[str, str] | None]
"""The files of the functions' zip by their content's hash, for the digest of the zip; None if it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What is to be said of a plan.

    Attributes:
        environment: its name, or None if the plan does not say.
        protected: whether what is bad needs to be allowed.
        findings: worst first.
        drift: what was done outside Terraform, worst first.
        allowed: the causes that were allowed.
        unused: what was allowed and is not in the plan.
        plan: the plan.
        cost: a month before and after.
    """

    environment: str | None
    protected: bool
    findings: tuple[Finding, ...]
    drift: tuple[Finding, ...]
    allowed: frozenset[Cause]
    unused: tuple[Cause, ...]
    plan: Plan
    cost: Cost

    @property
    def touched(self) -> tuple[Change, ...]:
        """The resources that something happens to."""
        return tuple(change for change in self.plan.changes if change.touched)

    def is_blocked(self, finding: Finding) -> bool:
        """Whether a finding keeps the plan from being applied."""
        return self.protected and finding.rank.blocks and not self.is_allowed(finding)

    def is_allowed(self, finding: Finding) -> bool:
        """Whether every change that brings a finding about was allowed."""
        return all(cause in self.allowed for cause in finding.causes)

    @property
    def blocked(self) -> bool:
        """Whether the plan may not be applied."""
        return self.plan.errored or any(self.is_blocked(finding) for finding in self.findings)


@dataclass(slots=True)
class _Flow:
    """A stack that holds a flow, before and after."""

    change: Change
    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    arn: str | None = field(init=False)

    def __post_init__(self) -> None:
        self.arn = _outputs(self.change).get("FlowArn")

    @property
    def cause(self) -> Cause:
        return self.change.address, self.change.action

    @property
    def ingest(self) -> str:
        outputs = _outputs(self.change)
        address = outputs.get("IngestIp")
        return f"{address}:{outputs.get('IngestPort', '?')}" if address else "unknown"


def allowances(texts: Sequence[str]) -> frozenset[Cause]:
    """`ADDRESS:ACTION`, taken apart.

    Raises:
        PlanError: one of them is of another form.
    """
    found = set()
    for text in texts:
        address, _, action = text.rpartition(":")
        if not address or action not in ACTIONS:
            raise PlanError(
                f"--allow {text}: give the exact address of a resource, a colon and one of {', '.join(ACTIONS)}, such "
                "as module.flow_studio.aws_cloudformation_stack.this:replace"
            )
        found.add((address, action))
    return frozenset(found)


def allowances_in(text: str) -> list[str]:
    """What a description of a change allows: its lines `allow ADDRESS:ACTION`, also as items of a list."""
    return re.findall(
        r"^[ \t]*(?:[-*][ \t]+)?allow[ \t]+`?([^\s`]+:[a-z]+)`?[ \t]*\r?$", text, re.MULTILINE | re.IGNORECASE
    )


def review(
    plan: Plan,
    *,
    environment: str | None = None,
    protect: bool = False,
    allowed: frozenset[Cause] = frozenset(),
    code_of: CodeOf = lambda _: None,
) -> Review:
    """Judge a plan.

    Args:
        plan: as `read_plan` gives it.
        environment: its name; if None, the name that the plan itself gives.
        protect: whether the settings protect the environment. What is protected now, by its stacks' policies, stays
            protected for the plan that takes the protection away.
        allowed: address and action of what may be bad.
        code_of: finds the functions' files.
    """
    findings = sorted(
        _merged([*_findings(plan.changes), *_told(plan.changes), *_code(plan.changes, code_of)]),
        key=lambda finding: (finding.rank, finding.causes, finding.sentence),
    )
    drift = sorted(_merged(_findings(plan.drift)), key=lambda finding: (finding.rank, finding.causes, finding.sentence))
    there = {(change.address, change.action) for change in plan.changes}
    return Review(
        environment=environment or _environment(plan),
        protected=protect
        or any(meanings.protects(change.before) for change in plan.changes if change.type == FLOW_STACK),
        findings=tuple(findings),
        drift=tuple(drift),
        allowed=allowed,
        unused=tuple(sorted(allowed - there)),
        plan=plan,
        cost=cost(plan.changes),
    )


def _merged(findings: Sequence[Finding]) -> list[Finding]:
    """Each sentence once, with all its causes."""
    causes: dict[tuple[Rank, str], set[Cause]] = {}
    for finding in findings:
        causes.setdefault((finding.rank, finding.sentence), set()).update(finding.causes)
    return [Finding(rank=rank, sentence=sentence, causes=tuple(sorted(of))) for (rank, sentence), of in causes.items()]


def _environment(plan: Plan) -> str | None:
    """The environment that the workspace's guard was synthesized for."""
    for change in plan.changes:
        if change.address == "terraform_data.workspace":
            name = ((change.after or change.before or {}).get("input") or {}).get("environment")
            return str(name) if name else None
    return None


def _findings(changes: Sequence[Change]) -> list[Finding]:
    flows = list(_flows(changes))
    gone = [flow for flow in flows if flow.before is not None and flow.after is None]
    found = [finding for flow in flows for finding in _of_flow(flow, flows)]
    there = [change for change in changes if change.before is not None and change.action != "read"]
    if there and all(change.action == "delete" for change in there):
        all_of_it = tuple((change.address, change.action) for change in there)
        sentence = (
            "the whole environment is removed: nothing is monitored, nobody is notified, logs and incidents are deleted"
        )
        return [*found, Finding(rank=Rank.NOBODY_TOLD, sentence=sentence, causes=all_of_it)]
    templates = json.dumps(
        [(change.after or {}).get("template_body") for change in changes if change.type == FLOW_STACK]
    )
    with_flow: dict[str, list[Cause]] = {}
    for change in changes:
        if change.action in {"no-op", "read"}:
            continue
        cause = (change.address, change.action)
        flow = _watches(change, changes, gone)
        for rank, sentence in meanings.meanings(change, flows=templates):
            if flow and rank.blocks:
                # Nothing is left unwatched by it: what it watched is gone, and that is a finding of its own.
                with_flow.setdefault(flow, []).append(cause)
            else:
                found.append(Finding(rank=rank, sentence=sentence, causes=(cause,)))
    for flow, causes in with_flow.items():
        sentence = f"the monitoring of {flow} is removed with the flow ({len(causes)} changes)"
        found.append(Finding(rank=Rank.CHANGED, sentence=sentence, causes=tuple(causes)))
    found += [_moved(change) for change in changes if change.moved_from]
    found += [_imported(change) for change in changes if change.import_id is not None]
    return found


def _moved(change: Change) -> Finding:
    sentence = f"{meanings.subject(change)} keeps running under a new Terraform address (was {change.moved_from})"
    return Finding(rank=Rank.CHANGED, sentence=sentence, causes=((change.address, change.action),))


def _imported(change: Change) -> Finding:
    sentence = f"{meanings.subject(change)} exists already and is imported (ID {change.import_id})"
    return Finding(rank=Rank.CHANGED, sentence=sentence, causes=((change.address, change.action),))


def _flows(changes: Sequence[Change]) -> Iterator[_Flow]:
    for change in changes:
        if change.type == FLOW_STACK:
            before, after = (
                template.flow_of((state or {}).get("template_body")) for state in (change.before, change.after)
            )
            if before or after or change.is_unknown("template_body"):
                name = (before or after or {}).get("Name", change.address)
                read = template.resources((change.after or {}).get("template_body"))
                unknown = change.after is not None and (change.is_unknown("template_body") or read is None)
                yield _Flow(change, str(name), before, before if unknown else after)


def _outputs(change: Change) -> Mapping[str, Any]:
    return (change.before or {}).get("outputs") or {}


def _of_flow(flow: _Flow, flows: Sequence[_Flow]) -> Iterator[Finding]:
    """What happens to a flow, in one sentence, and then to its parts."""
    change = flow.change
    if change.action in {"no-op", "read"}:
        return
    if change.action == "forget":
        return  # said of the stack itself
    if change.before is None:
        name = (flow.after or {}).get("Name", change.address)
        sentence = f"{name} is a new flow, created in STANDBY; its ingest address is known only after apply"
        yield Finding(rank=Rank.CHANGED, sentence=sentence, causes=(flow.cause,))
        return
    if change.gone:
        yield Finding(rank=Rank.OFF_AIR, sentence=_deleted(flow, flows), causes=(flow.cause,))
        return
    old, new = (template.resources((state or {}).get("template_body")) for state in (change.before, change.after))
    if change.is_unknown("template_body") or old is None or new is None:
        why = "is known only after apply" if change.is_unknown("template_body") else "cannot be read"
        sentence = f"{flow.name} may go off air: its new template {why}"
        yield Finding(rank=Rank.OFF_AIR, sentence=sentence, causes=(flow.cause,))
        return
    if flow.after is None:
        yield Finding(rank=Rank.OFF_AIR, sentence=_deleted(flow, flows), causes=(flow.cause,))
        return
    forced = [leaf for key in old if key in new and old[key].get("Type") == template.FLOW
              for leaf in template.create_only_changes(old[key], new[key])]  # fmt: skip
    moved_key = not any(key in new for key in old if old[key].get("Type") == template.FLOW)
    if change.action == "replace" or forced or moved_key:
        yield Finding(rank=Rank.OFF_AIR, sentence=_replaced(flow, forced), causes=(flow.cause,))
    for rank, sentence in template.meanings(flow.name, old, new):
        yield Finding(rank=rank, sentence=sentence, causes=(flow.cause,))


def _deleted(flow: _Flow, flows: Sequence[_Flow]) -> str:
    words = f"{flow.name} goes off air: its flow is deleted, and its ingest address {flow.ingest} is lost"
    for other in flows:
        if other.change.before is None and other.after and flow.before and _same_stream(flow.before, other.after):
            return (
                f"{words}. It is renamed: {other.after.get('Name')} is a new flow in STANDBY with an ingest address "
                "known only after apply; viewers see nothing until it is started and encoder and receivers follow"
            )
    return words


def _same_stream(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return bool(before.get("Source") == after.get("Source"))


def _replaced(flow: _Flow, forced: Sequence[Any]) -> str:
    causes = " and ".join(
        f"{leaf.path} cannot change in place ({shown(leaf.before)} becomes {shown(leaf.after)})" for leaf in forced
    )
    replaced_by = flow.change.replaced_by
    why = causes or (f"{', '.join(replaced_by)} changes" if replaced_by else "the stack is recreated")
    return (
        f"{flow.name} goes off air: its flow is replaced, because {why}. Its ingest address {flow.ingest} is lost, "
        "the new one is known only after apply, and the new flow is in STANDBY until it is started"
    )


def _watches(change: Change, changes: Sequence[Change], gone: Sequence[_Flow]) -> str | None:
    """The name of the flow that goes in this plan, if the change is of something that watched only that."""
    return next((flow.name for flow in gone if flow.change is not change and _goes_with(flow, change, changes)), None)


def _goes_with(flow: _Flow, change: Change, changes: Sequence[Change]) -> bool:
    """Whether what a change takes away was of one flow and of no other."""
    if not change.before or not flow.arn:
        return False
    others = [
        str(_outputs(other).get("FlowArn"))
        for other in changes
        if other.type == FLOW_STACK and other is not flow.change
    ]
    own_rules = [
        rule.before["name"]
        for rule in changes
        if rule.type == EVENT_RULE and rule.before and _names_only(json.dumps(rule.before), flow.arn, others)
    ]
    own_module = flow.change.address.rpartition(f"{FLOW_STACK}.")[0]
    return (
        _names_only(json.dumps(change.before), flow.arn, others)
        or bool(own_module and change.address.startswith(own_module))
        or change.before.get("rule") in own_rules
        or (change.before.get("dimensions") or {}).get("RuleName") in own_rules
        or (change.type == "aws_iam_role_policy" and _only_narrows_to(change, flow))
        or (change.type == EVENT_RULE and _only_forgets(change, flow))
    )


def _names_only(text: str, arn: str, others: Sequence[str]) -> bool:
    return arn in text and not any(other in text for other in others)


def _only_forgets(change: Change, flow: _Flow) -> bool:
    """Whether a rule that stays loses nothing but the events of one flow."""
    missed, _ = meanings.missed_events(change)
    return change.after is not None and bool(missed) and all(value == flow.arn for _, value in missed)


def _only_narrows_to(change: Change, flow: _Flow) -> bool:
    """Whether a role loses nothing but what it may do with one flow."""
    before, after = (permissions.grants((state or {}).get("policy")) for state in (change.before, change.after))
    if before is None or after is None:
        return False
    lost = permissions.lost(before, after)
    return bool(lost) and all(grant.resource.endswith(f":flow:*:{flow.name}") for grant in lost)


def _told(changes: Sequence[Change]) -> Iterator[Finding]:
    """Severities that reached somebody and will reach nobody, topic by topic."""
    subscriptions = [change for change in changes if change.type == SUBSCRIPTION]
    ending = {_topic(change): change for change in subscriptions if change.before}
    everything_goes = all(change.gone for change in changes if change.type == "aws_sns_topic") and any(
        change.type == "aws_sns_topic" for change in changes
    )
    if everything_goes:
        return  # the topics are removed, which is said of them
    for topic in sorted(ending):
        of_topic = [change for change in subscriptions if _topic(change) == topic]
        causes = tuple(
            sorted(
                (change.address, change.action)
                for change in of_topic
                if change.action not in {"no-op", "create", "read"}
            )
        )
        if not causes:
            continue
        before: set[str] = set()
        after: set[str] = set()
        later: dict[str, str] = {}
        for change in of_topic:
            before |= _hears(change.before)
            heard = _hears(change.before if change.action == "forget" else change.after)
            if change.action in {"create", "replace"} and (change.after or {}).get("protocol") in CONFIRMED_BY_HAND:
                later |= dict.fromkeys(heard, str((change.after or {}).get("endpoint")))
            else:
                after |= heard
        lost = [level for level in (EVERYTHING, *WORST_FIRST) if level in before - after]
        for waits in (False, True):
            levels = [level for level in lost if (level in later) is waits]
            levels = levels[:1] if levels[:1] == [EVERYTHING] else levels
            if levels:
                when = f"until {later[levels[0]]} confirms the subscription" if waits else "any more"
                name = topic.rpartition(":")[2]
                sentence = f"nobody is notified of {', '.join(levels)} on topic {name} {when}"
                yield Finding(rank=Rank.NOBODY_TOLD, sentence=sentence, causes=causes)


def _topic(change: Change) -> str:
    for state in (change.before, change.after):
        if state and isinstance(state.get("topic_arn"), str):
            return str(state["topic_arn"])
    return "(new)"


def _hears(subscription: Mapping[str, Any] | None) -> set[str]:
    """What a subscription lets through: severities, or every message if it has no filter."""
    if not subscription:
        return set()
    policy = parsed(subscription.get("filter_policy"))
    if not policy:
        return {*WORST_FIRST, EVERYTHING}
    if not isinstance(policy, Mapping) or set(policy) != {"severity"}:
        return set()  # a filter on anything else cannot be counted on
    return {level for level in policy["severity"] if isinstance(level, str)}


def _code(changes: Sequence[Change], code_of: CodeOf) -> Iterator[Finding]:
    """Which files of the functions are new, where both zips are known."""
    for change in changes:
        if change.type != "aws_lambda_function" or not change.before or not change.after or change.action == "no-op":
            continue
        digests = [_digest(str(state.get("s3_key", ""))) for state in (change.before, change.after)]
        hashes = [state.get("source_code_hash") for state in (change.before, change.after)]
        if digests[0] == digests[1] and hashes[0] == hashes[1] and not change.is_unknown("source_code_hash"):
            continue
        files = [code_of(digest) for digest in digests]
        cause = ((change.address, change.action),)
        if files[0] is None or files[1] is None:
            which = "the changed files are not known, because neither this folder nor its Git history has both versions"
        else:
            old, new = files[0], files[1]
            parts = [
                f"{word} {', '.join(names)}"
                for word, names in (
                    ("changed:", sorted(name for name in old if name in new and old[name] != new[name])),
                    ("added:", sorted(set(new) - set(old))),
                    ("removed:", sorted(set(old) - set(new))),
                )
                if names
            ]
            which = "; ".join(parts) or "no file differs"
        sentence = f"the functions run new code ({digests[1][:12]} instead of {digests[0][:12]}): {which}"
        yield Finding(rank=Rank.CODE, sentence=sentence, causes=cause)


def _digest(key: str) -> str:
    return key.rpartition("/")[2].removesuffix(".zip")
