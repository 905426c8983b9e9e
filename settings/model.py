"""Settings: types, ranges and defaults. Rules between settings are in `settings.rules`.

Values are spelled as AWS spells them. Units are in the names.
"""

import re
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from settings import names
from settings.protocols import KeyType
from settings.severities import WORST_FIRST, Severity

LOG_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
ZIXI_PORTS: Final = (2077, 2088)


def _matching(pattern: str, rule: str) -> AfterValidator:
    """A validator whose error states the rule in words instead of a regular expression."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(rule)
        return value

    return AfterValidator(check)


def _port(value: int) -> int:
    if not 1024 <= value <= 65535 or value in ZIXI_PORTS:  # noqa: PLR2004
        raise ValueError("use 1024 to 65535, except 2077 and 2088, which MediaConnect keeps for Zixi")
    return value


def _cidr(value: str) -> str:
    try:
        return str(IPv4Network(value))
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise ValueError(f"give an IPv4 range such as 203.0.113.10/32 ({error})") from error


def _log_retention(value: int) -> int:
    if value not in LOG_RETENTION_DAYS:
        raise ValueError(f"CloudWatch Logs keeps {', '.join(map(str, LOG_RETENTION_DAYS))} days")
    return value


EnvironmentName = Annotated[
    str,
    _matching("[a-z][a-z0-9]{0,15}", "use up to 16 lower-case letters and digits, starting with a letter, no hyphen"),
    # Its code bucket would have the name of the account's state bucket.
    _matching("(?!state$).*", 'use another name; "state" is part of the name of the bucket that holds every state'),
]
ResourceName = Annotated[
    str, _matching("[A-Za-z0-9_-]{1,64}", "use 1 to 64 letters, digits, hyphens and underscores, as MediaConnect does")
]
OutputName = Annotated[
    str,
    _matching("[A-Za-z0-9_-]{1,128}", "use 1 to 128 letters, digits, hyphens and underscores, as MediaConnect does"),
]
Port = Annotated[int, AfterValidator(_port)]
Cidr = Annotated[str, AfterValidator(_cidr)]
AccountId = Annotated[str, _matching("[0-9]{12}", "an AWS account id has 12 digits, in quotes")]
Region = Annotated[str, _matching(r"[a-z]{2}(-[a-z]+)+-\d", "give an AWS Region such as us-east-1")]
Zone = Annotated[str, _matching(r"[a-z]{2}(-[a-z]+)+-\d[a-z]", "give an Availability Zone such as us-east-1a")]
Hour = Annotated[str, _matching("([01][0-9]|2[0-3]):00", 'give a full hour in UTC such as "02:00"')]
BucketName = Annotated[
    str, _matching("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "use 3 to 63 lower-case letters, digits, dots and hyphens")
]
SecretArn = Annotated[
    str,
    _matching(
        r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+",
        "give the ARN of a secret in AWS Secrets Manager, never the secret itself",
    ),
]
TopicArn = Annotated[
    str,
    _matching(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}", "give the ARN of an SNS topic, not FIFO"),
]
KeyArn = Annotated[
    str, _matching(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/.+", "give the ARN of a KMS key, not of an alias")
]
Host = Annotated[
    str,
    _matching(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", "give an IPv4 address or a host name, without a port"),
]


LatencyMs = Annotated[int, Field(ge=1, le=15000, description="a latency")]
MaxBitrate = Annotated[int, Field(ge=1, le=120_000_000, description="a highest bitrate")]
Id = Annotated[str, Field(min_length=1, max_length=512)]
StreamId = Annotated[Id, Field(description="a stream id")]
IngestPort = Annotated[Port, Field(description="the port that the encoder sends to")]
SenderRange = Annotated[Cidr, Field(description="the range that the encoder sends from, such as 203.0.113.10/32")]
Destination = Annotated[Host, Field(description="the receiver's address")]
OutputPort = Annotated[Port, Field(description="a port")]
ReceiverRanges = Annotated[tuple[Cidr, ...], Field(min_length=1, description="the ranges that may fetch the stream")]


class Settings(BaseModel):
    """Base of all settings: immutable, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Encryption(Settings):
    """How a source is decrypted or an output encrypted, with a key that stays in Secrets Manager."""

    key_type: KeyType
    secret_arn: SecretArn
    algorithm: Literal["aes128", "aes192", "aes256"] | None = None


class Part(Settings):
    """Base of sources and outputs. Each protocol, or pair of protocols, has a class with exactly its settings."""

    def given(self, key: str) -> Any:
        """The value of a setting; None if it is left out, or the protocol has no such setting."""
        return getattr(self, key, None)


