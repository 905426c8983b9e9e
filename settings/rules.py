"""Rules between settings: what MediaConnect, SNS and CloudWatch would refuse at deployment.

Pure. Each rule yields its violations; all rules are checked, so that all errors are reported together.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Final

from settings.model import AnyPart, BackupSource, Encryption, Environment, Flow, Notification, Output, Source
from settings.names import partition
from settings.protocols import PROTOCOLS, ports

Finding = tuple[str, object, str]
"""Key, value, and rule, as in `settings.errors.Problem`."""

HIGHEST_PORT: Final = 65535
MAX_OUTPUTS: Final = 50
MAX_SECRETS_OF_PIPELINE: Final = 3300
"""Characters of ARNs: what the rest of the boundary leaves of the 6,144 of a managed policy."""
MAX_OUTPUTS_WITH_CONTENT_MONITORING: Final = 10
ENDPOINTS: Final = {
    "email": (
        r"[^@\s,;<>]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,}",
        "a mail address such as noc@example.com",
    ),
    "sms": (r"\+[1-9]\d{6,14}", "a phone number in E.164 form such as +12025550123"),
    "https": (r"https://[^\s/]+(/\S*)?", "a URL that starts with https://"),
    "sqs": (r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:\S+", "the ARN of a queue"),
    "lambda": (r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:\S+", "the ARN of a function"),
}


def broken_rules(environment: Environment) -> Iterator[Finding]:
    """All violations of an environment, in the order of its settings."""
    yield from _notifications(environment.notifications)
    yield from _existing(environment)
    yield from _partitions(environment)
    yield from _flow_names(environment)
    for flow in environment.flows:
        for key, value, rule in _flow(flow, environment):
            yield f"flows.{flow.name}.{key}", value, rule


def _existing(environment: Environment) -> Iterator[Finding]:
    """Existing resources and the pipeline: same Region and account, own subscribers, shared state, size of secrets."""
    if environment.ci and environment.state_bucket_name is None:
        yield "ci", environment.ci.repository, "needs a state bucket: set allowed_account_ids or state_bucket"
    if environment.ci and (environment.ci.owner_id is None) != (environment.ci.repository_id is None):
        rule = f"needs owner_id and repository_id, or neither; run `media-workflow github-ids {environment.name}`"
        yield "ci", environment.ci.repository, rule
    size = sum(len(arn) + 3 for arn in environment.secret_arns)
    if environment.ci and size > MAX_SECRETS_OF_PIPELINE:
        rule = (
            f"their ARNs have {size} characters; the permissions boundary of a pipeline takes "
            f"{MAX_SECRETS_OF_PIPELINE}. Share secrets between sources and outputs, or remove [ci]"
        )
        yield "flows.encryption.secret_arn", f"{len(environment.secret_arns)} secrets", rule
    for key in ("existing_topic_arn", "existing_key_arn"):
        arn = getattr(environment, key)
        if arn:
            region, account = arn.split(":")[3:5]
            if region != environment.region or account not in (environment.allowed_account_ids or (account,)):
                yield key, arn, f"must be in {environment.region}, in an account of allowed_account_ids"
    if environment.existing_topic_arn and environment.notifications:
        rule = "has its own subscribers: leave [[notifications]] out, or leave this out to create a topic for them"
        yield "existing_topic_arn", environment.existing_topic_arn, rule


def _partitions(environment: Environment) -> Iterator[Finding]:
    """No ARN of another partition than the Region's: an account belongs to one partition."""
    wanted = partition(environment.region)
    for key, value in _strings("", environment.model_dump(exclude={"name"})):
        if value.startswith("arn:") and value.split(":")[1] != wanted:
            yield key, value, f"must start with arn:{wanted}:, the partition of {environment.region}"


