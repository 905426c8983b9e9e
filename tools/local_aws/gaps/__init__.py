"""What moto lacks or does otherwise than AWS, filled in: one module a gap, named `<service>_<gap>`.

Each names in its docstring what moto does, of which version, what AWS does, and when the gap can be removed; declares
which parts of moto it replaces; and has a test that fails without it. What AWS does by itself, without a call, belongs
beside this package.
"""

from typing import Final

from tools.local_aws import deliveries
from tools.local_aws.gaps import (
    account_quotas,
    cloudformation_failures,
    cloudformation_mediaconnect,
    cloudwatch_alarm_history,
    cloudwatch_alarm_listing,
    cloudwatch_alarm_state,
    cloudwatch_metrics,
    kms_key_policies,
    lambda_configuration,
    lambda_invocation,
    mediaconnect_flow_status,
    mediaconnect_messages,
    moto_caches,
    s3_expected_bucket_owner,
    s3_policy_conditions,
    sns_message_validation,
    sns_topic_policy,
    sqs_long_polling,
    sqs_queue_policy,
    stepfunctions_api,
    stepfunctions_express,
    stepfunctions_waits,
)

GAPS: Final = (
    deliveries,
    kms_key_policies,  # after the deliveries: what is refused is not recorded
    sns_topic_policy,
    sqs_queue_policy,
    account_quotas,
    cloudformation_failures,
    cloudformation_mediaconnect,
    cloudwatch_alarm_history,
    cloudwatch_alarm_listing,
    cloudwatch_alarm_state,
    cloudwatch_metrics,
    lambda_configuration,
    lambda_invocation,
    mediaconnect_flow_status,
    mediaconnect_messages,
    moto_caches,
    s3_expected_bucket_owner,
    s3_policy_conditions,
    sns_message_validation,
    sqs_long_polling,
    stepfunctions_api,
    stepfunctions_express,
    stepfunctions_waits,
)
"""In the order in which they are applied; a later one wraps an earlier one."""


def install() -> None:
    """Fill every gap, once for the process: moto's classes are changed.

    Raises:
        RuntimeError: the installed moto is not the one that a gap was written for.
    """
    for gap in GAPS:
        gap.GAP.install()
