"""Runs executions of an environment's state machine with dead letters, and waits for their end."""

import itertools
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from components.workflow_definition import EXPRESS_SECONDS, REPLAY, worst_case_seconds
from tools.operations.dead_letters import DeadLetter

LONGEST_WAIT_SECONDS: Final = 1800
"""For one execution, if its definition has no limit of its own."""
MARGIN_SECONDS: Final = 30
"""Added to what an execution may take, for the calls around it."""
POLL_SECONDS: Final = (0.2, 0.5, 1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an execution ended; `status` is RUNNING if it did not within its time limit."""

    status: str
    error: str = ""
    cause: str = ""
    execution: str = ""


class Machine:
    """The state machine of the environment.

    Args:
        region: its Region.
        arn: its ARN.
        while_waiting: called between two polls of a running execution.
    """

    def __init__(self, region: str, arn: str, while_waiting: Callable[[], None]) -> None:
        self._client: Any = boto3.client("stepfunctions", region_name=region)
        self._arn = arn
        self._while_waiting = while_waiting
        described = self._client.describe_state_machine(stateMachineArn=arn)
        self._express = described["type"] == "EXPRESS"
        self._wait = min(worst_case_seconds(json.loads(described["definition"])), LONGEST_WAIT_SECONDS) + MARGIN_SECONDS
        self._sync: Any = boto3.client(
            "stepfunctions",
            region_name=region,
            # A retry would start a second execution.
            config=Config(read_timeout=EXPRESS_SECONDS + MARGIN_SECONDS, retries={"total_max_attempts": 1}),
        )

    @property
    def hold_seconds(self) -> int:
        """Seconds after which an execution must have ended."""
        return EXPRESS_SECONDS + 2 * MARGIN_SECONDS if self._express else int(self._wait) + MARGIN_SECONDS

    def run(self, dead_letter: DeadLetter) -> Outcome:
        """Run an execution to its end or its time limit.

        Raises:
            botocore.exceptions.ClientError: Step Functions refused to start or show it.
        """
        if dead_letter.input is None:
            return Outcome(status="NOT STARTED", cause="its body is not JSON, so no execution can be started with it")
        return self._run_express(dead_letter) if self._express else self._run_standard(dead_letter)

    def _run_express(self, dead_letter: DeadLetter) -> Outcome:
        try:
            ended = self._sync.start_sync_execution(
                stateMachineArn=self._arn, name=f"{REPLAY}{dead_letter.id}", input=dead_letter.input
            )
        except ReadTimeoutError:
            return Outcome(status="RUNNING", execution=f"{REPLAY}{dead_letter.id}")
        return _outcome(ended)

    def _run_standard(self, dead_letter: DeadLetter) -> Outcome:
        deadline = time.monotonic() + self._wait
        execution = self._started(dead_letter)
        for pause in itertools.chain(POLL_SECONDS, itertools.repeat(POLL_SECONDS[-1])):
            described = self._client.describe_execution(executionArn=execution)
            if described["status"] != "RUNNING" or time.monotonic() > deadline:
                return _outcome(described)
            self._while_waiting()
            time.sleep(pause)
        raise AssertionError("an endless loop has ended")

    def _started(self, dead_letter: DeadLetter) -> str:
        """The execution of a dead letter: the one of an earlier replay, unless that failed."""
        for attempt in itertools.count(1):
            name = f"{REPLAY}{dead_letter.id}" + (f"-{attempt}" if attempt > 1 else "")
            try:
                started = self._client.start_execution(stateMachineArn=self._arn, name=name, input=dead_letter.input)
                return str(started["executionArn"])
            except self._client.exceptions.ExecutionAlreadyExists:
                execution = f"{self._arn.replace(':stateMachine:', ':execution:')}:{name}"
                status = self._client.describe_execution(executionArn=execution)["status"]
                if status in {"RUNNING", "SUCCEEDED"}:
                    return execution
        raise AssertionError("an endless loop has ended")


def _outcome(described: Mapping[str, Any]) -> Outcome:
    return Outcome(
        status=described["status"],
        error=described.get("error", ""),
        cause=described.get("cause", ""),
        execution=described["executionArn"],
    )
