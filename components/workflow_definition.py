"""The state machine as a dictionary in Amazon States Language. Pure: ARNs come in, a definition goes out.

Owns the order of states, what is retried and what happens when watching itself fails. What "unhealthy" means is
decided by `lambda_src.stream_monitor`, wording of alerts by `lambda_src.alert_handler`.
"""

from collections.abc import Sequence
from typing import Any, Final

RETRY: Final = [
    {
        # Errors of the service, not of our code; docs.aws.amazon.com/step-functions, "Handle transient Lambda
        # service exceptions".
        "ErrorEquals": [
            "Lambda.ClientExecutionTimeoutException",
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.TooManyRequestsException",
        ],
        "IntervalSeconds": 1,
        "MaxAttempts": 5,
        "BackoffRate": 2,
    },
    {"ErrorEquals": ["States.TaskFailed", "States.Timeout"], "IntervalSeconds": 2, "MaxAttempts": 2, "BackoffRate": 2},
]
TELL_RETRY: Final = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 4, "BackoffRate": 2}]
TOO_LONG: Final = ["SNS.InvalidParameterException", "States.DataLimitExceeded", "States.IntrinsicFailure"]
"""What a message or its parts that are too long end in; `States.ALL` leaves the second out."""
FUNCTION_TIMEOUT_SECONDS: Final = 30


def workflow_definition(
    *, environment: str, stream_monitor_arn: str, alert_handler_arn: str, topic_arn: str, dead_letters_url: str
) -> dict[str, Any]:
    """The workflow of an environment, for any flow: look, judge, and tell; and tell too if looking fails.

    Returns:
        A definition in which each path ends in success, or in a failed execution after its input was kept for a
        replay and a message said that monitoring is blind. No failure is recorded as success.
    """
    return {
        "Comment": "Looks at one flow and alerts if it is unhealthy; if it cannot look, it says so.",
        "StartAt": "MonitorStream",
        "States": {
            "MonitorStream": _invoke(
                stream_monitor_arn,
                payload={"input.$": "$", "started.$": "$$.Execution.StartTime", "execution.$": "$$.Execution.Id"},
                selector={"report.$": "$.Payload"},
                following="EvaluateHealth",
            ),
            "EvaluateHealth": {
                "Type": "Choice",
                "Comment": "Only a report that says so itself is healthy: anything else is told.",
                "Choices": [
                    {
                        "And": [
                            {"Variable": "$.report.healthy", "IsPresent": True},
                            {"Variable": "$.report.healthy", "BooleanEquals": True},
                        ],
                        "Next": "ClearAlert",
                    }
                ],
                "Default": "RaiseAlert",
            },
            "RaiseAlert": _handle(alert_handler_arn, following="AlertSent"),
            "ClearAlert": _handle(alert_handler_arn, following="StreamHealthy"),
            "AlertSent": {"Type": "Succeed"},
            "StreamHealthy": {"Type": "Succeed"},
            "KeepInput": {
                "Type": "Task",
                "Comment": "A replay starts an execution with exactly this body.",
                "Resource": "arn:aws:states:::sqs:sendMessage",
                "Parameters": {
                    "QueueUrl": dead_letters_url,
                    "MessageBody.$": "States.JsonToString($$.Execution.Input)",
                    "MessageAttributes": {
                        "error": {"DataType": "String", "StringValue.$": "$.failure.Error"},
                        "execution": {"DataType": "String", "StringValue.$": "$$.Execution.Id"},
                    },
                },
                "ResultPath": None,
                "Retry": TELL_RETRY,
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.not_kept", "Next": "MonitorBlind"}],
                "Next": "MonitorBlind",
            },
            "MonitorBlind": _tell_blind(
                topic_arn,
                environment,
                # The whole failure: a timeout has no cause.
                details="Input: {}\nFailure: {}\n",
                values="States.JsonToString($$.Execution.Input), States.JsonToString($.failure)",
                # With a large input the message is longer than SNS or a state takes: it is sent without.
                retry=[{"ErrorEquals": TOO_LONG, "MaxAttempts": 0}, *TELL_RETRY],
                catch=[{"ErrorEquals": TOO_LONG, "ResultPath": None, "Next": "MonitorBlindBriefly"}],
            ),
            "MonitorBlindBriefly": _tell_blind(
                topic_arn,
                environment,
                details="Input and failure are too long for this message: see {}\n",
                values="$$.Execution.Id",
            ),
            "MonitoringFailed": {
                "Type": "Fail",
                "Error": "MonitoringFailed",
                "Cause": "The stream could not be judged or the alert could not be sent; see the failed state before.",
            },
        },
    }


def sms_of_failure(environment: str) -> str:
    """What a phone shows when monitoring fails; one part of a text message."""
    return f"CRITICAL ({environment}): a check failed after all retries. Check the stream: no alert does not mean OK."


def _tell_blind(
    topic_arn: str,
    environment: str,
    *,
    details: str,
    values: str,
    retry: list[dict[str, Any]] = TELL_RETRY,
    catch: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Publishes that monitoring is blind, with details in which `{}` stand for values in States Language."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": {
            "TopicArn": topic_arn,
            "Subject": f"[CRITICAL] monitoring is blind ({environment})",
            "MessageStructure": "json",
            "Message": {  # the integration makes a string of it
                "default.$": (
                    "States.Format('Nobody is watching: a check failed for good, so silence means nothing now.\n"
                    "Do first: look at the stream yourself, then at this execution: {}\n\n"
                    f"Environment: {environment}\n{details}"
                    f"To handle it again once this is mended: make replay ENV={environment}\n', "
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
        "Retry": retry,
        "Catch": [*catch, {"ErrorEquals": ["States.ALL"], "Next": "MonitoringFailed"}],
        "Next": "MonitoringFailed",
    }


def _handle(function_arn: str, *, following: str) -> dict[str, Any]:
    """A healthy report goes the same way: only memory knows whether it ends an incident."""
    return _invoke(
        function_arn,
        payload={"report.$": "$.report", "execution.$": "$$.Execution.Id"},
        selector={"sent.$": "$.Payload.sent"},
        following=following,
    )


def _invoke(function_arn: str, *, payload: dict[str, str], selector: dict[str, str], following: str) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function_arn, "Payload": payload},
        "ResultSelector": selector,
        # Longer than the function's own limit, so that its own words are reported rather than ours.
        "TimeoutSeconds": FUNCTION_TIMEOUT_SECONDS + 10,
        "Retry": RETRY,
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "KeepInput"}],
        "Next": following,
    }
