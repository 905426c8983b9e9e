"""The live impact of a changed metric alarm: whether it triggers later, less often, or notifies nobody."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tools.plan_review.findings import Impact, Rank
from tools.plan_review.judge.numbers import number
from tools.plan_review.plan import Change

NEEDED: Final = ("threshold", "comparison_operator", "evaluation_periods", "period", "treat_missing_data")
"""Attributes without which an alarm cannot be compared. Datapoints to alarm default to the evaluation periods."""
STRICTNESS: Final = {"notBreaching": 0, "ignore": 1, "missing": 2, "breaching": 3}
"""How missing data counts, from the least to the most sensitive."""
Alarm = Mapping[str, Any]
Verdict = tuple[bool, str]
"""Whether an alarm is loosened, and by what."""


def impacts(change: Change, what: str) -> Iterator[Impact]:
    """The impact of changed conditions, then of changed actions."""
    before, after = change.before or {}, change.after or {}
    unknown = [name for name in NEEDED if change.is_unknown(name) and before.get(name) is not None]
    if unknown:
        yield Rank.UNWATCHED, f"{what} may be loosened: {', '.join(unknown)} will be known only after apply"
        return
    loosened, tightened = compared(before, after)
    if loosened:
        yield Rank.UNWATCHED, f"{what} is loosened: {'; '.join(loosened)}"
    if tightened:
        yield Rank.CHANGED, f"{what} is tightened: {'; '.join(tightened)}"
    if not change.is_unknown("alarm_actions"):
        yield from _actions(before, after, what)


def _actions(before: Alarm, after: Alarm, what: str) -> Iterator[Impact]:
    lost = sorted({*(before.get("alarm_actions") or ())} - {*(after.get("alarm_actions") or ())})
    if lost and not after.get("alarm_actions"):
        yield Rank.NOBODY_NOTIFIED, f"{what} has no actions any more: nobody is notified when it triggers"
    elif lost:
        yield Rank.AT_RISK, f"{what} no longer notifies {', '.join(lost)}"


def compared(before: Alarm, after: Alarm) -> tuple[list[str], list[str]]:
    """How an alarm triggers later or less often than before, and how it triggers sooner or more often."""
    verdicts = [verdict for compare in COMPARISONS if (verdict := compare(before, after))]
    return [words for looser, words in verdicts if looser], [words for looser, words in verdicts if not looser]


def _operator(before: Alarm, after: Alarm) -> Verdict | None:
    old, new = before.get("comparison_operator"), after.get("comparison_operator")
    if old == new:
        return None
    same_direction = str(old)[:4] == str(new)[:4]
    return not (same_direction and "OrEqual" in str(new)), f"triggers on {new} instead of {old}"


def _threshold(before: Alarm, after: Alarm) -> Verdict | None:
    old, new = before.get("threshold"), after.get("threshold")
    if old == new:
        return None
    triggers_above = str(after.get("comparison_operator")).startswith("Greater")
    looser = old is None or new is None or (number(new) > number(old)) == triggers_above
    return looser, f"threshold {_plain(new)} instead of {_plain(old)}"


def _periods(before: Alarm, after: Alarm) -> Verdict | None:
    (old_bad, old_all), (new_bad, new_all) = (
        (
            number(alarm.get("datapoints_to_alarm")) or number(alarm.get("evaluation_periods")),
            number(alarm.get("evaluation_periods")),
        )
        for alarm in (before, after)
    )
    if (old_bad, old_all) == (new_bad, new_all):
        return None
    looser = new_bad > old_bad or (new_bad == old_bad and new_all < old_all)
    return looser, f"after {new_bad:g} of {new_all:g} periods instead of {old_bad:g} of {old_all:g}"


def _period(before: Alarm, after: Alarm) -> Verdict | None:
    old, new = before.get("period"), after.get("period")
    if old == new:
        return None
    summed = after.get("statistic") in {"Sum", "SampleCount"}  # a shorter period counts less
    return number(new) > number(old) or summed, f"periods of {_plain(new)} s instead of {_plain(old)} s"


def _missing_data(before: Alarm, after: Alarm) -> Verdict | None:
    old, new = (str(alarm.get("treat_missing_data") or "missing") for alarm in (before, after))
    if old == new:
        return None
    return STRICTNESS.get(new, 0) < STRICTNESS.get(old, 0), f"missing data counts as {new} instead of {old}"


COMPARISONS: Final = (_operator, _threshold, _periods, _period, _missing_data)


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
