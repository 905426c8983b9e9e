"""Rules that need two settings at once: what MediaConnect, SNS and CloudWatch refuse only at deploy.

Pure. Each rule yields what breaks it; all are asked, so that an operator sees every mistake at once.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from settings.model import BackupSource, Encryption, Environment, Flow, Notification, Output, Source
from settings.names import partition

Finding = tuple[str, object, str]
"""Key, value, and rule, as in `settings.errors.Problem`."""

HIGHEST_PORT: Final = 65535
MAX_OUTPUTS: Final = 50
MAX_SECRETS_OF_PIPELINE: Final = 3300
"""Characters of ARNs; a managed policy takes 6,144, and the rest of the boundary has its share."""
MAX_OUTPUTS_WITH_CONTENT_MONITORING: Final = 10
SRT: Final = frozenset({"srt-listener", "srt-caller"})
ZIXI: Final = frozenset({"zixi-push", "zixi-pull"})
LISTENING_OUTPUTS: Final = frozenset({"srt-listener", "zixi-pull"})
LATENCY: Final = SRT | ZIXI | {"rist"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Which protocols need a setting, which may have it besides, and what it is."""

    key: str
    what: str
    needed_by: frozenset[str] = frozenset()
    also_for: frozenset[str] = frozenset()

    def broken_by(self, part: Source | Output) -> Iterator[Finding]:
        """The setting missing where the protocol needs it, or given where the protocol has none."""
        value, protocol = getattr(part, self.key), part.protocol
        if value in (None, ()) and protocol in self.needed_by:
            yield self.key, None, f"is missing; {protocol} needs {self.what}"
        if value is not None and protocol not in self.needed_by | self.also_for:
            users = ", ".join(sorted(self.needed_by | self.also_for))
            shown = ", ".join(value) if isinstance(value, tuple) else value
            yield self.key, shown, f"{protocol} has none; leave it out ({self.what} is for {users})"


