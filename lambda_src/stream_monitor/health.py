"""Judges a flow from its status, its datapoints and what an event said. Pure: no clock, network or environment.

A rule is judged as CloudWatch judges its alarm, at the trigger's time: so that monitor and alarm cannot disagree about
the same datapoints. See "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data" in the
CloudWatch User Guide.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from report import Issue, Policy, Report, Rule, rank, worst
from stream_monitor.trigger import Trigger

RuleState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Points = Mapping[datetime, float]

EXTRA_PERIODS: Final = 2
"""How far beyond its own periods CloudWatch looks for real datapoints before it fills in missing ones."""

RUNNING: Final = frozenset({"ACTIVE", "UPDATING"})
SETTLING: Final = frozenset({"STARTING", "STOPPING"})


def query_window(rules: Iterable[Rule], now: datetime) -> tuple[datetime, datetime]:
    """From when to when datapoints are needed to judge all of `rules`: start included, end excluded.

    CloudWatch counts the periods of an answer from its start, so whole periods of each rule lie between the two.
    """
    spans = [((rule["evaluation_periods"] + EXTRA_PERIODS) * rule["period"], rule["period"]) for rule in rules]
    longest, coarsest = max((span for span, _ in spans), default=60), max((period for _, period in spans), default=60)
    end = whole_minute(now)
    return end - timedelta(seconds=-(-longest // coarsest) * coarsest), end


def whole_minute(moment: datetime) -> datetime:
    """The begin of the minute that a moment stands in. Alarms are evaluated on whole minutes, whatever the period."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def evaluate_rule(rule: Rule, points: Points, *, now: datetime) -> tuple[RuleState, float | None]:
    """The state of a rule's alarm at a moment, and the newest datapoint that breaches it.

    Real datapoints come first: with as many as the rule evaluates in its range and a little beyond, only they count.
    Otherwise the missing ones are filled in as the rule says. Where CloudWatch would keep the alarm's state, of which
    a pure look knows nothing, the rule is OK.

    Args:
        rule: what is judged.
        points: value by begin of period.
        now: the periods that had ended by then are judged.
    """
    end = whole_minute(now)
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
        case "GreaterThanThreshold":
            return value > rule["threshold"]
        case "GreaterThanOrEqualToThreshold":
            return value >= rule["threshold"]
        case "LessThanThreshold":
            return value < rule["threshold"]
        case "LessThanOrEqualToThreshold":
            return value <= rule["threshold"]
    raise ValueError(f"the rule {rule['key']} has the unknown comparison {rule['comparison']!r}")


def judges_metrics(status: str) -> bool:
    """Whether a flow of this status has metrics to judge: one that does not run emits none."""
    return status in RUNNING


def report(
    *,
    policy: Policy,
    trigger: Trigger,
    flow_arn: str,
    status: str,
    points: Mapping[str, Points],
    execution: str,
) -> Report:
    """What is wrong with a flow, worst first.

    Args:
        policy: how the flow is watched.
        trigger: why and as of when it is looked at.
        flow_arn: the flow, as MediaConnect names it.
        status: the flow's status now.
        points: datapoints by the key of their rule; empty if the flow does not run.
        execution: ARN of the execution, for the message's link.
    """
    issues = _status_issues(policy, status)
    if judges_metrics(status):
        issues += [issue for rule in policy["rules"] if (issue := _rule_issue(rule, points, trigger.time))]
        issues += [trigger.evidence] if trigger.evidence else []
    issues = _one_a_metric(issues)
    start, end = query_window(policy["rules"], trigger.time)
    return {
        "flow_name": policy["flow_name"],
        "flow_arn": flow_arn,
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
    }


def _rule_issue(rule: Rule, points: Mapping[str, Points], now: datetime) -> Issue | None:
    state, value = evaluate_rule(rule, points.get(rule["key"], {}), now=now)
    if state == "OK":
        return None
    return {
        "metric": rule["metric"],
        "value": value,
        "threshold": rule["threshold"],
        "unit": rule["unit"],
        "severity": rule["severity"],
        "meaning": rule["meaning"],
        "actions": list(rule["actions"]),
        "evidence": "no data" if state == "INSUFFICIENT_DATA" else "metric",
    }


def _status_issues(policy: Policy, status: str) -> list[Issue]:
    if status in RUNNING | SETTLING:
        return []
    if status == "ERROR":
        meaning = "The flow is in ERROR: it does not carry the stream."
        action = "Look at the flow's alerts in the console; stop and start it if they do not say otherwise."
    elif policy["on_air"] == "always":
        meaning = f"The flow should be on air and is in {status}: viewers see nothing."
        action = "Start the flow, unless somebody stopped it on purpose: aws mediaconnect start-flow --flow-arn ..."
    else:
        return []  # off air on purpose
    return [
        {
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


def _one_a_metric(issues: Sequence[Issue]) -> list[Issue]:
    """The worst issue of each metric, worst first: two rules on one metric are one trouble."""
    chosen: dict[str, Issue] = {}
    for issue in issues:
        held = chosen.get(issue["metric"])
        if held is None or rank(issue["severity"]) < rank(held["severity"]):
            chosen[issue["metric"]] = issue
    return sorted(chosen.values(), key=lambda issue: (rank(issue["severity"]), issue["metric"]))