class RtpSource(Part):
    """RTP, with or without forward error correction."""

    name: ResourceName
    protocol: Literal["rtp", "rtp-fec"]
    port: IngestPort
    allowed_cidr: SenderRange
    max_bitrate_bps: MaxBitrate | None = None


class RistSource(Part):
    """RIST."""

    name: ResourceName
    protocol: Literal["rist"]
    port: IngestPort
    allowed_cidr: SenderRange
    latency_ms: LatencyMs | None = None
    max_bitrate_bps: MaxBitrate | None = None


class SrtListenerSource(Part):
    """SRT, called by the encoder."""

    name: ResourceName
    protocol: Literal["srt-listener"]
    port: IngestPort
    allowed_cidr: SenderRange
    latency_ms: LatencyMs | None = None
    encryption: Encryption | None = None


class SrtCallerSource(Part):
    """SRT, for which the flow calls."""

    name: ResourceName
    protocol: Literal["srt-caller"]
    latency_ms: LatencyMs | None = None
    listener_address: Annotated[Host, Field(description="the address to call")]
    listener_port: Annotated[Port, Field(description="the port to call")]
    stream_id: StreamId | None = None
    encryption: Encryption | None = None


class ZixiPushSource(Part):
    """Zixi, pushed by the encoder."""

    name: ResourceName
    protocol: Literal["zixi-push"]
    allowed_cidr: SenderRange
    latency_ms: LatencyMs | None = None
    stream_id: StreamId | None = None
    encryption: Encryption | None = None


class Backup(Settings):
    """When a backup source is used."""

    failover_mode: Literal["FAILOVER", "MERGE"]


class RtpBackupSource(Backup, RtpSource):
    """RTP; can be merged."""

    recovery_window_ms: Annotated[int, Field(ge=100, le=15000, description="a recovery window")] | None = None


class RistBackupSource(Backup, RistSource):
    """RIST."""


class SrtListenerBackupSource(Backup, SrtListenerSource):
    """SRT, called by the encoder."""


class SrtCallerBackupSource(Backup, SrtCallerSource):
    """SRT, for which the flow calls."""


class ZixiPushBackupSource(Backup, ZixiPushSource):
    """Zixi, pushed by the encoder."""


Source = Annotated[
    RtpSource | RistSource | SrtListenerSource | SrtCallerSource | ZixiPushSource, Field(discriminator="protocol")
]
BackupSource = Annotated[
    RtpBackupSource | RistBackupSource | SrtListenerBackupSource | SrtCallerBackupSource | ZixiPushBackupSource,
    Field(discriminator="protocol"),
]


class RtpOutput(Part):
    """RTP, with or without forward error correction."""

    protocol: Literal["rtp", "rtp-fec"]
    destination: Destination
    port: OutputPort
    enabled: bool = True


class RistOutput(Part):
    """RIST."""

    protocol: Literal["rist"]
    destination: Destination
    port: OutputPort
    latency_ms: LatencyMs | None = None
    enabled: bool = True


class SrtListenerOutput(Part):
    """SRT, called by the receiver."""

    protocol: Literal["srt-listener"]
    port: OutputPort
    latency_ms: LatencyMs | None = None
    allowed_cidrs: ReceiverRanges
    stream_id: StreamId | None = None
    encryption: Encryption | None = None
    enabled: bool = True


class CallingOutput(Part):
    """SRT or Zixi, for which the flow calls the receiver."""

    protocol: Literal["srt-caller", "zixi-push"]
    destination: Destination
    port: OutputPort
    latency_ms: LatencyMs | None = None
    stream_id: StreamId | None = None
    encryption: Encryption | None = None
    enabled: bool = True


class ZixiPullOutput(Part):
    """Zixi, fetched by the receiver."""

    protocol: Literal["zixi-pull"]
    latency_ms: LatencyMs | None = None
    allowed_cidrs: ReceiverRanges
    stream_id: StreamId | None = None
    remote_id: Annotated[Id, Field(description="the receiver's id")]
    encryption: Encryption | None = None
    enabled: bool = True


Output = Annotated[
    RtpOutput | RistOutput | SrtListenerOutput | CallingOutput | ZixiPullOutput, Field(discriminator="protocol")
]
AnyPart = Source | BackupSource | Output


class Maintenance(Settings):
    """The two-hour window in which AWS may restart the flow."""

    day: Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    start_hour: Hour


class Thresholds(Settings):
    """Alarm thresholds."""

    packet_loss_percent: Annotated[float, Field(gt=0, lt=100)] = 0.1
    early_packet_loss_seconds: Literal[10, 30, 60] = 60
    jitter_ms: Annotated[float, Field(gt=0, le=10_000)] = 50
    minimum_bitrate_bps: Annotated[int, Field(gt=0, le=120_000_000)] = 1_000_000
    not_recovered_packets_per_minute: Annotated[int, Field(ge=0)] = 100
    content_seconds: Annotated[int, Field(ge=10, le=60)] = 30


