"""Forgets what has happened in the local AWS and leaves what is deployed, so that the next rehearsal begins afresh."""

from moto.cloudwatch.models import cloudwatch_backends
from moto.dynamodb.models import dynamodb_backends
from moto.mediaconnect.models import mediaconnect_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from tools.local_aws import calls, clock, faults
from tools.local_aws.eventbridge import ACCOUNT_ID, LOST
from tools.local_aws.gaps import alarm_history, flow_messages, lambda_runs_the_zip, stepfunctions_api
from tools.local_aws.gaps.flow_states import set_flow_status
from tools.local_aws.service_metrics import forget_activity


def forget_what_happened(region: str, *, prefix: str = "") -> None:
    """Forget items, datapoints, messages, letters, runs and faults; alarms have no data, flows stand still.

    Args:
        region: where.
        prefix: what the names of one environment's alarms, tables, queues and state machines begin with; all if empty.
            Datapoints, messages and flows are those of all environments.
    """
    faults.lift()
    LOST.clear()
    _forget_alarms(region, prefix)
    for name, table in dynamodb_backends[ACCOUNT_ID][region].tables.items():
        if name.startswith(prefix):
            table.items.clear()
    for name, queue in sqs_backends[ACCOUNT_ID][region].queues.items():  # PurgeQueue works once a minute only
        if name.startswith(prefix):
            queue._messages.clear()
            forget_activity(queue)
            queue._pending_messages.clear()
    for machine in stepfunctions_parser_backends[ACCOUNT_ID][region].state_machines:
        if machine.name.startswith(prefix):
            machine.executions.clear()
    topics = sns_backends[ACCOUNT_ID][region]
    vars(topics).pop("noted_messages", None)
    for topic in topics.topics.values():
        topic.sent_notifications.clear()
    for arn in mediaconnect_backends[ACCOUNT_ID][region]._flows:
        set_flow_status(arn, "STANDBY")
        flow_messages.forget(arn)
    lambda_runs_the_zip.INVOCATIONS.clear()
    calls.forget()
    stepfunctions_api.begin_again()


def _forget_alarms(region: str, prefix: str) -> None:
    made = clock.now().replace(tzinfo=None)  # moto's times are UTC, unsaid
    watched = cloudwatch_backends[ACCOUNT_ID][region]
    watched.metric_data.clear()
    for name, alarm in watched.alarms.items():
        if name.startswith(prefix):
            alarm.state_value = "INSUFFICIENT_DATA"
            alarm_history.forget(alarm)
            alarm.state_reason, alarm.state_reason_data = "Unchecked: Initial alarm creation", "{}"
            # As if it was made now, so that messages of alarms hold no time of the clock on the wall.
            alarm.state_updated_timestamp = alarm.configuration_updated_timestamp = made
