"""Evaluates a flow from its status, its datapoints and an event. Pure: no clock, network or environment.

A rule is evaluated as CloudWatch evaluates its alarm, as of the newest data that has arrived (see `freshness`); one
whose alarm started the check also as of each moment of the alarm's range, because datapoints arrive in any order. See
"Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data" in the CloudWatch User Guide.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final, Literal
from zlib import crc32

from report import LATE, SCHEMA, EventEvidence, Issue, Policy, Report, Rule, Silence, Source, is_delayed, rank, worst
from stream_monitor.freshness import SILENT, Points, evaluated_as_of, is_silent, last_sign, silence, watermark
from stream_monitor.trigger import ONE_LOST, OUTPUT_STATUS, SOURCE, Finding, Trigger, output_disabled

RuleState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]

EXTRA_PERIODS: Final = 2
"""How far beyond its own periods CloudWatch looks for real datapoints before it fills in missing ones."""

DEFAULT_HOLD_SECONDS: Final = 180
"""How long an event without a rule of its own counts."""

MINUTE: Final = timedelta(minutes=1)
HISTORY: Final = timedelta(minutes=65)
"""How far back data is asked for beyond what the rules need: as long as silence may need to be confirmed.

GetMetricData is charged by metrics, not by datapoints.
"""

CONTRADICTED_BY: Final = 2
"""So many good datapoints after an event show that its issue is over by the time it arrives."""
MAINTENANCE_STATES: Final = frozenset({"SCHEDULED", "RESCHEDULED", "INPROGRESS", "FINISHED", "FAILED", "CANCELED"})
DEFAULT_START_HOUR: Final = "02:00"
"""MediaConnect's own start hour (UTC) of maintenance windows."""

RUNNING: Final = frozenset({"ACTIVE", "UPDATING"})
SETTLING: Final = frozenset({"STARTING", "STOPPING"})


