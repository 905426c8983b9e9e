"""Prints a rehearsal for a person: the timeline, and the messages as they would be read."""

from rich.console import Console
from rich.text import Text

from rehearsal.timeline import Result

STYLES = {
    "stream": "cyan",
    "alarm": "yellow",
    "event": "magenta",
    "schedule": "dim",
    "execution": "blue",
    "message": "bold red",
}


def show(result: Result, console: Console) -> None:
    """Print one played scenario."""
    scenario = result.scenario
    console.print(Text(f"\n{scenario.title}", style="bold"), Text(f"({scenario.flow}, {scenario.environment})"))
    for moment in result.timeline:
        clock = scenario.at(moment.minute).strftime("%H:%M:%S")
        line = Text(f"  {clock}  ")
        line.append(f"{moment.kind:<10}", style=STYLES[moment.kind])
        line.append(moment.text)
        console.print(line, soft_wrap=True)
    for message in result.notifications:
        to = ", ".join(message.recipients) or "nobody"
        console.print(Text(f"\n  {message.subject}", style="bold"), soft_wrap=True)
        console.print(Text(f"  to {to}", style="dim"), soft_wrap=True)
        for paragraph in message.text.splitlines():
            console.print(Text(f"  | {paragraph}"), soft_wrap=True)
    console.print()
    for unmet in result.missed:
        console.print(Text(f"  missed: {unmet}", style="bold red"), soft_wrap=True)
    reached = sum(1 for message in result.notifications if message.recipients)
    verdict = "passed" if result.passed else "FAILED"
    console.print(
        Text(f"{verdict}: {reached} message(s) delivered", style="bold green" if result.passed else "bold red")
    )
