"""What is encrypted under a customer key is out of reach while the key is. moto encrypts nothing and asks no key.

A key is out of reach that is disabled or waits for its deletion, or whose policy has lost the statement that the caller
needs. Codes are those of each service's API reference. DynamoDB's is not documented for its data calls, and it notices
a change within minutes only; here it does at once.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.core.exceptions import JsonRESTError, ServiceException
from moto.dynamodb.models import DynamoDBBackend
from moto.kms.models import kms_backends
from moto.s3.exceptions import S3ClientError
from moto.s3.models import S3Backend
from moto.sns.exceptions import SNSException
from moto.sns.models import Topic
from moto.sqs.exceptions import SQSException
from moto.sqs.models import SQSBackend

from tools.local_aws.resource_policies import caller, delegates, permits

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
    """Why the present caller cannot use a key: its state, or "denied"; None if it can, or if there is no key."""
    if not key_id:
        return None
    if key_id.startswith("alias/aws/"):
        return "denied" if caller() else None  # the policies of these keys let services act for users only
    region = key_id.split(":")[3] if key_id.startswith("arn:") else None
    backends = [kms_backends[ACCOUNT_ID][region]] if region else list(kms_backends[ACCOUNT_ID].values())
    for backend in backends:
        try:
            key = backend.keys[backend.any_id_to_key_id(key_id)]
        except (AttributeError, KeyError, JsonRESTError, ServiceException):  # an alias that is not there has no id
            continue
        if key.key_state != "Enabled":
            return str(key.key_state)
        service = caller()
        asked = all(
            permits(key.policy, action, service) if service else delegates(key.policy, action) for action in NEEDED
        )
        return None if asked else "denied"
    return None


def _check(service: str, key_id: str | None, error: Callable[[str, str], Exception]) -> None:
    if state := refusal(key_id):
        raise error(CODES[service][state], f"The key {key_id} cannot be used: {state}.")


@cache
def install() -> None:
    """Ask the key of a topic, queue, table or bucket before each use."""
    publish = Topic.publish

    def published(self: Any, *args: Any, **kwargs: Any) -> Any:
        _check("sns", self.kms_master_key_id, SNSException)
        return publish(self, *args, **kwargs)

    Topic.publish = published
    _guard(SQSBackend, ("send_message", "receive_message"), "sqs", _queue_key, SQSException)
    _guard(
        DynamoDBBackend,
        ("get_item", "put_item", "update_item", "delete_item", "query", "scan"),
        "dynamodb",
        _table_key,
        JsonRESTError,
    )
    _guard(S3Backend, ("put_object", "get_object"), "s3", _bucket_key, S3ClientError)


def _guard(
    backend: Any,
    names: tuple[str, ...],
    service: str,
    key_of: Callable[[Any, Any], str | None],
    error: Callable[[str, str], Exception],
) -> None:
    """Ask the key of what the first argument of these methods names."""

    def asking_first(call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(self: Any, what: Any, *args: Any, **kwargs: Any) -> Any:
            _check(service, key_of(self, what), error)
            return call(self, what, *args, **kwargs)

        return guarded

    for name in names:
        setattr(backend, name, asking_first(getattr(backend, name)))


def _queue_key(backend: Any, queue: Any) -> str | None:
    found = backend.get_queue(queue) if isinstance(queue, str) else queue
    return str(found.kms_master_key_id or "")


def _table_key(backend: Any, name: str) -> str | None:
    table = backend.get_table(name)
    return str((table.sse_specification or {}).get("KMSMasterKeyId") or "")


def _bucket_key(backend: Any, name: str) -> str | None:
    bucket = backend.buckets.get(name)
    rule = ((bucket.encryption if bucket else None) or {}).get("Rule", {})
    default = (rule[0] if isinstance(rule, list) else rule).get("ApplyServerSideEncryptionByDefault", {})
    return str(default.get("KMSMasterKeyID") or "")