SOURCE_USES: Final = (
    Use(
        key="port",
        what="the port that the encoder sends to",
        needed_by=frozenset({"rtp", "rtp-fec", "rist", "srt-listener"}),
    ),
    Use(
        key="allowed_cidr",
        what="the range that the encoder sends from, such as 203.0.113.10/32,",
        needed_by=frozenset({"rtp", "rtp-fec", "rist", "srt-listener", "zixi-push"}),
    ),
    Use(key="listener_address", what="the address to call", needed_by=frozenset({"srt-caller"})),
    Use(key="listener_port", what="the port to call", needed_by=frozenset({"srt-caller"})),
    Use(key="latency_ms", what="a latency", also_for=LATENCY),
    Use(key="max_bitrate_bps", what="a highest bitrate", also_for=frozenset({"rtp", "rtp-fec", "rist"})),
    Use(key="stream_id", what="a stream id", also_for=frozenset({"srt-caller", "zixi-push"})),
)
OUTPUT_USES: Final = (
    Use(
        key="destination",
        what="the receiver's address",
        needed_by=frozenset({"rtp", "rtp-fec", "rist", "srt-caller", "zixi-push"}),
    ),
    Use(
        key="port",
        what="a port",
        needed_by=frozenset({"rtp", "rtp-fec", "rist", "srt-listener", "srt-caller", "zixi-push"}),
    ),
    Use(key="allowed_cidrs", what="the ranges that may fetch the stream", needed_by=LISTENING_OUTPUTS),
    Use(key="latency_ms", what="a latency", also_for=LATENCY),
    Use(key="stream_id", what="a stream id", also_for=SRT | ZIXI),
    Use(key="remote_id", what="the receiver's id", needed_by=frozenset({"zixi-pull"})),
)
PORT_OFFSETS: Final = {"rtp-fec": (0, 2, 4), "rist": (0, 1)}
ENDPOINTS: Final = {
    "email": (
        r"[^@\s,;<>]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,}",
        "a mail address such as noc@example.com",
    ),
    "sms": (r"\+[1-9]\d{6,14}", "a phone number in E.164 form such as +12025550123"),
    "https": (r"https://[^\s/]+(/\S*)?", "a URL that begins with https://"),
    "sqs": (r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:\S+", "the ARN of a queue"),
    "lambda": (r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:\S+", "the ARN of a function"),
}


def broken_rules(environment: Environment) -> Iterator[Finding]:
    """Every rule that an environment breaks, top to bottom."""
    yield from _notifications(environment.notifications)
    yield from _existing(environment)
    yield from _partitions(environment)
    yield from _flow_names(environment)
    for flow in environment.flows:
        for key, value, rule in _flow(flow, environment):
            yield f"flows.{flow.name}.{key}", value, rule


def ports(protocol: str, port: int) -> set[int]:
    """The ports that a source or output takes: RTP-FEC sends its correction on +2 and +4, RIST its control on +1."""
    return {port + offset for offset in PORT_OFFSETS.get(protocol, (0,))}


def _existing(environment: Environment) -> Iterator[Finding]:
    """What is there already is where the rest is, a given topic has its own subscribers, a pipeline shares state."""
    if environment.ci and environment.state_bucket_name is None:
        yield "ci", environment.ci.repository, "needs state that it can reach: name allowed_account_ids or state_bucket"
    if environment.ci and (environment.ci.owner_id is None) != (environment.ci.repository_id is None):
        rule = f"needs owner_id and repository_id, or neither; run `media-workflow github-ids {environment.name}`"
        yield "ci", environment.ci.repository, rule
    size = sum(len(arn) + 3 for arn in environment.secret_arns)
    if environment.ci and size > MAX_SECRETS_OF_PIPELINE:
        rule = (
            f"their ARNs take {size} characters, and the permissions boundary of a pipeline holds "
            f"{MAX_SECRETS_OF_PIPELINE}; share secrets between sources and outputs, or leave [ci] out"
        )
        yield "flows.encryption.secret_arn", f"{len(environment.secret_arns)} secrets", rule
    for key in ("existing_topic_arn", "existing_key_arn"):
        arn = getattr(environment, key)
        if arn:
            region, account = arn.split(":")[3:5]
            if region != environment.region or account not in (environment.allowed_account_ids or (account,)):
                yield key, arn, f"must be in {environment.region}, in an account of allowed_account_ids"
    if environment.existing_topic_arn and environment.notifications:
        rule = (
            "has its own subscribers, so leave [[notifications]] out; or leave this out, and a topic is made for them"
        )
        yield "existing_topic_arn", environment.existing_topic_arn, rule


def _partitions(environment: Environment) -> Iterator[Finding]:
    """No ARN of another partition than the Region's: accounts, and with them all that is in them, belong to one."""
    wanted = partition(environment.region)
    for key, value in _strings("", environment.model_dump(exclude={"name"})):
        if value.startswith("arn:") and value.split(":")[1] != wanted:
            yield key, value, f"must begin with arn:{wanted}:, as {environment.region} is in that partition"


def _strings(key: str, value: object) -> Iterator[tuple[str, str]]:
    """Every string below a value, with its dotted key; flows by their names."""
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
            yield "flows", name, f"{count} flows have this name (capitals do not count); give each its own"


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
    for use in SOURCE_USES:
        yield from use.broken_by(source)
    yield from _last_port(source)
    if source.allowed_cidr:
        yield from _open_cidr("allowed_cidr", source.allowed_cidr, environment)
    yield from _encryption(source.encryption, source.protocol)


def _two_sources(source: Source, backup: BackupSource) -> Iterator[Finding]:
    if source.name == backup.name:
        yield "backup_source.name", backup.name, "the two sources need names of their own"
    together = {source.protocol, backup.protocol}
    if len(together) > 1 and together != {"rtp", "rtp-fec"}:
        rule = f"both sources must speak one protocol, and the first speaks {source.protocol} (rtp and rtp-fec may mix)"
        yield "backup_source.protocol", backup.protocol, rule
    if source.port and backup.port and ports(source.protocol, source.port) & ports(backup.protocol, backup.port):
        yield "backup_source.port", backup.port, f"overlaps {_taken('source', source.protocol, source.port)}"
    if backup.failover_mode == "MERGE" and not together <= {"rtp", "rtp-fec"}:
        yield "backup_source.failover_mode", "MERGE", "merging needs RTP sequence numbers; use FAILOVER"
    if backup.failover_mode == "FAILOVER" and backup.recovery_window_ms is not None:
        yield "backup_source.recovery_window_ms", backup.recovery_window_ms, "only MERGE has a window; leave it out"


def _outputs(flow: Flow, environment: Environment) -> Iterator[Finding]:
    count = len(flow.outputs)
    if count > MAX_OUTPUTS:
        yield "outputs", f"{count} outputs", f"a flow takes {MAX_OUTPUTS}; use a second flow"
    if flow.content_monitoring and count > MAX_OUTPUTS_WITH_CONTENT_MONITORING:
        rule = f"AWS switches it off above {MAX_OUTPUTS_WITH_CONTENT_MONITORING} outputs, and there are {count}"
        yield "content_monitoring", "true", rule
    for name, output in flow.outputs.items():
        for part, value, rule in _output(output, environment):
            yield f"outputs.{name}.{part}", value, rule
    listeners = [
        (key, item.protocol, item.port)
        for key, item in (
            ("source", flow.source),
            ("backup_source", flow.backup_source),
            *((f"outputs.{name}", output) for name, output in flow.outputs.items()),
        )
        if item and item.port and (isinstance(item, Source) or item.protocol in LISTENING_OUTPUTS)
    ]
    for (key, protocol, port), (other, other_protocol, other_port) in combinations(listeners, 2):
        if other.startswith("outputs") and ports(protocol, port) & ports(other_protocol, other_port):
            yield f"{other}.port", other_port, f"overlaps {_taken(key, protocol, port)}"


def _output(output: Output, environment: Environment) -> Iterator[Finding]:
    for use in OUTPUT_USES:
        yield from use.broken_by(output)
    yield from _last_port(output)
    for cidr in output.allowed_cidrs or ():
        yield from _open_cidr("allowed_cidrs", cidr, environment)
    yield from _encryption(output.encryption, output.protocol)


def _last_port(part: Source | Output) -> Iterator[Finding]:
    taken = sorted(ports(part.protocol, part.port)) if part.port else []
    if taken and taken[-1] > HIGHEST_PORT:
        also = " and ".join(map(str, taken[1:]))
        yield "port", part.port, f"{part.protocol} also takes {also}, and ports end at {HIGHEST_PORT}; use a lower one"


def _encryption(encryption: Encryption | None, protocol: str) -> Iterator[Finding]:
    if encryption is None:
        return
    allowed = "srt-password" if protocol in SRT else "static-key" if protocol in ZIXI else None
    if allowed is None:
        yield "encryption", encryption.key_type, f"{protocol} cannot be encrypted; use SRT or Zixi, or leave it out"
    elif encryption.key_type != allowed:
        yield "encryption.key_type", encryption.key_type, f"{protocol} takes {allowed}"
    if encryption.key_type == "srt-password" and encryption.algorithm is not None:
        yield "encryption.algorithm", encryption.algorithm, "MediaConnect refuses one with srt-password; leave it out"


def _open_cidr(key: str, cidr: str, environment: Environment) -> Iterator[Finding]:
    if cidr.endswith("/0") and not environment.allow_open_cidr:
        rule = "lets anybody in; give the other side's own range, or set allow_open_cidr = true for this environment"
        yield key, cidr, rule


def _taken(key: str, protocol: str, port: int) -> str:
    also = sorted(ports(protocol, port) - {port})
    extra = f" ({protocol} also takes {' and '.join(map(str, also))})" if also else ""
    return f"the port {port} of {key}{extra}; give each its own"
