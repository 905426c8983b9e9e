"""What moto lacks or does otherwise than AWS, filled in; one file a gap, each with a test that fails without it."""

from functools import cache

from tools.local_aws import calls, deliveries, eventbridge, faults
from tools.local_aws.gaps import (
    account_quotas,
    alarm_begins_without_data,
    alarm_history,
    cloudformation_failures,
    cloudformation_mediaconnect,
    cloudwatch_metrics,
    done_once,
    flow_messages,
    flow_states,
    keys_are_asked,
    lambda_configuration,
    lambda_runs_the_zip,
    queue_keeps_its_policy,
    resource_policies_are_asked,
    retries_do_not_wait,
    s3_expected_bucket_owner,
    s3_policy_conditions,
    sns_texts,
    sqs_does_not_wait,
    stepfunctions_api,
    stepfunctions_express,
)

GAPS = (
    account_quotas,
    alarm_begins_without_data,
    alarm_history,
    cloudformation_failures,
    cloudformation_mediaconnect,
    cloudwatch_metrics,
    deliveries,
    keys_are_asked,  # after the deliveries: what is refused is not noted
    resource_policies_are_asked,
    done_once,
    eventbridge,
    faults,
    calls,  # after the faults, whose answers it notes
    flow_messages,
    flow_states,
    lambda_configuration,
    lambda_runs_the_zip,
    queue_keeps_its_policy,
    retries_do_not_wait,
    s3_expected_bucket_owner,
    s3_policy_conditions,
    sns_texts,
    sqs_does_not_wait,
    stepfunctions_api,
    stepfunctions_express,
)


@cache
def install() -> None:
    """Fill every gap, once for the process: moto's classes are changed."""
    for gap in GAPS:
        gap.install()
