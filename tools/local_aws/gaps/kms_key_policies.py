"""What is encrypted under a customer key is refused while the caller cannot use the key.

A key cannot be used that is disabled or waits for its deletion, or whose policy lacks the statement that the caller
needs. Codes are those of each service's API reference. DynamoDB documents none for its data calls and notices a change
within minutes; here it does at once.

moto 5.2.5: encrypts nothing, and never evaluates the policy of a key.
AWS: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
AWS: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
Remove when: moto checks keys for SNS, SQS, DynamoDB and S3.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from moto.core.exceptions import JsonRESTError, ServiceException
from moto.dynamodb.models import DynamoDBBackend
from moto.kms.models import kms_backends
from moto.s3.exceptions import S3ClientError
from moto.s3.models import S3Backend
from moto.sns.exceptions import SNSException
from moto.sns.models import Topic
from moto.sqs.exceptions import SQSException
from moto.sqs.models import SQSBackend

from tools.local_aws.backends import ACCOUNT_ID
from tools.local_aws.moto_patches import Gap
from tools.local_aws.resource_policies import caller, delegates, permits

GAP: Final = Gap(__name__)
NEEDED: Final = ("kms:Decrypt", "kms:GenerateDataKey")
CODES: Final[Mapping[str, Mapping[str, str]]] = {
    "sns": {"Disabled": "KMSDisabled", "PendingDeletion": "KMSInvalidState", "denied": "KMSAccessDenied"},
    "sqs": {"Disabled": "KmsDisabled", "PendingDeletion": "KmsInvalidState", "denied": "KmsAccessDenied"},
    "s3": {
        "Disabled": "KMS.DisabledException",
        "PendingDeletion": "KMS.KMSInvalidStateException",
        "denied": "AccessDenied",
    },
    "dynamodb": dict.fromkeys(("Disabled", "PendingDeletion", "denied"), "AccessDeniedException"),
}
"""The error code of each service, by the state of the key or "denied"."""


def refusal(key_id: str | None) -> str | None:
    """Why the current caller cannot use a key: its state, or "denied"; None if it can, or if there is no key."""
    if not key_id:
        return None
    if key_id.startswith("alias/aws/"):
        return "denied" if caller() else None  # AWS-managed keys let services act for users only
    region = key_id.split(":")[3] if key_id.startswith("arn:") else None
    backends = [kms_backends[ACCOUNT_ID][region]] if region else list(kms_backends[ACCOUNT_ID].values())
    for backend in backends:
        try:
            key = backend.keys[backend.any_id_to_key_id(key_id)]
        except (AttributeError, KeyError, JsonRESTError, ServiceException):  # an unknown alias has no id
            continue
        if key.key_state != "Enabled":
            return str(key.key_state)
        service = caller()
        usable = all(
            permits(key.policy, action, service) if service else delegates(key.policy, action) for action in NEEDED
        )
        return None if usable else "denied"
    return None


def _check(service: str, key_id: str | None, error: Callable[[str, str], Exception]) -> None:
    if state := refusal(key_id):
        raise error(CODES[service][state], f"The key {key_id} cannot be used: {state}.")


def _topic_key(topic: Any, message: Any) -> str:
    del message
    return str(topic.kms_master_key_id or "")


def _queue_key(backend: Any, queue: Any) -> str:
    found = backend.get_queue(queue) if isinstance(queue, str) else queue
    return str(found.kms_master_key_id or "")


def _table_key(backend: Any, name: str) -> str:
    table = backend.get_table(name)
    return str((table.sse_specification or {}).get("KMSMasterKeyId") or "")


def _bucket_key(backend: Any, name: str) -> str:
    bucket = backend.buckets.get(name)
    rule = ((bucket.encryption if bucket else None) or {}).get("Rule", {})
    default = (rule[0] if isinstance(rule, list) else rule).get("ApplyServerSideEncryptionByDefault", {})
    return str(default.get("KMSMasterKeyID") or "")


def _guard(  # noqa: PLR0917  a row of a table
    owner: Any,
    first_parameter: str,
    methods: tuple[str, ...],
    service: str,
    key_of: Callable[..., str],
    error: Callable[..., Exception],
) -> None:
    """Check the key of what the first argument names before each of some methods."""

    def checked(call: Callable[..., Any], self: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
        _check(service, key_of(self, target), error)
        return call(self, target, *args, **kwargs)

    for name in methods:
        GAP.wraps(owner, name, f"(self, {first_parameter}, ...)")(checked)


TABLE_CALLS: Final = ("get_item", "put_item", "update_item", "delete_item", "query", "scan")
_guard(Topic, "message", ("publish",), "sns", _topic_key, SNSException)
_guard(SQSBackend, "queue_name", ("send_message", "receive_message"), "sqs", _queue_key, SQSException)
_guard(DynamoDBBackend, "table_name", TABLE_CALLS, "dynamodb", _table_key, JsonRESTError)
_guard(S3Backend, "bucket_name", ("put_object", "get_object"), "s3", _bucket_key, S3ClientError)
