"""What an operator can set: shapes, ranges and defaults. Rules that need two settings are in `settings.rules`.

Values are AWS's own spellings, so that they can be searched for. Units stand in the names.
"""

import re
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from settings import names
from settings.severities import WORST_FIRST, Severity

SourceProtocol = Literal["rtp", "rtp-fec", "rist", "srt-listener", "srt-caller", "zixi-push"]
OutputProtocol = Literal["rtp", "rtp-fec", "rist", "srt-listener", "srt-caller", "zixi-push", "zixi-pull"]

LOG_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
ZIXI_PORTS: Final = (2077, 2088)


def _matching(pattern: str, rule: str) -> AfterValidator:
    """A check that says the rule in words; a regular expression tells an operator nothing."""

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
    _matching("[a-z][a-z0-9]{0,15}", "use up to 16 lower-case letters and digits, beginning with a letter, no hyphen"),
    # Its bucket for code would be the account's bucket for state.
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


class Settings(BaseModel):
    """What all settings have in common: they never change, and unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Encryption(Settings):
    """How a source is decrypted or an output encrypted, with a key that stays in Secrets Manager."""

    key_type: Literal["srt-password", "static-key"]
    secret_arn: SecretArn
    algorithm: Literal["aes128", "aes192", "aes256"] | None = None


class Source(Settings):
    """Where the stream comes from."""

    name: ResourceName
    protocol: SourceProtocol
    port: Port | None = None
    allowed_cidr: Cidr | None = None
    latency_ms: Annotated[int, Field(ge=1, le=15000)] | None = None
    max_bitrate_bps: Annotated[int, Field(ge=1, le=120_000_000)] | None = None
    listener_address: Host | None = None
    listener_port: Port | None = None
    stream_id: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    encryption: Encryption | None = None


class BackupSource(Source):
    """The second source, and when it is used."""

    failover_mode: Literal["FAILOVER", "MERGE"]
    recovery_window_ms: Annotated[int, Field(ge=100, le=15000)] | None = None


class Output(Settings):
    """A receiver of the stream."""

    protocol: OutputProtocol
    destination: Host | None = None
    port: Port | None = None
    latency_ms: Annotated[int, Field(ge=1, le=15000)] | None = None
    allowed_cidrs: tuple[Cidr, ...] | None = None
    stream_id: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    remote_id: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    encryption: Encryption | None = None
    enabled: bool = True


class Maintenance(Settings):
    """The two-hour window in which AWS may restart the flow."""

    day: Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    start_hour: Hour


class Thresholds(Settings):
    """From when on a signal is worth a message."""

    packet_loss_percent: Annotated[float, Field(gt=0, lt=100)] = 0.1
    early_packet_loss_seconds: Literal[10, 30, 60] = 60
    jitter_ms: Annotated[float, Field(gt=0, le=10_000)] = 50
    minimum_bitrate_bps: Annotated[int, Field(gt=0, le=120_000_000)] = 1_000_000
    not_recovered_packets_per_minute: Annotated[int, Field(ge=0)] = 100
    content_seconds: Annotated[int, Field(ge=10, le=60)] = 30


class ThresholdOverrides(Settings):
    """Thresholds of one flow; what is not given is the environment's."""

    packet_loss_percent: Annotated[float, Field(gt=0, lt=100)] | None = None
    early_packet_loss_seconds: Literal[10, 30, 60] | None = None
    jitter_ms: Annotated[float, Field(gt=0, le=10_000)] | None = None
    minimum_bitrate_bps: Annotated[int, Field(gt=0, le=120_000_000)] | None = None
    not_recovered_packets_per_minute: Annotated[int, Field(ge=0)] | None = None
    content_seconds: Annotated[int, Field(ge=10, le=60)] | None = None


class Flow(Settings):
    """One stream: sources, outputs, and how it is watched."""

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


class Notification(Settings):
    """Somebody or something that is told, from a severity on."""

    protocol: Literal["email", "sms", "https", "sqs", "lambda"]
    endpoint: str
    minimum_severity: Severity = "MEDIUM"


class CiAccess(Settings):
    """The repository on GitHub whose pipeline plans and applies an environment."""

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
    """All of one environment."""

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
    function_concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None
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
        """The bucket that Terraform's state of this environment is kept in; None keeps it on this machine.

        Buckets are named after the account, so an environment for any account has none unless it is given.
        """
        if self.state_bucket or not self.allowed_account_ids:
            return self.state_bucket
        return names.state_bucket(self.allowed_account_ids[0], self.region)

    def notice_severity(self, flow: Flow) -> Severity:
        """The severity of messages on maintenance of a flow.

        For a flow that is always on air the mildest that somebody receives: alerts wait during maintenance, so
        somebody should know. Who subscribes to an existing topic is not known; most leave INFO out.
        """
        if flow.on_air != "always" or not (self.notifications or self.existing_topic_arn):
            return "INFO"
        received = [subscriber.minimum_severity for subscriber in self.notifications]
        return max(received, key=WORST_FIRST.index, default="MEDIUM")

    @property
    def secret_arns(self) -> tuple[str, ...]:
        """Every secret that a source or an output is encrypted with, sorted, once."""
        parts = [part for flow in self.flows for part in (flow.source, flow.backup_source, *flow.outputs.values())]
        return tuple(sorted({part.encryption.secret_arn for part in parts if part and part.encryption}))

    def thresholds_of(self, flow: Flow) -> Thresholds:
        """The environment's thresholds with a flow's own in their place."""
        return self.thresholds.model_copy(update=flow.thresholds.model_dump(exclude_none=True))
