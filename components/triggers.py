"""What starts the workflow: alarms, MediaConnect events and schedules, all with a dead-letter queue.

Events come first but are best effort, alarms are certain but minutes late, the schedule finds what both miss.
`components.event_patterns` selects the events.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from constructs import Construct

from components import event_patterns
from components.aws import (
    CloudwatchEventRule,
    CloudwatchEventTarget,
    CloudwatchEventTargetDeadLetterConfig,
    CloudwatchEventTargetRetryPolicy,
    IamRole,
    IamRolePolicy,
    SchedulerSchedule,
    SchedulerScheduleFlexibleTimeWindow,
    SchedulerScheduleGroup,
    SchedulerScheduleTarget,
    SchedulerScheduleTargetDeadLetterConfig,
    SchedulerScheduleTargetRetryPolicy,
    SqsQueue,
    SqsQueuePolicy,
)
from components.iam import allow, document, own_account, trust
from components.site import Site

EVENT_MAX_AGE_SECONDS: Final = 3600  # by then scheduled checks have replaced it
EVENT_RETRIES: Final = 24
KEEP_DEAD_LETTERS_SECONDS: Final = 14 * 24 * 3600  # the longest that SQS keeps anything


class DeadLetters(Construct):
    """Dead-letter queue of what could not start the workflow, or failed in it.

    Each body is an input of the state machine or, from EventBridge Scheduler, the request to Step Functions that holds
    one; `tools.operations.dead_letters` reads both. A self-monitoring alarm watches its depth; `media-workflow replay`
    runs the workflow again. Encrypted by SQS itself (SSE-SQS): with the environment's key, the loss of the key would
    lose the dead letters.
    """

    def __init__(self, scope: Construct, id_: str, *, site: Site) -> None:
        super().__init__(scope, id_)
        queue = SqsQueue(
            self,
            "queue",
            name=site.names.dead_letter_queue,
            message_retention_seconds=KEEP_DEAD_LETTERS_SECONDS,
            sqs_managed_sse_enabled=True,
        )
        SqsQueuePolicy(
            self,
            "policy",
            queue_url=queue.url,
            policy=document(
                allow(
                    ["sqs:SendMessage"],
                    queue.arn,
                    principal={"Service": "events.amazonaws.com"},
                    condition=own_account(
                        site.account_id, source_arn=site.arn("events", f"rule/{site.names.prefix}-*")
                    ),
                )
            ),
        )
        self.arn: Final = queue.arn
        self.name: Final = queue.name
        self.url: Final = queue.url


class Triggers(Construct):
    """Rules and schedules that start the workflow.

    Args:
        scope: parent construct.
        id_: construct id, part of the address.
        site: account, Region and names.
        state_machine_arn: the workflow.
        dead_letters: queue of what could not start it.
        flow_arns: ARN by flow name. Each flow has a schedule; groups of flows share a rule for their events.
        presence_keys: keys of the health rules for which missing data starts a check.
        check_every_minutes: interval of the scheduled checks.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        site: Site,
        state_machine_arn: str,
        dead_letters: DeadLetters,
        flow_arns: Mapping[str, str],
        presence_keys: Sequence[str],
        check_every_minutes: int,
    ) -> None:
        super().__init__(scope, id_)
        self.rule_names: Final[dict[str, str]] = {}
        self._site = site
        self._state_machine_arn = state_machine_arn
        self._dead_letters = dead_letters
        start = allow(["states:StartExecution"], state_machine_arn)
        self._rule_role = self._role("rules", "events.amazonaws.com", start)
        self._schedule_role = self._role(
            "schedules",
            "scheduler.amazonaws.com",
            start,
            allow(["sqs:SendMessage"], dead_letters.arn),
        )
        self._rule(
            "alarm-raised",
            "A health alarm of a flow went to ALARM",
            event_patterns.alarms_raised(site.alarm_arn_prefix),
        )
        self._rule(
            "presence-unknown",
            "A source has no data: the flow is stopped, or the source is gone",
            event_patterns.presence_unknown(site.alarm_arn_prefix, presence_keys),
        )
        group = SchedulerScheduleGroup(self, "schedule_group", name=site.names.schedule_group)
        self.schedule_group: Final = group.name
        arns = list(flow_arns.values())
        for number, first in enumerate(range(0, len(arns), event_patterns.FLOWS_A_RULE), start=1):
            # In the order of the settings: a flow added at their end changes the last rule only.
            self._rule(
                f"events-{number}",
                f"MediaConnect events of the flows of group {number}",
                event_patterns.flow_events(arns[first : first + event_patterns.FLOWS_A_RULE]),
            )
        for flow_name, flow_arn in flow_arns.items():
            self._schedule(flow_name, flow_arn, group.name, check_every_minutes)

    def _role(self, part: str, service: str, *statements: Mapping[str, Any]) -> IamRole:
        role = IamRole(
            self,
            f"{part}_role",
            name=self._site.names.role(part),
            description=f"Starts the workflow from {part}",
            assume_role_policy=trust(service, condition=own_account(self._site.account_id)),
            permissions_boundary=self._site.permissions_boundary,
        )
        IamRolePolicy(self, f"{part}_policy", name=part, role=role.id, policy=document(*statements))
        return role

    def _rule(self, part: str, description: str, pattern: Mapping[str, Any]) -> None:
        rule = CloudwatchEventRule(
            self,
            f"rule_{part}",
            name=self._site.names.rule(part),
            description=description,
            event_pattern=event_patterns.written(pattern),
        )
        self.rule_names[part] = rule.name
        CloudwatchEventTarget(
            self,
            f"target_{part}",
            rule=rule.name,
            target_id="workflow",
            arn=self._state_machine_arn,
            role_arn=self._rule_role.arn,
            retry_policy=CloudwatchEventTargetRetryPolicy(
                maximum_event_age_in_seconds=EVENT_MAX_AGE_SECONDS, maximum_retry_attempts=EVENT_RETRIES
            ),
            dead_letter_config=CloudwatchEventTargetDeadLetterConfig(arn=self._dead_letters.arn),
        )

    def _schedule(self, flow_name: str, flow_arn: str, group_name: str, minutes: int) -> None:
        SchedulerSchedule(
            self,
            f"schedule_{flow_name}",
            name=self._site.names.schedule(flow_name),
            group_name=group_name,
            description=f"Scheduled check of {flow_name}",
            schedule_expression=f"rate({minutes} minute{'' if minutes == 1 else 's'})",
            flexible_time_window=SchedulerScheduleFlexibleTimeWindow(mode="OFF"),
            target=SchedulerScheduleTarget(
                arn=self._state_machine_arn,
                role_arn=self._schedule_role.arn,
                input=json.dumps({"kind": "schedule", "flow_arn": flow_arn, "time": "<aws.scheduler.scheduled-time>"}),
                retry_policy=SchedulerScheduleTargetRetryPolicy(
                    maximum_event_age_in_seconds=minutes * 60,  # the next check is due by then
                    maximum_retry_attempts=3,
                ),
                dead_letter_config=SchedulerScheduleTargetDeadLetterConfig(arn=self._dead_letters.arn),
            ),
        )
