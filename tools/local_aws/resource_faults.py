"""Breaks what is deployed as a person could by hand: disables a key, takes statements out of policies.

Unlike `faults`, these refuse no calls themselves: whoever uses the key or topic gets what AWS answers then.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from moto.kms.models import kms_backends
from moto.sns.models import sns_backends

from tools.local_aws.backends import ACCOUNT_ID

KEY_STATES: Final = {"disabled": "Disabled", "pending-deletion": "PendingDeletion"}
DENY_ALL: Final = {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What can be broken: the key's alias or ARN, and the names of both topics."""

    key: str
    topic: str
    self_monitoring_topic: str


def broken(target: str, error: str, *, region: str, names: Names) -> Callable[[], None]:
    """Break a resource; returns the function that repairs it.

    Raises:
        LookupError: there is no such key or topic.
    """
    if target == "key":
        return _break_key(_key(region, names.key), error)
    name = names.topic if target == "topic_policy" else names.self_monitoring_topic
    topics = sns_backends[ACCOUNT_ID][region].topics.values()
    topic = next((topic for topic in topics if topic.name == name), None)
    if topic is None:
        raise LookupError(f"no topic {name} in the local AWS; topics: {', '.join(topic.name for topic in topics)}")
    return _break_policy(topic, error)


def _key(region: str, name: str) -> Any:
    backend = kms_backends[ACCOUNT_ID][region]
    key_id = backend.get_key_id_from_alias(name) if name.startswith("alias/") else name
    key = backend.keys.get(backend.get_key_id(key_id)) if key_id else None
    if key is None:
        raise LookupError(f"no key {name} in the local AWS")
    return key


def _break_key(key: Any, error: str) -> Callable[[], None]:
    before = key.key_state, key.enabled, key.policy

    def repair() -> None:
        key.key_state, key.enabled, key.policy = before

    if error in KEY_STATES:
        key.key_state, key.enabled = KEY_STATES[error], False
    else:
        # The first statement lets IAM of the account grant use; without it no policy of a role counts.
        policy = json.loads(key.policy)
        key.policy = json.dumps({**policy, "Statement": policy["Statement"][1:]})
    return repair


def _break_policy(topic: Any, error: str) -> Callable[[], None]:
    before = topic.policy

    def repair() -> None:
        topic.policy = before

    policy = json.loads(before)
    kept = [item for item in policy["Statement"] if "Service" not in item["Principal"]]
    topic.policy = json.dumps({**policy, "Statement": [*kept, DENY_ALL] if error == "denied" else kept})
    return repair