def _strings(key: str, value: object) -> Iterator[tuple[str, str]]:
    """All strings in a value, with their dotted keys; flows by name."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _strings(f"{key}.{name}" if key else name, part)
    elif isinstance(value, tuple):
        for number, part in enumerate(value, start=1):
            name = part.get("name", f"#{number}") if isinstance(part, dict) else f"#{number}"
            yield from _strings(f"{key}.{name}", part)


def _notifications(notifications: Iterable[Notification]) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for number, notification in enumerate(notifications, start=1):
        pattern, wanted = ENDPOINTS[notification.protocol]
        if not re.fullmatch(pattern, notification.endpoint):
            yield f"notifications #{number}.endpoint", notification.endpoint, f"{notification.protocol} needs {wanted}"
        if (notification.protocol, notification.endpoint) in seen:
            yield f"notifications #{number}.endpoint", notification.endpoint, "is listed twice; remove one of them"
        seen.add((notification.protocol, notification.endpoint))


def _flow_names(environment: Environment) -> Iterator[Finding]:
    for name, count in Counter(flow.name.lower() for flow in environment.flows).items():
        if count > 1:
            yield "flows", name, f"{count} flows have this name (ignoring case); give each its own"


def _flow(flow: Flow, environment: Environment) -> Iterator[Finding]:
    zone = flow.availability_zone
    if zone and zone[:-1] != environment.region:
        yield "availability_zone", zone, f"the zone must be in the environment's region, {environment.region}"
    if flow.size == "LARGE_4X":
        yield "size", flow.size, "LARGE_4X carries CDI and JPEG XS only; use MEDIUM or LARGE for transport streams"
    for key, source in (("source", flow.source), ("backup_source", flow.backup_source)):
        if source:
            for part, value, rule in _source(source, environment):
                yield f"{key}.{part}", value, rule
    if flow.backup_source:
        yield from _two_sources(flow.source, flow.backup_source)
    yield from _outputs(flow, environment)


def _source(source: Source, environment: Environment) -> Iterator[Finding]:
    yield from _last_port(source)
    if cidr := source.given("allowed_cidr"):
        yield from _open_cidr("allowed_cidr", cidr, environment)
    yield from _encryption(source)


def _two_sources(source: Source, backup: BackupSource) -> Iterator[Finding]:
    if source.name == backup.name:
        yield "backup_source.name", backup.name, "both sources have this name; give each its own"
    mergeable = PROTOCOLS[source.protocol].merges and PROTOCOLS[backup.protocol].merges
    if source.protocol != backup.protocol and not mergeable:
        rule = f"both sources must have one protocol, and the first has {source.protocol} (rtp and rtp-fec may mix)"
        yield "backup_source.protocol", backup.protocol, rule
    if _ports(source) & _ports(backup):
        yield "backup_source.port", backup.given("port"), f"overlaps {_taken('source', source)}"
    if backup.failover_mode == "MERGE" and not mergeable:
        yield "backup_source.failover_mode", "MERGE", "merging needs RTP sequence numbers; use FAILOVER"
    if backup.failover_mode == "FAILOVER" and backup.given("recovery_window_ms") is not None:
        yield (
            "backup_source.recovery_window_ms",
            backup.given("recovery_window_ms"),
            "only MERGE has a recovery window; leave it out",
        )


def _outputs(flow: Flow, environment: Environment) -> Iterator[Finding]:
    count = len(flow.outputs)
    if count > MAX_OUTPUTS:
        yield "outputs", f"{count} outputs", f"a flow takes up to {MAX_OUTPUTS}; use a second flow"
    if flow.content_monitoring and count > MAX_OUTPUTS_WITH_CONTENT_MONITORING:
        rule = f"AWS disables it above {MAX_OUTPUTS_WITH_CONTENT_MONITORING} outputs, and there are {count}"
        yield "content_monitoring", "true", rule
    for name, output in flow.outputs.items():
        for part, value, rule in _output(output, environment):
            yield f"outputs.{name}.{part}", value, rule
    listeners = [
        *((key, part) for key, part in (("source", flow.source), ("backup_source", flow.backup_source)) if part),
        *(
            (f"outputs.{name}", part)
            for name, part in flow.outputs.items()
            if PROTOCOLS[part.protocol].output == "listens"
        ),
    ]
    for (key, one), (other_key, other) in combinations(listeners, 2):
        if other_key.startswith("outputs") and _ports(one) & _ports(other):
            yield f"{other_key}.port", other.given("port"), f"overlaps {_taken(key, one)}"


def _output(output: Output, environment: Environment) -> Iterator[Finding]:
    yield from _last_port(output)
    for cidr in output.given("allowed_cidrs") or ():
        yield from _open_cidr("allowed_cidrs", cidr, environment)
    yield from _encryption(output)


def _ports(part: AnyPart) -> set[int]:
    """Ports that a source or output takes; none where it has no port of its own."""
    port = part.given("port")
    return ports(part.protocol, port) if port else set()


def _last_port(part: AnyPart) -> Iterator[Finding]:
    taken = sorted(_ports(part))
    if taken and taken[-1] > HIGHEST_PORT:
        also = " and ".join(map(str, taken[1:]))
        yield "port", taken[0], f"{part.protocol} also takes {also}, above {HIGHEST_PORT}; use a lower port"


def _encryption(part: AnyPart) -> Iterator[Finding]:
    encryption: Encryption | None = part.given("encryption")
    if encryption is None:
        return
    allowed = PROTOCOLS[part.protocol].key_type
    if encryption.key_type != allowed:
        yield "encryption.key_type", encryption.key_type, f"{part.protocol} takes {allowed}"
    if encryption.key_type == "srt-password" and encryption.algorithm is not None:
        yield "encryption.algorithm", encryption.algorithm, "MediaConnect refuses it with srt-password; leave it out"


def _open_cidr(key: str, cidr: str, environment: Environment) -> Iterator[Finding]:
    if cidr.endswith("/0") and not environment.allow_open_cidr:
        rule = "allows any address; use the range of the other side, or set allow_open_cidr = true for this environment"
        yield key, cidr, rule


def _taken(key: str, part: AnyPart) -> str:
    port, *extra = sorted(_ports(part))
    also = f" ({part.protocol} also takes {' and '.join(map(str, extra))})" if extra else ""
    return f"the port {port} of {key}{also}; give each its own"
