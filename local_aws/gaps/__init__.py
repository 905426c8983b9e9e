"""What moto lacks or does otherwise than AWS, filled in; one file a gap, each with a test that fails without it."""

from functools import cache

from local_aws import calls, deliveries, eventbridge, faults
from local_aws.gaps import (
    alarm_begins_without_data,
    cloudformation_failures,
    cloudformation_mediaconnect,
    cloudwatch_metrics,
    done_once,
    flow_states,
    lambda_configuration,
    lambda_runs_the_zip,
    retries_do_not_wait,
    s3_expected_bucket_owner,
    s3_policy_conditions,
    stepfunctions_api,
)

GAPS = (
    alarm_begins_without_data,
    cloudformation_failures,
    cloudformation_mediaconnect,
    cloudwatch_metrics,
    deliveries,
    done_once,
    eventbridge,
    faults,
    calls,  # after the faults, whose answers it notes
    flow_states,
    lambda_configuration,
    lambda_runs_the_zip,
    retries_do_not_wait,
    s3_expected_bucket_owner,
    s3_policy_conditions,
    stepfunctions_api,
)


@cache
def install() -> None:
    """Fill every gap, once for the process: moto's classes are changed."""
    for gap in GAPS:
        gap.install()