def query_window(rules: Iterable[Rule], now: datetime) -> tuple[datetime, datetime]:
    """From when to when datapoints are needed to evaluate `rules` however late they are: start included, end excluded.

    CloudWatch counts the periods of an answer from its start, so the start lies whole periods of each rule before the
    moment until which that rule is evaluated. An answer's last period may not have ended by the end.
    """
    spans = [((rule["evaluation_periods"] + EXTRA_PERIODS) * rule["period"], rule["period"]) for rule in rules]
    longest = max((span for span, _ in spans), default=60) + int(HISTORY.total_seconds())
    coarsest = max([60, *(period for _, period in spans)])
    finest = min((period for _, period in spans), default=60)
    start = evaluated_until(now, 60) - timedelta(seconds=-(-longest // coarsest) * coarsest)
    return start, evaluated_until(now, finest)


def evaluated_until(now: datetime, period: int) -> datetime:
    """When the last period ended that counts for a rule at a moment.

    Alarms are evaluated on whole minutes, whatever the period; those with a shorter one at the end of each of its own.
    """
    return now.astimezone(UTC).replace(microsecond=0) - timedelta(seconds=now.second % min(period, 60))


def evaluate_rule(rule: Rule, points: Points, *, now: datetime) -> tuple[RuleState, float | None]:
    """The state of a rule's alarm at a moment, and the newest datapoint that breaches it.

    Real datapoints come first: with as many as the rule evaluates in its range and a little beyond, only they count.
    Otherwise the missing ones are filled in as the rule says. Where CloudWatch would keep the alarm's state, of which
    a pure function knows nothing, the rule is OK.

    Args:
        rule: the rule to evaluate.
        points: value by start of period.
        now: the periods that had ended by then count.
    """
    end = evaluated_until(now, rule["period"])
    wanted, needed = rule["evaluation_periods"], rule["datapoints_to_alarm"]
    times = [end - timedelta(seconds=rule["period"] * back) for back in range(1, wanted + EXTRA_PERIODS + 1)]
    real = [(age, points[time]) for age, time in enumerate(times, start=1) if time in points][:wanted]
    breaching = [value for _, value in real if breaches(rule, value)]
    newest = breaching[0] if breaching else None
    absent = wanted - len(real)
    if not real and rule["missing"] == "missing":
        return "INSUFFICIENT_DATA", None
    alarm = len(breaching) >= needed
    if absent and rule["missing"] == "breaching":
        alarm = len(breaching) + absent >= needed
    if absent and rule["missing"] == "missing" and len(breaching) == len(real):
        # Too few to count, and all bad: they decide once the oldest is so old that better ones should have followed.
        alarm = alarm or real[-1][0] >= needed
    return ("ALARM" if alarm else "OK"), newest


def breaches(rule: Rule, value: float) -> bool:
    """Whether one datapoint is on the wrong side of the threshold."""
    match rule["comparison"]:
        case "GreaterThanThreshold" | "IncreasesByMoreThan":
            return value > rule["threshold"]
        case "GreaterThanOrEqualToThreshold":
            return value >= rule["threshold"]
        case "LessThanThreshold":
            return value < rule["threshold"]
        case "LessThanOrEqualToThreshold":
            return value <= rule["threshold"]
    raise ValueError(f"the rule {rule['key']} has the unknown comparison {rule['comparison']!r}")


def increases(points: Points) -> Points:
    """By how much each datapoint is more than the one before it; a total that starts over does not increase."""
    return {later: max(0.0, points[later] - points[earlier]) for earlier, later in pairwise(sorted(points))}


def emits_metrics(status: str) -> bool:
    """Whether a flow of this status emits metrics: only one that runs does."""
    return status in RUNNING


def report(
    *,
    policy: Policy,
    trigger: Trigger,
    flow: Mapping[str, Any],
    points: Mapping[str, Points],
    selected: Mapping[str, Points],
    execution: str,
    others: datetime | None = None,
    errors: Sequence[str] = (),
    streams_listed: bool | None = None,
    started: datetime | None = None,
) -> Report:
    """What is wrong with a flow, worst first, and what else the alert handler needs of this check.

    Args:
        policy: the flow's monitoring policy.
        trigger: why and when it is checked.
        flow: the flow as DescribeFlow shows it.
        points: datapoints by the key of their rule; empty if the flow does not run.
        selected: datapoints of SourceSelected by the source's ARN; empty where none is asked for.
        execution: ARN of the execution, for the message's link.
        others: up to when data of any flow of this Region has arrived; None if it was not asked for.
        errors: present alerts of the flow, as DescribeFlow lists them.
        streams_listed: whether the source's metadata lists a stream; None if that is not known.
        started: when the check ran; what was read then is no evidence of what caused it long before.
    """
    status = str(flow["Status"])
    points = _with_increases(policy["rules"], points)
    trigger = _without_intended(trigger, policy, flow)
    sources = _sources(flow, selected, since=trigger.time if trigger.kind == "event" else None)
    issues = [*_status_issues(policy, status, flow["FlowArn"]), *_disabled_outputs(policy, status, flow)]
    evidence: list[EventEvidence] = []
    delayed = started is not None and is_delayed(trigger.time, started)
    known = {rule["key"]: _until(trigger.time, rule, points.get(rule["key"], {})) for rule in policy["rules"]}
    if emits_metrics(status):
        mark = watermark(policy["rules"], known)
        by_rule = [issue for rule in policy["rules"] if (issue := _rule_issue(rule, known, mark, trigger))]
        by_event = [
            _evidence_and_issue(finding, policy["rules"], points, trigger.time, sources) for finding in trigger.findings
        ]
        issues += [*_not_answered_by_event(by_rule, trigger, sources), *(issue for _, issue in by_event if issue)]
        evidence = [item for item, _ in by_event]
    issues = _one_of_each(issues)
    start, end = query_window(policy["rules"], trigger.time)
    found: Report = {
        "schema": SCHEMA,
        "flow_name": policy["flow_name"],
        "flow_arn": str(flow["FlowArn"]),
        "flow_status": status,
        "on_air_expected": policy["on_air"] == "always",
        "environment": policy["environment"],
        "dashboard": policy["dashboard"],
        "execution": execution,
        "timestamp": trigger.time.isoformat(),
        "window_minutes": int((end - start).total_seconds() // 60),
        "healthy": not issues,
        "severity": worst(issue["severity"] for issue in issues),
        "issues": issues,
        "trigger": trigger.cause(),
        "incident_policy": policy["incident_policy"],
        "sources": sources,
        "as_of": trigger.time.isoformat(),
    }
    if started:
        found["started"] = started.isoformat()
    if emits_metrics(status):
        found["as_of"] = _healthy_until(policy, known)
        if not delayed:
            _add_silence(
                found, policy, known, trigger.time, others=others, errors=errors, streams_listed=streams_listed
            )
    _add_evidence(found, policy, evidence)
    if trigger.previous_status:
        found["previous_status"] = trigger.previous_status
    _add_maintenance(found, policy, trigger, flow.get("Maintenance") or {})
    return found


def _with_increases(rules: Iterable[Rule], points: Mapping[str, Points]) -> dict[str, Points]:
    """The datapoints of all rules, of those on increases from one to the next."""
    rising = [rule["key"] for rule in rules if rule["comparison"] == "IncreasesByMoreThan"]
    return {**points, **{key: increases(points.get(key, {})) for key in rising}}


def _add_evidence(found: Report, policy: Policy, evidence: list[EventEvidence]) -> None:
    """Add what an event states, and of two sources what is wrong once both are lost."""
    if evidence:
        found["event_evidence"] = evidence
    presence = _rule_about(SOURCE, "", policy["rules"])
    lost = any(item["about"] == SOURCE and item["bad"] for item in evidence)
    if presence and lost and len(found["sources"]) > 1:
        found["all_lost"] = _issue(presence, None, "event")


def _healthy_until(policy: Policy, points: Mapping[str, Points]) -> str:
    """Up to when the data can show health: as far as the source is known to live, for outputs report without it."""
    presence = _presence(policy)
    end = last_sign(presence, policy["rules"], points) if presence else watermark(policy["rules"], points)
    return end.isoformat() if end else ""


def _add_silence(
    found: Report,
    policy: Policy,
    points: Mapping[str, Points],
    now: datetime,
    *,
    others: datetime | None,
    errors: Sequence[str],
    streams_listed: bool | None,
) -> None:
    """Add what metadata and silence show; a flow is not called healthy if it is silent and something else is wrong."""
    if streams_listed is not None:
        found["source_metadata"] = "present" if streams_listed else "absent"
    silent = _silence(policy, points, now, others=others, errors=errors)
    if silent is None:
        return
    found["silence"] = silent
    if silent["source_error"] or streams_listed is False or needs_more_evidence(policy, points, now):
        found["healthy"] = False


def _add_maintenance(found: Report, policy: Policy, trigger: Trigger, planned: Mapping[str, Any]) -> None:
    """Add what the event and the flow say of maintenance, and who gets notices of it."""
    if trigger.maintenance in MAINTENANCE_STATES:
        found["maintenance"] = trigger.maintenance  # type: ignore[typeddict-item]  # one of them, as just seen
    if scheduled := _planned(planned, "MaintenanceScheduledDate"):
        found["maintenance_scheduled"] = scheduled.isoformat()
    if deadline := _planned(planned, "MaintenanceDeadline"):
        found["maintenance_deadline"] = deadline.isoformat()
    if "notice_severity" in policy:
        found["notice_severity"] = policy["notice_severity"]


def _planned(maintenance: Mapping[str, Any], key: str) -> datetime | None:
    """When a maintenance window starts, in UTC: a date means its start hour. None for what is no time."""
    text = str(maintenance.get(key) or "")
    hour = str(maintenance.get("MaintenanceStartHour") or DEFAULT_START_HOUR)
    try:
        time = datetime.fromisoformat(f"{text}T{hour:0>5}" if len(text) == len("2026-11-23") else text)
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _sources(flow: Mapping[str, Any], selected: Mapping[str, Points], since: datetime | None) -> list[Source]:
    """The sources, and which is in use: of two by what SourceSelected read last, of one without a doubt.

    A datapoint from before the minute of an event names the source that was in use then: it is left out.
    """
    listed = flow.get("Sources") or [flow.get("Source") or {}]
    found: list[Source] = []
    for source in listed:
        arn = str(source.get("SourceArn", ""))
        points = {
            time: value
            for time, value in selected.get(arn, {}).items()
            if since is None or _after(time + MINUTE, since)
        }
        newest = points[max(points)] >= 1 if points else None
        found.append({"name": str(source.get("Name", "")), "arn": arn, "in_use": newest if len(listed) > 1 else True})
    if len(found) > 1 and sum(bool(source["in_use"]) for source in found) > 1:
        # In a minute with a switch, each was in use for a part of it.
        return [{**source, "in_use": None} for source in found]
    return found


def _until(now: datetime, rule: Rule, points: Points) -> Points:
    """The datapoints of periods that had ended by a moment."""
    return {time: value for time, value in points.items() if time + timedelta(seconds=rule["period"]) <= now}


def _after(end: datetime, event: datetime) -> bool:
    """Whether a period that ended then began with an event's minute or later."""
    return end > event.replace(second=0, microsecond=0)


def needs_more_evidence(policy: Policy, points: Mapping[str, Points], now: datetime) -> bool:
    """Whether the metrics have not shown for so long that a source lives that lateness does not explain it."""
    presence = _presence(policy)
    return presence is not None and is_silent(last_sign(presence, policy["rules"], points), now, LATE)


def _presence(policy: Policy) -> Rule | None:
    """The rule whose silence is a finding."""
    return next((rule for rule in policy["rules"] if rule["missing"] == "missing"), None)


def _silence(
    policy: Policy, points: Mapping[str, Points], now: datetime, *, others: datetime | None, errors: Sequence[str]
) -> Silence | None:
    presence, mark = _presence(policy), watermark(policy["rules"], points)
    if presence is None:
        return None
    sign = last_sign(presence, policy["rules"], points)
    if not is_silent(sign, now, SILENT):
        return None
    series = points.get(presence["key"], {})
    if evaluated_as_of(presence, series, mark) and breaches(presence, series[max(series)]):
        return None  # it is not silent: its value shows that the source is gone
    return silence(_issue(presence, None, "no data"), sign, mark=mark, others=others, errors=errors)


def _rule_issue(rule: Rule, points: Mapping[str, Points], mark: datetime | None, trigger: Trigger) -> Issue | None:
    """What a rule finds as of the newest data of its series; nothing where that is silent."""
    series = points.get(rule["key"], {})
    end = evaluated_as_of(rule, series, mark)
    if end is None:
        return None
    if trigger.kind == "alarm" and trigger.state == "ALARM" and trigger.name.endswith(f"/{rule['key']}"):
        end = _seen_by_alarm(rule, series, trigger.time) or end
    state, value = evaluate_rule(rule, series, now=end)
    if state != "ALARM" or (rule["missing"] != "missing" and _stale(rule, series, end)):
        return None
    since, at = _breaching_span(rule, series, end)
    return {**_issue(rule, value, "metric"), "since": since.isoformat(), "at": at.isoformat()}


def _seen_by_alarm(rule: Rule, points: Points, now: datetime) -> datetime | None:
    """The newest moment in its alarm's range as of which a rule is breached; None if there is none.

    Datapoints arrive in any order: what the alarm has just seen may not be the newest by now. Its range is longer than
    the rule's, so it also counts breaches together that lie too far apart for the rule.
    """
    last = evaluated_until(now, rule["period"])
    ends = rule.get("alarm_periods", rule["evaluation_periods"]) - rule["evaluation_periods"] + 1
    for end in (last - timedelta(seconds=back * rule["period"]) for back in range(ends)):
        if evaluate_rule(rule, points, now=end)[0] == "ALARM" and not _stale(rule, points, end):
            return end
    return None


def _breaching_span(rule: Rule, points: Points, end: datetime) -> tuple[datetime, datetime]:
    """When the latest run of breaching datapoints before `end` started and ended; missing ones do not break it."""
    length = timedelta(seconds=rule["period"])
    run: list[datetime] = []
    for time in sorted((time for time in points if time + length <= end), reverse=True):
        if breaches(rule, points[time]):
            run.append(time)
        elif run:
            break
    return (run[-1], run[0] + length) if run else (end, end)


def _stale(rule: Rule, points: Points, now: datetime) -> bool:
    """Whether all that breaches lies before the rule's own window, where CloudWatch looks only to fill gaps."""
    start = evaluated_until(now, rule["period"]) - timedelta(seconds=rule["evaluation_periods"] * rule["period"])
    return not any(start <= time < now and breaches(rule, value) for time, value in points.items())


def _issue(rule: Rule, value: float | None, evidence: Literal["metric", "no data", "event"]) -> Issue:
    return {
        "about": rule["about"],
        "metric": rule["metric"],
        "value": value,
        "threshold": None if evidence == "event" else rule["threshold"],
        "unit": rule["unit"],
        "severity": rule["severity"],
        "meaning": rule["meaning"],
        "actions": list(rule["actions"]),
        "evidence": evidence,
    }


def _rule_about(about: str, key: str, rules: Iterable[Rule]) -> Rule | None:
    """The rule about the same thing: by its key where one is given, and of those on sources else the presence rule."""
    return next(
        (
            rule
            for rule in rules
            if rule["about"] == about
            and (rule["key"] == key if key else about != SOURCE or rule["missing"] == "missing")
        ),
        None,
    )


def _evidence_and_issue(
    finding: Finding, rules: Sequence[Rule], points: Mapping[str, Points], now: datetime, sources: Sequence[Source]
) -> tuple[EventEvidence, Issue | None]:
    """The evidence of an event, and its issue in the wording of the rule about the same thing."""
    source = next((item for item in sources if finding.part and finding.part in {item["arn"], item["name"]}), None)
    key = finding.rule or (ONE_LOST if finding.about == SOURCE and source else "")
    rule = _rule_about(finding.about, key if len(sources) > 1 else "", rules)
    # Until as many whole periods after the event as the rule evaluates have arrived, its datapoints cannot answer it.
    reach = (rule["evaluation_periods"] + 1) * rule["period"] if rule else DEFAULT_HOLD_SECONDS
    evidence: EventEvidence = {
        "about": finding.about,
        "part": source["arn"] if source else finding.part,
        "bad": finding.issue is not None,
        "holds_seconds": reach,
    }
    if finding.issue is None or rule is None:
        return evidence, finding.issue
    issue = _issue(rule, None, "event")
    if rule["key"] == ONE_LOST and source:
        _name_lost_source(issue, source, sources)
    series = {time: value for time, value in points.get(rule["key"], {}).items() if time >= now}
    if series and not any(breaches(rule, value) for value in series.values()):
        if len(series) >= max(rule["evaluation_periods"], CONTRADICTED_BY):
            return evidence, None  # it arrives late, and is over
        read = f"{series[max(series)]:,.10g} {rule['unit']}"
        issue["note"] = f"The event and the metric disagree: {rule['metric']} read {read} after the event."
    return evidence, issue


def _name_lost_source(issue: Issue, lost: Source, sources: Sequence[Source]) -> None:
    """Say which of two sources is gone, and what is left."""
    other = next(item for item in sources if item is not lost)
    left = f"running on {other['name']}, no redundancy" if other["in_use"] else "there is no redundancy"
    issue["meaning"] = f"The source {lost['name']} is gone: {left}."
    issue["actions"][:1] = [f"Call {lost['name']}: is the encoder running, and sending to the ingest address?"]


def _not_answered_by_event(issues: list[Issue], trigger: Trigger, sources: Sequence[Source]) -> list[Issue]:
    """The issues without those that an event answers: the source is there, and their data is older.

    Of two sources, the event is about one: the other may be gone.
    """
    if not any(finding.about == SOURCE and finding.issue is None for finding in trigger.findings):
        return issues
    return [
        issue
        for issue in issues
        if issue["about"] != SOURCE
        or (len(sources) > 1 and issue["severity"] != "CRITICAL")
        or ("at" in issue and _after(datetime.fromisoformat(issue["at"]), trigger.time))
    ]


def _disabled_outputs(policy: Policy, status: str, flow: Mapping[str, Any]) -> list[Issue]:
    """An issue if outputs are disabled that should be enabled."""
    disabled = sorted(
        str(item.get("Name"))
        for item in flow.get("Outputs") or []
        if item.get("OutputStatus") == "DISABLED" and _should_be_enabled(item, policy)
    )
    if not disabled or not emits_metrics(status):
        return []
    which = f"The output {disabled[0]}" if len(disabled) == 1 else f"Each of the outputs {', '.join(disabled)}"
    return [output_disabled(which, evidence="status")]


def _without_intended(trigger: Trigger, policy: Policy, flow: Mapping[str, Any]) -> Trigger:
    """The trigger without findings on outputs that are disabled on purpose."""
    if "outputs" not in policy:
        return trigger
    meant = {item.get("OutputArn") for item in flow.get("Outputs") or [] if not _should_be_enabled(item, policy)}
    findings = tuple(item for item in trigger.findings if item.about != OUTPUT_STATUS or item.part not in meant)
    return replace(trigger, findings=findings)


def _should_be_enabled(output: Mapping[str, Any], policy: Policy) -> bool:
    return crc32(str(output.get("Name")).encode()) in policy.get("outputs", ())


def _status_issues(policy: Policy, status: str, flow_arn: str) -> list[Issue]:
    if status in RUNNING | SETTLING:
        return []
    if status == "ERROR":
        meaning = "The flow is in ERROR: it does not carry the stream."
        action = "Check the flow's alerts in the console. Unless they say otherwise, stop and start the flow."
    elif policy["on_air"] == "always":
        meaning = f"The flow should be on air and is in {status}: viewers see nothing."
        action = f"Start it, unless it was stopped on purpose: aws mediaconnect start-flow --flow-arn {flow_arn}"
    else:
        return []  # off air on purpose
    return [
        {
            "about": "FlowStatus",
            "metric": "FlowStatus",
            "value": None,
            "threshold": None,
            "unit": "",
            "severity": "CRITICAL",
            "meaning": meaning,
            "actions": [action],
            "evidence": "status",
        }
    ]


def _one_of_each(issues: Sequence[Issue]) -> list[Issue]:
    """The worst issue about each thing, worst first: two rules on one thing are one issue."""
    chosen: dict[str, Issue] = {}
    for issue in issues:
        held = chosen.get(issue["about"])
        if held is None or rank(issue["severity"]) < rank(held["severity"]):
            chosen[issue["about"]] = issue
    return sorted(chosen.values(), key=lambda issue: (rank(issue["severity"]), issue["about"]))
