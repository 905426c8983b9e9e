"""The state machine as a dictionary in Amazon States Language. Pure: ARNs come in, a definition goes out.

Owns the order of states, what is retried and what happens when watching itself fails. What "unhealthy" means is
decided by `lambda_src.stream_monitor`, wording of alerts by `lambda_src.alert_handler`.
"""

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
FUNCTION_TIMEOUT_SECONDS: Final = 30


def workflow_definition(
    *,
    environment: str,
    partition: str,
    stream_monitor_arn: str,
    alert_handler_arn: str,
    topic_arn: str,
    dead_letters_url: str,
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
                partition=partition,
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
            "RaiseAlert": _handle(alert_handler_arn, partition=partition, following="AlertSent"),
            "ClearAlert": _handle(alert_handler_arn, partition=partition, following="StreamHealthy"),
            "AlertSent": {"Type": "Succeed"},
            "StreamHealthy": {"Type": "Succeed"},
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
                "Retry": TELL_RETRY,
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.not_kept", "Next": "MonitorBlind"}],
                "Next": "MonitorBlind",
            },
            "MonitorBlind": {
                "Type": "Task",
                "Resource": f"arn:{partition}:states:::sns:publish",
                "Parameters": {
                    "TopicArn": topic_arn,
                    "Subject": f"[CRITICAL] monitoring is blind ({environment})",
                    # The whole failure: a timeout has no cause.
                    "Message.$": (
                        "States.Format('Nobody is watching: a check failed for good, so silence means nothing now.\n"
                        "Do first: look at the stream yourself, then at this execution: {}\n\n"
                        f"Environment: {environment}\nInput: {{}}\nFailure: {{}}\n"
                        f"To handle it again once this is mended: make replay ENV={environment}\n', "
                        "$$.Execution.Id, States.JsonToString($$.Execution.Input), "
                        "States.JsonToString($.failure))"
                    ),
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
                "Retry": TELL_RETRY,
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "MonitoringFailed"}],
                "Next": "MonitoringFailed",
            },
            "MonitoringFailed": {
                "Type": "Fail",
                "Error": "MonitoringFailed",
                "Cause": "The stream could not be judged or the alert could not be sent; see the failed state before.",
            },
        },
    }


def _handle(function_arn: str, *, partition: str, following: str) -> dict[str, Any]:
    """A healthy report goes the same way: only memory knows whether it ends an incident."""
    return _invoke(
        function_arn,
        partition=partition,
        payload={"report.$": "$.report", "execution.$": "$$.Execution.Id"},
        selector={"sent.$": "$.Payload.sent"},
        following=following,
    )


def _invoke(
    function_arn: str, *, partition: str, payload: dict[str, str], selector: dict[str, str], following: str
) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::lambda:invoke",
        "Parameters": {"FunctionName": function_arn, "Payload": payload},
        "ResultSelector": selector,
        # Longer than the function's own limit, so that its own words are reported rather than ours.
        "TimeoutSeconds": FUNCTION_TIMEOUT_SECONDS + 10,
        "Retry": RETRY,
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "KeepInput"}],
        "Next": following,
    }
