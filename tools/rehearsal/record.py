"""Writes the timeline of a rehearsal: each consequence in words, and as facts for programs."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from tools.local_aws.alarms import Transition
from tools.local_aws.deliveries import Published
from tools.local_aws.eventbridge import Delivery
from tools.local_aws.executions import Execution
from tools.local_aws.gaps.lambda_invocation import Invocation
from tools.local_aws.scheduler import Invoked
from tools.rehearsal.driver import Consequence, Run
from tools.rehearsal.timeline import Kind, Moment, Notification, Result


class Recorder:
    """Adds what happens to a result.

    Args:
        result: its timeline and notifications grow.
        now: the current moment.
    """

    def __init__(self, result: Result, now: Callable[[], datetime]) -> None:
        self._result, self._now = result, now

    @property
    def _minute(self) -> float:
        minute = (self._now() - self._result.assignment.scenario.start) / timedelta(minutes=1)
        return int(minute) if minute.is_integer() else minute

    def note(self, kind: Kind, text: str, **facts: Any) -> None:
        """Add a moment to the timeline."""
        self._result.timeline.append(Moment(minute=self._minute, kind=kind, text=text, facts=facts))

    def observe(self, item: Consequence) -> None:
        """Add a consequence."""
        match item:
            case Transition(alarm_name=name, before=before, after=after):
                self.note("alarm", f"{name}: {before} -> {after}", name=name, before=before, after=after)
            case Invoked(schedule=schedule):
                flow = self._result.assignment.flow.name
                self.note("schedule", f"scheduled check of {flow}", name=schedule)
            case Delivery(rule=rule, error=error):
                self.note("event", f"not delivered by {rule}: {error}", rule=rule, error=error)
            case Run(execution, invocations):
                self._note_execution(execution)
                for invocation in invocations:
                    self._note_function(invocation)
            case Published():
                self._note_message(item)

    def _note_execution(self, execution: Execution) -> None:
        self.note(
            "execution",
            _path(execution),
            id=execution.arn,
            status=execution.status,
            states=list(execution.states),
            failures=[{"state": failure.state, "error": failure.error} for failure in execution.failures],
        )

    def _note_function(self, run: Invocation) -> None:
        calls = [f"{call.service}:{call.operation}{' refused' if call.refused else ''}" for call in run.calls]
        self.note(
            "function",
            f"{run.function_name}: {_counted(calls) or 'no call'}{' and failed' if run.failed else ''}",
            name=run.function_name,
            failed=run.failed,
            seconds=round(run.seconds, 3),
            calls=calls,
        )

    def _note_message(self, message: Published) -> None:
        sent = Notification.of(
            self._minute, message.message, message.subject, message.attributes, message.recipients, texts=message.texts
        )
        self._result.notifications.append(sent)
        self.note(
            "message",
            f"{sent.subject} -> {', '.join(sent.recipients) or 'nobody'}",
            subject=sent.subject,
            severity=sent.severity,
            recipients=list(sent.recipients),
        )


def _counted(calls: Sequence[str]) -> str:
    """Each call once, with how often."""
    counts = {name: calls.count(name) for name in calls}
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in counts.items())


def _path(execution: Execution) -> str:
    failed = _failures(execution)
    cause = f" ({execution.cause})" if execution.cause else ""
    return f"{execution.status}: {' > '.join(execution.states)}{cause}{f'; {failed}' if failed else ''}"


def _failures(execution: Execution) -> str:
    words = [f"{failure.state} met {failure.error}" for failure in execution.failures]
    counts = {word: words.count(word) for word in words}
    return ", ".join(word if count == 1 else f"{word} {count} times" for word, count in counts.items())
