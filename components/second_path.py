"""The second path of self-monitoring alarms: what the first could not deliver is published as an alert.

CloudWatch publishes such an alarm to the self-monitoring topic itself. If that topic refuses (its policy was changed,
it was deleted), CloudWatch says so only in the alarm's history, and no metric counts it. So a rule hands each alarm to
a small state machine of its own, which asks the history and publishes to the alerts topic unless CloudWatch succeeded.
The two paths share no topic, no policy and no function.
"""

import json
from typing import Any, Final

from constructs import Construct

from components import event_patterns
from components.aws import (
    CloudwatchEventRule,
    CloudwatchEventTarget,
    CloudwatchEventTargetRetryPolicy,
    IamRole,
    IamRolePolicy,
    SfnStateMachine,
)
from components.iam import allow, document, own_account, trust
from components.site import Site

WAIT_SECONDS: Final = 60
"""Until CloudWatch has written into the history what came of its action; AWS names no time."""
DONE: Final = '*"Successfully executed action *'
"""The history's text for an action that succeeded; anything else, or nothing, counts as failed."""
RETRY: Final = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 5, "MaxAttempts": 4, "BackoffRate": 2}]
MAX_AGE_SECONDS: Final = 3600
RETRIES: Final = 24


def second_path_definition(*, environment: str, partition: str, topic_arn: str) -> dict[str, Any]:
    """The state machine of the second path; its input is the event of an alarm that changed its state."""
    return {
        "Comment": "Publishes a self-monitoring alarm as an alert, unless CloudWatch has published it itself.",
        "StartAt": "Muted?",
        "States": {
            "Muted?": {
                "Type": "Choice",
                "Comment": "Mute rules of CloudWatch mute actions, but not events: somebody muted the alarm.",
                "Choices": [{"Variable": "$.detail.muteDetail", "IsPresent": True, "Next": "Muted"}],
                "Default": "Wait",
            },
            "Muted": {"Type": "Succeed"},
            "Wait": {"Type": "Wait", "Seconds": WAIT_SECONDS, "Next": "ReadHistory"},
            "ReadHistory": {
                "Type": "Task",
                "Resource": f"arn:{partition}:states:::aws-sdk:cloudwatch:describeAlarmHistory",
                "Parameters": {
                    "AlarmName.$": "$.detail.alarmName",
                    "HistoryItemType": "Action",
                    "StartDate.$": "$.time",
                    "ScanBy": "TimestampDescending",
                    "MaxRecords": 1,
                },
                "ResultSelector": {"newest.$": "States.JsonToString($.AlarmHistoryItems[*].HistorySummary)"},
                "ResultPath": "$.history",
                "Retry": RETRY,
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.unread", "Next": "PublishAlert"}],
                "Next": "Delivered?",
            },
            "Delivered?": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.history.newest", "StringMatches": DONE, "Next": "PublishedByCloudWatch"}],
                "Default": "PublishAlert",
            },
            "PublishedByCloudWatch": {"Type": "Succeed"},
            "PublishAlert": {
                "Type": "Task",
                "Resource": f"arn:{partition}:states:::sns:publish",
                "Parameters": {
                    "TopicArn": topic_arn,
                    "Subject": f"[CRITICAL] self-monitoring alarm ({environment})",
                    "MessageStructure": "json",
                    "Message": {
                        "default.$": (
                            "States.Format('The self-monitoring alarm {} is in {}, and CloudWatch could not notify you "
                            "of it: the self-monitoring topic does not accept its messages.\n"
                            "First: check the streams yourself, then the alarm, then the policy and the subscriptions "
                            "of the topic.\n\n"
                            f"Environment: {environment}\nWhat the alarm means: {{}}\nTime: {{}}\n', "
                            "$.detail.alarmName, $.detail.state.value, $.detail.configuration.description, $.time)"
                        ),
                        "sms.$": (  # one part of a text message
                            f"States.Format('CRITICAL ({environment}): alarm {{}}. Check the streams yourself.', "
                            "$.detail.alarmName)"
                        ),
                    },
                    "MessageAttributes": {
                        name: {"DataType": "String", "StringValue": value}
                        for name, value in (
                            ("environment", environment),
                            ("flow", "*"),
                            ("kind", "chain-alarm"),
                            ("severity", "CRITICAL"),
                        )
                    },
                },
                "Retry": RETRY,
                "End": True,
            },
        },
    }


class SecondPath(Construct):
    """A rule on the self-monitoring alarms of the environment, and the state machine that it starts.

    Without a dead-letter queue: that queue's bodies are inputs of the workflow. A start that fails for good is counted
    in FailedInvocations of the rule, which has an alarm like every other rule.
    """

    part: Final = "self-monitoring"

    def __init__(self, scope: Construct, id_: str, *, site: Site, topic_arn: str, key_arn: str) -> None:
        super().__init__(scope, id_)
        role = IamRole(
            self,
            "role",
            name=site.names.role(self.part),
            description="Publishes self-monitoring alarms that CloudWatch could not publish",
            assume_role_policy=trust("states.amazonaws.com", condition=own_account(site.account_id)),
            permissions_boundary=site.permissions_boundary,
        )
        policy = IamRolePolicy(
            self,
            "policy",
            name=self.part,
            role=role.id,
            policy=document(
                allow(["cloudwatch:DescribeAlarmHistory"], f"{site.alarm_arn_prefix}*"),
                allow(["sns:Publish"], topic_arn),
                allow(["kms:Decrypt", "kms:GenerateDataKey"], key_arn),
            ),
        )
        machine = SfnStateMachine(
            self,
            "machine",
            name=site.names.self_monitoring_machine,
            type="STANDARD",  # keeps the history of each execution, so it needs no log group
            role_arn=role.arn,
            definition=json.dumps(
                second_path_definition(
                    environment=site.names.environment, partition=site.partition, topic_arn=topic_arn
                )
            ),
            depends_on=[policy],
        )
        rule = CloudwatchEventRule(
            self,
            "rule",
            name=site.names.rule(self.part),
            description="A self-monitoring alarm was raised",
            event_pattern=event_patterns.written(event_patterns.self_monitoring(site.self_monitoring_alarm_arn_prefix)),
        )
        start_role = IamRole(
            self,
            "start_role",
            name=site.names.role(f"{self.part}-rule"),
            description="Starts the second path of self-monitoring alarms",
            assume_role_policy=trust("events.amazonaws.com", condition=own_account(site.account_id)),
            permissions_boundary=site.permissions_boundary,
        )
        IamRolePolicy(
            self,
            "start_policy",
            name=f"{self.part}-rule",
            role=start_role.id,
            policy=document(allow(["states:StartExecution"], machine.arn)),
        )
        CloudwatchEventTarget(
            self,
            "target",
            rule=rule.name,
            target_id="second-path",
            arn=machine.arn,
            role_arn=start_role.arn,
            retry_policy=CloudwatchEventTargetRetryPolicy(
                maximum_event_age_in_seconds=MAX_AGE_SECONDS, maximum_retry_attempts=RETRIES
            ),
        )
        self.rule_name: Final = rule.name
        self.machine_arn: Final = machine.arn