class ThresholdOverrides(Thresholds):
    """Thresholds of one flow. Only those that are given count; read them with `Environment.thresholds_of`."""


class Flow(Settings):
    """One flow: sources, outputs and monitoring."""

    name: ResourceName
    availability_zone: Zone | None = None
    size: Literal["MEDIUM", "LARGE", "LARGE_4X"] = "MEDIUM"
    on_air: Literal["always", "manual"] = "manual"
    content_monitoring: bool = False
    maintenance: Maintenance | None = None
    source: Source
    backup_source: BackupSource | None = None
    outputs: dict[OutputName, Output] = {}
    thresholds: ThresholdOverrides = ThresholdOverrides()

    @property
    def parts(self) -> tuple[AnyPart, ...]:
        """Its sources, then its outputs."""
        return tuple(part for part in (self.source, self.backup_source, *self.outputs.values()) if part)


class Notification(Settings):
    """A subscriber and its minimum severity."""

    protocol: Literal["email", "sms", "https", "sqs", "lambda"]
    endpoint: str
    minimum_severity: Severity = "MEDIUM"


class CiAccess(Settings):
    """GitHub repository whose pipeline plans and applies the environment."""

    repository: Annotated[
        str, _matching("[A-Za-z0-9-]+/[A-Za-z0-9._-]+", "give owner/name, as in the address on GitHub")
    ]
    owner_id: Annotated[int, Field(ge=1)] | None = None
    repository_id: Annotated[int, Field(ge=1)] | None = None
    branch: Annotated[str, Field(min_length=1)] = "main"
    github_environment: Annotated[str, Field(min_length=1)] | None = None
    existing_provider_arn: (
        Annotated[
            str,
            _matching(
                r"arn:aws[a-z-]*:iam::\d{12}:oidc-provider/token\.actions\.githubusercontent\.com",
                "give the ARN of the account's identity provider for GitHub",
            ),
        ]
        | None
    ) = None


class Environment(Settings):
    """Settings of one environment."""

    name: EnvironmentName
    region: Region
    allowed_account_ids: tuple[AccountId, ...]
    protect: bool = False
    allow_open_cidr: bool = False
    tags: dict[str, str] = {}
    log_retention_days: Annotated[int, AfterValidator(_log_retention)] = 30
    workflow_type: Literal["STANDARD", "EXPRESS"] = "STANDARD"
    check_every_minutes: Annotated[int, Field(ge=1, le=60)] = 5
    reminder_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    recovery_checks: Annotated[int, Field(ge=1, le=20)] = 2
    settling_minutes: Annotated[int, Field(ge=1, le=60)] = 3
    incident_history_days: Annotated[int, Field(ge=1, le=3650)] = 90
    reserved_concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None
    state_bucket: BucketName | None = None
    existing_topic_arn: TopicArn | None = None
    existing_key_arn: KeyArn | None = None
    existing_code_bucket: BucketName | None = None
    ci: CiAccess | None = None
    notifications: tuple[Notification, ...] = ()
    thresholds: Thresholds = Thresholds()
    flows: tuple[Flow, ...]

    @property
    def state_bucket_name(self) -> str | None:
        """Bucket of Terraform's state; None: the state is on this machine.

        Buckets are named after the account, so an environment for any account has none unless it is given.
        """
        if self.state_bucket or not self.allowed_account_ids:
            return self.state_bucket
        return names.state_bucket(self.allowed_account_ids[0], self.region)

    @property
    def resource_tags(self) -> dict[str, str]:
        """Tags of every resource."""
        return {"Project": names.PROJECT, "Environment": self.name, **self.tags}

    def notice_severity(self, flow: Flow) -> Severity:
        """Severity of notifications about maintenance of a flow.

        For a flow that is always on air the lowest severity that a subscriber receives, as alerts are held back during
        maintenance. The subscribers of an existing topic are not known; most filter INFO out.
        """
        if flow.on_air != "always" or not (self.notifications or self.existing_topic_arn):
            return "INFO"
        received = [subscriber.minimum_severity for subscriber in self.notifications]
        return max(received, key=WORST_FIRST.index, default="MEDIUM")

    @property
    def secret_arns(self) -> tuple[str, ...]:
        """ARNs of the secrets of all sources and outputs, sorted, without duplicates."""
        keys: list[Encryption | None] = [part.given("encryption") for flow in self.flows for part in flow.parts]
        return tuple(sorted({key.secret_arn for key in keys if key}))

    def thresholds_of(self, flow: Flow) -> Thresholds:
        """Thresholds of a flow: its own where given, else the environment's."""
        return self.thresholds.model_copy(update=flow.thresholds.model_dump(exclude_unset=True))
