"""The state machine as a dictionary in Amazon States Language. Pure: ARNs come in, a definition goes out.

Owns the order of states, what is retried and what happens when a check fails. What "unhealthy" means is decided by
`lambda_src.stream_monitor`, the text of notifications by `lambda_src.alert_handler`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

Kind = Literal["STANDARD", "EXPRESS"]

SERVICE_ERRORS: Final = [
    # Errors of the service, not of our code; docs.aws.amazon.com/step-functions, "Handle transient Lambda service
    # exceptions".
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
]
TOO_LONG: Final = ["SNS.InvalidParameterException", "States.DataLimitExceeded", "States.IntrinsicFailure"]
"""What a message or its parts that are too long end in; `States.ALL` leaves the second out."""
FUNCTION_ERRORS: Final = ["States.TaskFailed", "States.Timeout"]
FUNCTION_TIMEOUT_SECONDS: Final = 30
EXPRESS_SECONDS: Final = 300
"""An EXPRESS execution ends after five minutes, whatever it does; then not even a Catch runs."""
EXPRESS_MARGIN_SECONDS: Final = 30
"""What the tasks of an EXPRESS execution leave for the transitions between them."""
INPUT_REFUSED: Final = "InputRefused"
"""The state, and the error, of an execution that a person started with an input that starts no check."""
EXECUTION: Final = {"execution.$": "$$.Execution.Id", "retries.$": "$$.State.RetryCount"}
"""What both functions get: the execution, and how often they failed in it before, for their log."""
REPLAY: Final = "replay-"
"""Prefix of the names of executions that a replay starts: their input is in the queue already."""


def _retry(errors: Sequence[str], seconds: int, attempts: int) -> dict[str, Any]:
    return {"ErrorEquals": list(errors), "IntervalSeconds": seconds, "MaxAttempts": attempts, "BackoffRate": 2}


RETRY: Final[Mapping[Kind, Any]] = {
    # Half a minute for functions that are throttled, as by `reserved_concurrency`.
    "STANDARD": [_retry(SERVICE_ERRORS, 1, 5), _retry(FUNCTION_ERRORS, 2, 2)],
    # One retrier: attempts of several add up.
    "EXPRESS": [_retry([*SERVICE_ERRORS, *FUNCTION_ERRORS], 2, 2)],
}
FUNCTION_STATE_SECONDS: Final[Mapping[Kind, int]] = {
    # Longer than the function's own limit, so that its own error is reported rather than ours.
    "STANDARD": FUNCTION_TIMEOUT_SECONDS + 10,
    "EXPRESS": FUNCTION_TIMEOUT_SECONDS + 2,
}
NOTIFY_RETRY: Final[Mapping[Kind, Any]] = {
    "STANDARD": [_retry(["States.ALL"], 2, 4)],
    "EXPRESS": [_retry(["States.ALL"], 1, 2)],
}
KEEP_RETRY: Final[Mapping[Kind, Any]] = {
    "STANDARD": NOTIFY_RETRY["STANDARD"],
    "EXPRESS": [_retry(["States.ALL"], 1, 1)],
}
BRIEF_RETRY: Final[Mapping[Kind, Any]] = {"STANDARD": [_retry(["States.ALL"], 2, 1)], "EXPRESS": []}
"""For the second way to notify, after the first was refused at once."""
NOTIFY_STATE_SECONDS: Final[Mapping[Kind, int]] = {"STANDARD": 30, "EXPRESS": 10}


def worst_case_seconds(definition: Mapping[str, Any]) -> float:
    """The longest that an execution can take: each task times out in each attempt, on the longest path.

    Without the transitions between states, which take milliseconds. A task may still succeed in its last attempt, so
    its time counts on every path. Endless for a path in a circle, or a task without a time limit.

    Raises:
        ValueError: a state has a type whose duration is not known here.
    """
    states: Mapping[str, Any] = definition["States"]
    known: dict[str, float] = {}

    def longest(name: str, passed: tuple[str, ...]) -> float:
        if name in passed:
            return float("inf")
        if name not in known:
            following = [longest(to, (*passed, name)) for to in _following(states[name])]
            known[name] = _state_seconds(states[name]) + max(following, default=0)
        return known[name]

    return longest(str(definition["StartAt"]), ())


def _following(state: Mapping[str, Any]) -> list[str]:
    ways = [*state.get("Choices", ()), *state.get("Catch", ()), state]
    return [way[key] for way in ways for key in ("Next", "Default") if key in way]


def _state_seconds(state: Mapping[str, Any]) -> float:
    if state["Type"] in {"Choice", "Pass", "Succeed", "Fail"}:
        return 0
    if state["Type"] != "Task":
        raise ValueError(f"the duration of a state of type {state['Type']} is not known here")
    waits = [
        min(
            float(retrier.get("IntervalSeconds", 1)) * float(retrier.get("BackoffRate", 2)) ** attempt,
            float(retrier.get("MaxDelaySeconds", "inf")),
        )
        for retrier in state.get("Retry", ())
        for attempt in range(retrier.get("MaxAttempts", 3))
    ]
    return float(state.get("TimeoutSeconds", "inf")) * (1 + len(waits)) + sum(waits)


def workflow_definition(
    *,
    environment: str,
    partition: str,
    stream_monitor_arn: str,
    alert_handler_arn: str,
    topic_arn: str,
    dead_letters_url: str,
    kind: Kind = "STANDARD",
) -> dict[str, Any]:
    """The workflow of an environment, for any flow: check, evaluate, notify; a failed check also notifies.

    Returns:
        A definition in which each path ends in success; in a failed execution after its input was kept for a replay
        and a message reported a monitoring failure; or, where a person's input starts no check, in a failed execution
        with the reason, and without a message. No failure is recorded as success.
    """
    return {
        "Comment": "Checks one flow and notifies if it is unhealthy, or if the check fails.",
        "StartAt": "MonitorStream",
        "States": {
            "MonitorStream": _invoke(
                stream_monitor_arn,
                kind=kind,
                partition=partition,
                payload={"input.$": "$", "started.$": "$$.Execution.StartTime"} | EXECUTION,
                selector={"report.$": "$.Payload"},
                following="EvaluateHealth",
            ),
            "EvaluateHealth": {
                "Type": "Choice",
                "Comment": "Only a report with healthy = true counts as healthy.",
                "Choices": [
                    {"Variable": "$.report.refused", "IsPresent": True, "Next": INPUT_REFUSED},
                    {
                        "And": [
                            {"Variable": "$.report.healthy", "IsPresent": True},
                            {"Variable": "$.report.healthy", "BooleanEquals": True},
                        ],
                        "Next": "ClearAlert",
                    },
                ],
                "Default": "RaiseAlert",
            },
            INPUT_REFUSED: {"Type": "Fail", "Error": INPUT_REFUSED, "CausePath": "$.report.refused"},
            "RaiseAlert": _handle(alert_handler_arn, kind=kind, partition=partition, following="AlertSent"),
            "ClearAlert": _handle(alert_handler_arn, kind=kind, partition=partition, following="StreamHealthy"),
            "AlertSent": {"Type": "Succeed"},
            "StreamHealthy": {"Type": "Succeed"},
            "IsReplay": {
                "Type": "Choice",
                "Comment": "The input of a replay still is in the dead-letter queue.",
                "Choices": [{"Variable": "$$.Execution.Name", "StringMatches": f"{REPLAY}*", "Next": "MonitorBlind"}],
                "Default": "KeepInput",
            },
            "KeepInput": {
                "Type": "Task",
                "Comment": "A replay starts an execution with exactly this body.",
                "Resource": f"arn:{partition}:states:::sqs:sendMessage",
                "Parameters": {
                    "QueueUrl": dead_letters_url,
                    "MessageBody.$": "States.JsonToString($$.Execution.Input)",
                    "MessageAttributes": {
                        "error": {"DataType": "String", "StringValue.$": "$.failure.Error"},
                        "execution": {"DataType": "String", "StringValue.$": "$$.Execution.Id"},
                    },
                },
                "ResultPath": None,
                "TimeoutSeconds": NOTIFY_STATE_SECONDS[kind],
                "Retry": KEEP_RETRY[kind],
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.not_kept", "Next": "MonitorBlind"}],
                "Next": "MonitorBlind",
            },
            "MonitorBlind": _notify_monitoring_failure(
                topic_arn,
                environment,
                kind,
                partition,
                # The whole failure: a timeout has no cause.
                details="Input: {}\nFailure: {}\n",
                values="States.JsonToString($$.Execution.Input), States.JsonToString($.failure)",
                # With a large input the message is longer than SNS or a state takes: it is sent without.
                retry=[{"ErrorEquals": TOO_LONG, "MaxAttempts": 0}, *NOTIFY_RETRY[kind]],
                catch=[{"ErrorEquals": TOO_LONG, "ResultPath": None, "Next": "MonitorBlindBriefly"}],
            ),
            "MonitorBlindBriefly": _notify_monitoring_failure(
                topic_arn,
                environment,
                kind,
                partition,
                details="Input and failure are too long for this message: see {}\n",
                values="$$.Execution.Id",
                retry=BRIEF_RETRY[kind],
            ),
            "MonitoringFailed": {
                "Type": "Fail",
                "Error": "MonitoringFailed",
                "CausePath": (
                    "States.Format('The flow could not be checked, or its notification could not be sent: {}', "
                    "States.JsonToString($.failure))"
                ),
            },
        },
    }


def sms_of_failure(environment: str) -> str:
    """What a phone shows when monitoring fails; one part of a text message."""
    return f"CRITICAL ({environment}): a check failed after all retries. Check the stream: no alert does not mean OK."


def _notify_monitoring_failure(
    topic_arn: str,
    environment: str,
    kind: Kind,
    partition: str,
    *,
    details: str,
    values: str,
    retry: list[dict[str, Any]],
    catch: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Publishes a monitoring failure, with details in which `{}` stand for values in States Language."""
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::sns:publish",
        "Parameters": {
            "TopicArn": topic_arn,
            "Subject": f"[CRITICAL] monitoring is down ({environment})",
            "MessageStructure": "json",
            "Message": {  # the integration makes a string of it
                "default.$": (
                    "States.Format('Monitoring is down: a check failed after all retries. "
                    "No alert does not mean no problem.\n"
                    "First: check the stream yourself, then this execution: {}\n\n"
                    f"Environment: {environment}\n{details}"
                    f"To check again once the cause is fixed: make replay ENV={environment}\n', "
                    f"$$.Execution.Id, {values})"
                ),
                "sms": sms_of_failure(environment),
            },
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": value}
                for name, value in (
                    ("environment", environment),
                    ("flow", "*"),
                    ("kind", "blind"),
                    ("severity", "CRITICAL"),
                )
            },
        },
        "ResultPath": None,
        "TimeoutSeconds": NOTIFY_STATE_SECONDS[kind],
        "Retry": retry,
        "Catch": [*catch, {"ErrorEquals": ["States.ALL"], "ResultPath": "$.not_sent", "Next": "MonitoringFailed"}],
        "Next": "MonitoringFailed",
    }


def _handle(function_arn: str, *, kind: Kind, partition: str, following: str) -> dict[str, Any]:
    """A healthy report goes the same way: only the record shows whether it ends an incident."""
    return _invoke(
        function_arn,
        kind=kind,
        partition=partition,
        payload={"report.$": "$.report"} | EXECUTION,
        selector={"sent.$": "$.Payload.sent"},
        following=following,
    )


def _invoke(
    function_arn: str, *, kind: Kind, partition: str, payload: dict[str, str], selector: dict[str, str], following: str
) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::lambda:invoke",
        "Parameters": {"FunctionName": function_arn, "Payload": payload},
        "ResultSelector": selector,
        "TimeoutSeconds": FUNCTION_STATE_SECONDS[kind],
        "Retry": RETRY[kind],
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "IsReplay"}],
        "Next": following,
    }
