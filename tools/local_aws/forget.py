"""Forgets what has happened in the local AWS and keeps what is deployed, so that the next rehearsal starts clean."""

from moto.cloudwatch.models import cloudwatch_backends
from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from tools.local_aws import backends, calls, clock, deliveries, faults
from tools.local_aws.backends import ACCOUNT_ID
from tools.local_aws.eventbridge import LOST
from tools.local_aws.gaps import cloudwatch_alarm_history, lambda_invocation, mediaconnect_messages, stepfunctions_api
from tools.local_aws.gaps.mediaconnect_flow_status import set_flow_status
from tools.local_aws.service_metrics import forget_activity


def forget_what_happened(region: str, *, prefix: str = "") -> None:
    """Forget items, datapoints, messages, invocations and faults; alarms have no data, flows are in STANDBY.

    Args:
        region: of what is deployed.
        prefix: start of the names of one environment's alarms, tables, queues and state machines; all if empty.
            Datapoints, messages and flows are those of all environments.
    """
    faults.lift()
    LOST.clear()
    _forget_alarms(region, prefix)
    for name, table in dynamodb_backends[ACCOUNT_ID][region].tables.items():
        if name.startswith(prefix):
            table.items.clear()
    for queue in backends.queues(region, prefix=prefix):
        queue.last_purged_at = None  # PurgeQueue is refused within a minute of the last
        sqs_backends[ACCOUNT_ID][region].purge_queue(queue.name)
        forget_activity(queue)
    for machine in stepfunctions_parser_backends[ACCOUNT_ID][region].state_machines:
        if machine.name.startswith(prefix):
            machine.executions.clear()
    deliveries.forget(region)
    for arn in backends.flow_arns(region):
        set_flow_status(arn, "STANDBY")
        mediaconnect_messages.forget(arn)
    lambda_invocation.INVOCATIONS.clear()
    calls.forget()
    stepfunctions_api.restart_names()


def _forget_alarms(region: str, prefix: str) -> None:
    created = backends.naive(clock.now())
    cloudwatch = cloudwatch_backends[ACCOUNT_ID][region]
    cloudwatch.metric_data.clear()
    for name, alarm in cloudwatch.alarms.items():
        if name.startswith(prefix):
            alarm.state_value = "INSUFFICIENT_DATA"
            cloudwatch_alarm_history.forget(alarm)
            alarm.state_reason, alarm.state_reason_data = "Unchecked: Initial alarm creation", "{}"
            # As if created now, so that messages of alarms contain no real time.
            alarm.state_updated_timestamp = alarm.configuration_updated_timestamp = created
