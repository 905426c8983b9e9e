"""The state machine with its role and logs. Its states are in `components.workflow_definition`."""

import json
from typing import Any, Final

from constructs import Construct

from components.aws import (
    CloudwatchLogGroup,
    IamRole,
    IamRolePolicy,
    SfnStateMachine,
    SfnStateMachineLoggingConfiguration,
    SfnStateMachineTracingConfiguration,
)
from components.functions import Function
from components.iam import DELIVER_LOGS, WRITE_TRACES, allow, document, own_account, trust
from components.site import Site
from components.triggers import DeadLetters
from components.workflow_definition import Kind, workflow_definition


class Workflow(Construct):
    """One state machine for all flows of the environment.

    `topic_key_arn` is the key that may encrypt an existing topic.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        site: Site,
        kind: Kind,
        stream_monitor: Function,
        alert_handler: Function,
        self_monitoring_topic_arn: str,
        dead_letters: DeadLetters,
        key_arn: str,
        topic_key_arn: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        logs = CloudwatchLogGroup(
            self,
            "logs",
            # Groups with this prefix share one of the ten resource policies of an account.
            name=f"/aws/vendedlogs/states/{site.names.state_machine}",
            retention_in_days=site.log_retention_days,
            kms_key_id=key_arn,
        )
        role = IamRole(
            self,
            "role",
            name=site.names.role("workflow"),
            description="Runs the workflow: calls both functions, and notifies of a monitoring failure itself",
            assume_role_policy=trust("states.amazonaws.com", condition=own_account(site.account_id)),
            permissions_boundary=site.permissions_boundary,
        )
        policy = IamRolePolicy(
            self,
            "policy",
            name="workflow",
            role=role.id,
            policy=document(
                allow(["lambda:InvokeFunction"], [stream_monitor.arn, alert_handler.arn]),
                # Neither uses the environment's key, so that a monitoring failure is reported even if the key is lost.
                allow(["sns:Publish"], self_monitoring_topic_arn),
                allow(["sqs:SendMessage"], dead_letters.arn),
                *([allow(["kms:Decrypt", "kms:GenerateDataKey"], topic_key_arn)] if topic_key_arn else []),
                WRITE_TRACES,
                DELIVER_LOGS,
            ),
        )
        definition: dict[str, Any] = workflow_definition(
            environment=site.names.environment,
            partition=site.partition,
            stream_monitor_arn=stream_monitor.arn,
            alert_handler_arn=alert_handler.arn,
            topic_arn=self_monitoring_topic_arn,
            dead_letters_url=dead_letters.url,
            kind=kind,
        )
        machine = SfnStateMachine(
            self,
            "machine",
            name=site.names.state_machine,
            type=kind,
            role_arn=role.arn,
            definition=json.dumps(definition),
            logging_configuration=SfnStateMachineLoggingConfiguration(
                level="ALL", include_execution_data=True, log_destination=f"{logs.arn}:*"
            ),
            tracing_configuration=SfnStateMachineTracingConfiguration(enabled=True),
            depends_on=[policy],
        )
        self.arn: Final = machine.arn
