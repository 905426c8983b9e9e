"""Prints rehearsals: a line and the messages of each, or the whole timeline of one."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from settings import WORST_FIRST
from tools.rehearsal.timeline import Moment, Notification, Result

STYLES: Final = {
    "stream": "cyan",
    "fault": "bold magenta",
    "alarm": "yellow",
    "event": "magenta",
    "schedule": "dim",
    "execution": "blue",
    "function": "dim",
    "message": "bold red",
}
SEVERITIES: Final = {"CRITICAL": "bold red", "HIGH": "red", "MEDIUM": "yellow", "INFO": "cyan"}


def show(results: Sequence[Result], console: Console, *, full: bool, seconds: Mapping[str, float]) -> None:
    """Print results: in full, or in short with one whole message as an example."""
    for result in results:
        _full(result, console) if full else _short(result, console)
    if not full:
        _example(results, console)
    failed = [result for result in results if not result.passed]
    delivered = sum(len(result.delivered) for result in results)
    verdict = f"{len(failed)} of {len(results)} FAILED" if failed else f"passed: {len(results)} scenario(s)"
    console.print(Text(f"\n{verdict}, {delivered} message(s) delivered", style="bold red" if failed else "bold green"))
    console.print(Text(", ".join(f"{what} {took:.1f} s" for what, took in seconds.items()), style="dim"))


def _short(result: Result, console: Console) -> None:
    scenario, assignment = result.assignment.scenario, result.assignment
    line = Text("passed  " if result.passed else "FAILED  ", style="green" if result.passed else "bold red")
    line.append(scenario.name, style="bold")
    line.append(f": {scenario.title} ({assignment.flow.name}, {assignment.environment})", style="default")
    console.print(line, soft_wrap=True)
    for message in result.delivered:
        subject = Text(f"          {_clock(result, message.minute)} ")
        subject.append(_subject(message), style=SEVERITIES.get(message.severity, ""))
        console.print(subject, soft_wrap=True)
    if not result.delivered:
        console.print(Text("          no notifications", style="dim"))
    _show_missed(result, console)


def _full(result: Result, console: Console) -> None:
    scenario, assignment = result.assignment.scenario, result.assignment
    console.print(
        Text(f"\n{scenario.title}", style="bold"), Text(f"({assignment.flow.name}, {assignment.environment})")
    )
    for moment in result.timeline:
        if _is_new(moment):
            continue
        line = Text(f"  {_clock(result, moment.minute)}  ")
        line.append(f"{moment.kind:<10}", style=STYLES[moment.kind])
        line.append(moment.text)
        console.print(line, soft_wrap=True)
    for message in result.notifications:
        _show_message(message, console)
    console.print()
    _show_missed(result, console)


def _is_new(moment: Moment) -> bool:
    """Whether it is the first OK of a new alarm, which is left out."""
    return (moment.facts.get("before"), moment.facts.get("after")) == ("INSUFFICIENT_DATA", "OK")


def _example(results: Sequence[Result], console: Console) -> None:
    """Print the first of the worst messages that somebody received."""
    delivered = [message for result in results for message in result.delivered if message.kind == "opened"]
    if delivered:
        console.print(Text("\nOne of these messages in full:"))
        _show_message(min(delivered, key=lambda message: WORST_FIRST.index(message.severity)), console)


def _show_message(message: Notification, console: Console) -> None:
    console.print(Text(f"\n  {_subject(message)}", style="bold"), soft_wrap=True)
    console.print(Text(f"  to {', '.join(message.recipients) or 'nobody'}", style="dim"), soft_wrap=True)
    for paragraph in message.text.splitlines():
        console.print(Text(f"  | {paragraph}"), soft_wrap=True)


def _show_missed(result: Result, console: Console) -> None:
    for unmet in result.missed:
        console.print(Text(f"  missed: {unmet}", style="bold red"), soft_wrap=True)


def _subject(message: Notification) -> str:
    return message.subject or message.text.partition("\n")[0]


def _clock(result: Result, minute: float) -> str:
    return result.assignment.scenario.at(minute).strftime("%H:%M:%S")
