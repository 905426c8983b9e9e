"""Makes the plans of this folder again, each with real Terraform from one named change to a deployed environment.

    .venv/bin/python -m tests.plans.make                   # all of them: about ten minutes
    .venv/bin/python -m tests.plans.make alarm_removed     # some of them: a minute for each environment, seconds a plan

Needs what `make test` needs: Node, Terraform and the AWS provider. The AWS is the local one: no account, no cost.

Make plans again after a new case in `CASES`, and when the configuration of an environment or the provider changes in
a way that matters to a plan. IDs, times and addresses that differ from run to run are replaced by fixed ones, and the
parts of a plan that the reviewer never reads are left out, so `git status` lists the plans that did change. What
changed in one of them:

    show() { gunzip | python -m json.tool; }
    diff <(git show HEAD:./alarm_removed.json.gz | show) <(show < alarm_removed.json.gz)

`pytest tests/plans` then compares each plan with its verdict in `verdicts.toml`. A new case needs a verdict, written
before the reviewer is asked; an old one changes only if its plan means something else.
"""

import copy
import gzip
import json
import re
import shutil
import sys
import tempfile
import tomllib
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import stacks.media_workflow
from components.lambda_package import SOURCE, lambda_package
from components.paths import PROJECT
from settings import Environment
from stacks.synthesis import synthesize
from tools.local_aws import LocalAws
from tools.rehearsal.deployment import Deployment
from tools.terraform.binary import TerraformError

FOLDER: Final = Path(__file__).resolve().parent
UNREAD: Final = ("configuration", "prior_state", "planned_values", "relevant_attributes", "variables")
VARYING: Final = (
    r"(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    r"|(?<=:)(?P<flow>[0-9a-f]{32})(?=:)"
    r"|(?P<role>AROA[0-9A-Z]{17})"
    r"|(?P<time>\b20\d\d-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)?)"
)
"""What differs from run to run: IDs and times."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One change to a deployed environment.

    Attributes:
        base: the deployed environment.
        settings: edits its settings.
        terraform: edits the synthesized root module.
        by_hand: changes what is deployed, outside Terraform.
        new_code: the functions have other code.
        flags: for `terraform plan`.
        fails: the plan ends with an error.
    """

    base: str = "dev"
    settings: Callable[[Json], None] = lambda _: None
    terraform: Callable[[Json], None] = lambda _: None
    by_hand: Callable[[Deployment], None] | None = None
    new_code: bool = False
    flags: tuple[str, ...] = ()
    fails: bool = False


def resources(root: Json, kind: str, fits: str = "") -> Iterator[tuple[str, Json]]:
    """Names and bodies of the synthesized resources of a type whose name contains `fits`; at least one."""
    found = [(name, body) for name, body in root["resource"][kind].items() if fits in name]
    if not found:
        raise LookupError(f"no {kind} with {fits!r} in its name")
    return iter(found)


def setting(path: str, value: Any) -> Callable[[Json], None]:
    """Set a dotted path of the settings to `value`; None removes it."""

    def edit(raw: Json) -> None:
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        target: Any = raw
        for step in steps:
            target = target[step] if isinstance(step, int) else target.setdefault(step, {})
        if value is None:
            del target[last]
        else:
            target[last] = value

    return edit


def attribute(kind: str, fits: str, name: str, value: Any) -> Callable[[Json], None]:
    """Set an attribute of synthesized resources to `value`; None removes it."""

    def edit(root: Json) -> None:
        for _, body in resources(root, kind, fits):
            if value is None:
                del body[name]
            else:
                body[name] = value

    return edit


def without(kind: str, fits: str) -> Callable[[Json], None]:
    """Remove synthesized resources, and the references to them in lists."""

    def edit(root: Json) -> None:
        for name, _ in list(resources(root, kind, fits)):
            del root["resource"][kind][name]
            text = json.dumps(root).replace(rf"\"${{{kind}.{name}.arn}}\", ", "")
            root.clear()
            root.update(json.loads(text))

    return edit


def statement(kind: str, fits: str, added: Json) -> Callable[[Json], None]:
    """Add a statement to the policy of synthesized resources."""

    def edit(root: Json) -> None:
        for _, body in resources(root, kind, fits):
            document = json.loads(body["policy"])
            document["Statement"].append(added)
            body["policy"] = json.dumps(document)

    return edit


def both(*edits: Callable[[Json], None]) -> Callable[[Json], None]:
    """Apply one edit after the other."""

    def edit(value: Json) -> None:
        for one in edits:
            one(value)

    return edit


def moved(root: Json) -> None:
    """Move an alarm to another address."""
    name = next(name for name, _ in resources(root, "aws_cloudwatch_metric_alarm", "jitter"))
    root["resource"]["aws_cloudwatch_metric_alarm"]["jitter_of_the_stream"] = root["resource"][
        "aws_cloudwatch_metric_alarm"
    ].pop(name)
    root["moved"] = [
        {"from": f"aws_cloudwatch_metric_alarm.{name}", "to": "aws_cloudwatch_metric_alarm.jitter_of_the_stream"}
    ]
    text = json.dumps(root).replace(
        f"aws_cloudwatch_metric_alarm.{name}.", "aws_cloudwatch_metric_alarm.jitter_of_the_stream."
    )
    root.clear()
    root.update(json.loads(text))


def imported(root: Json) -> None:
    """Import an alarm that Terraform did not create."""
    root["resource"]["aws_cloudwatch_metric_alarm"]["found"] = {
        "alarm_name": "made-by-hand",
        "comparison_operator": "GreaterThanThreshold",
        "evaluation_periods": 1,
        "metric_name": "SourceJitter",
        "namespace": "AWS/MediaConnect",
        "period": 60,
        "statistic": "Maximum",
        "threshold": 50,
    }
    root["import"] = [{"to": "aws_cloudwatch_metric_alarm.found", "id": "made-by-hand"}]


def made_by_hand(deployment: Deployment) -> None:
    """Create the alarm that `imported` imports."""
    deployment.aws.client("cloudwatch").put_metric_alarm(
        AlarmName="made-by-hand",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="SourceJitter",
        Namespace="AWS/MediaConnect",
        Period=60,
        Statistic="Maximum",
        Threshold=50,
    )


def forgotten(root: Json) -> None:
    """Remove an alarm from state without deleting it."""
    name = next(name for name, _ in resources(root, "aws_cloudwatch_metric_alarm", "dead-letters"))
    del root["resource"]["aws_cloudwatch_metric_alarm"][name]
    root["removed"] = [{"from": f"aws_cloudwatch_metric_alarm.{name}", "lifecycle": {"destroy": False}}]


def loosened_by_hand(deployment: Deployment) -> None:
    """Raise the threshold of the packet loss alarm, as in the console."""
    client = deployment.aws.client("cloudwatch")
    names = [alarm["AlarmName"] for alarm in client.describe_alarms()["MetricAlarms"]]
    (name,) = [name for name in names if name.endswith("live-stream/packet-loss")]
    alarm = client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    kept = [
        *("AlarmName", "AlarmDescription", "ComparisonOperator", "EvaluationPeriods", "DatapointsToAlarm"),
        "Period",
    ]
    kept += ["MetricName", "Namespace", "Dimensions", "Statistic", "TreatMissingData"]
    client.put_metric_alarm(**{key: alarm[key] for key in kept if alarm.get(key) is not None}, Threshold=5)


def failing(root: Json) -> None:
    """Add a precondition that fails."""
    _, alarm = next(resources(root, "aws_cloudwatch_metric_alarm", "jitter"))
    alarm["lifecycle"] = {
        "precondition": [{"condition": '${terraform.workspace == "nowhere"}', "error_message": "This is not nowhere."}]
    }


def no_dead_letters(root: Json) -> None:
    """Remove the dead-letter queue of every target."""
    for _, body in resources(root, "aws_cloudwatch_event_target"):
        del body["dead_letter_config"]


STAR: Final = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ANYBODY: Final = {"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}
FLOW: Final = "flows.0"

CASES: Final[dict[str, Case]] = {
    "nothing": Case(),
    "nothing_prod": Case(base="prod"),
    "first_deploy": Case(settings=setting("name", "fresh")),
    "everything_destroyed": Case(flags=("-destroy",)),
    "flow_renamed": Case(settings=setting(f"{FLOW}.name", "evening-stream")),
    "flow_renamed_prod": Case(base="prod", settings=setting(f"{FLOW}.name", "channel-1")),
    "flow_removed": Case(base="prod", settings=lambda raw: raw["flows"].pop(1)),
    "flow_added": Case(settings=lambda raw: raw["flows"].append(copy.deepcopy(raw["flows"][0]) | {"name": "second"})),
    "source_renamed": Case(settings=setting(f"{FLOW}.source.name", "studio")),
    "source_renamed_prod": Case(base="prod", settings=setting(f"{FLOW}.source.name", "studio-2")),
    "zone_changed": Case(base="prod", settings=setting(f"{FLOW}.availability_zone", "us-east-1c")),
    "output_removed": Case(settings=setting(f"{FLOW}.outputs.backup", None)),
    "output_repointed": Case(settings=setting(f"{FLOW}.outputs.primary.destination", "198.51.100.77")),
    "output_disabled": Case(settings=setting(f"{FLOW}.outputs.backup.enabled", False)),
    "output_added": Case(
        settings=setting(f"{FLOW}.outputs.third", {"protocol": "rtp", "destination": "198.51.100.12", "port": 5003})
    ),
    "output_renamed": Case(
        settings=lambda raw: raw["flows"][0]["outputs"].update(spare=raw["flows"][0]["outputs"].pop("backup"))
    ),
    "source_port_changed": Case(settings=setting(f"{FLOW}.source.port", 5050)),
    "source_range_narrowed": Case(settings=setting(f"{FLOW}.source.allowed_cidr", "203.0.113.10/32")),
    "source_range_widened": Case(settings=setting(f"{FLOW}.source.allowed_cidr", "203.0.112.0/22")),
    "source_protocol_changed": Case(settings=setting(f"{FLOW}.source.protocol", "rtp-fec")),
    "source_bitrate_capped": Case(base="prod", settings=setting(f"{FLOW}.source.max_bitrate_bps", 10_000_000)),
    "size_changed": Case(settings=setting(f"{FLOW}.size", "LARGE")),
    "failover_off": Case(base="prod", settings=setting("flows.1.backup_source", None)),
    "failover_on": Case(
        settings=setting(
            f"{FLOW}.backup_source",
            {
                "name": "second",
                "protocol": "rtp",
                "port": 5100,
                "allowed_cidr": "203.0.113.0/24",
                "failover_mode": "FAILOVER",
            },
        )
    ),
    "backup_renamed": Case(base="prod", settings=setting("flows.1.backup_source.name", "venue-c")),
    "source_encryption_off": Case(
        base="prod",
        settings=both(setting("flows.1.source.encryption", None), setting("flows.1.backup_source.encryption", None)),
    ),
    "output_encryption_on": Case(
        base="prod",
        settings=setting(
            "flows.1.outputs.backup.encryption",
            {
                "key_type": "srt-password",
                "secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:receiver-AbCdEf",
            },
        ),
    ),
    "maintenance_moved": Case(base="prod", settings=setting(f"{FLOW}.maintenance.day", "Saturday")),
    "content_monitoring_on": Case(settings=setting(f"{FLOW}.content_monitoring", True)),
    "alarm_removed": Case(terraform=without("aws_cloudwatch_metric_alarm", "packet-loss-early")),
    "threshold_loosened": Case(settings=setting("thresholds.packet_loss_percent", 1.0)),
    "threshold_tightened": Case(settings=setting("thresholds.packet_loss_percent", 0.05)),
    "missing_data_changed": Case(
        terraform=attribute("aws_cloudwatch_metric_alarm", "source-lost", "treat_missing_data", "notBreaching")
    ),
    "alarm_slower": Case(
        terraform=both(
            attribute("aws_cloudwatch_metric_alarm", "source-lost", "evaluation_periods", 10),
            attribute("aws_cloudwatch_metric_alarm", "source-lost", "datapoints_to_alarm", 10),
        )
    ),
    "chain_alarm_silenced": Case(
        terraform=attribute("aws_cloudwatch_metric_alarm", "dead-letters", "actions_enabled", False)
    ),
    "rule_disabled": Case(terraform=attribute("aws_cloudwatch_event_rule", "alarm-raised", "state", "DISABLED")),
    "schedule_disabled": Case(terraform=attribute("aws_scheduler_schedule", "", "state", "DISABLED")),
    "schedule_slower": Case(settings=setting("check_every_minutes", 60)),
    "dead_letters_lost": Case(terraform=no_dead_letters),
    "on_air_manual": Case(base="prod", settings=setting(f"{FLOW}.on_air", "manual")),
    "on_air_manual_and_output_added": Case(
        base="prod",
        settings=both(
            setting(f"{FLOW}.on_air", "manual"),
            setting(f"{FLOW}.outputs.third", {"protocol": "rtp", "destination": "198.51.100.12", "port": 5003}),
        ),
    ),
    "subscription_last_removed": Case(settings=setting("notifications", [])),
    "subscription_one_removed": Case(base="prod", settings=lambda raw: raw["notifications"].pop(1)),
    "subscription_medium_removed": Case(base="prod", settings=lambda raw: raw["notifications"].pop(0)),
    "subscription_severity_raised": Case(settings=setting("notifications.0.minimum_severity", "CRITICAL")),
    "subscription_other_address": Case(settings=setting("notifications.0.endpoint", "new-team@example.com")),
    "permission_star": Case(terraform=statement("aws_iam_role_policy", "alert_handler", STAR)),
    "principal_added": Case(terraform=statement("aws_sns_topic_policy", "topic_policy", ANYBODY)),
    "protection_off": Case(base="prod", settings=setting("protect", False)),
    "protection_off_and_flow_removed": Case(
        base="prod", settings=both(setting("protect", False), lambda raw: raw["flows"].pop(1))
    ),
    "topic_encryption_off": Case(
        terraform=attribute("aws_sns_topic", "notifications_topic", "kms_master_key_id", None)
    ),
    "key_rotation_off": Case(terraform=attribute("aws_kms_key", "", "enable_key_rotation", False)),
    "bucket_opened": Case(terraform=attribute("aws_s3_bucket_public_access_block", "", "block_public_policy", False)),
    "retention_shortened": Case(settings=setting("log_retention_days", 1)),
    "code_changed": Case(new_code=True),
    "tags_changed": Case(settings=setting("tags.Team", "broadcast")),
    "workflow_express": Case(settings=setting("workflow_type", "EXPRESS")),
    "moved": Case(terraform=moved),
    "imported": Case(terraform=imported, by_hand=made_by_hand),
    "forgotten": Case(terraform=forgotten),
    "errored": Case(terraform=failing, fails=True),
    "mixed": Case(
        base="prod",
        settings=both(
            setting("flows.1.source.name", "venue-x"),
            setting(f"{FLOW}.outputs.backup.enabled", False),
            setting("thresholds.jitter_ms", 400),
            setting("log_retention_days", 30),
        ),
        terraform=statement("aws_iam_role_policy", "stream_monitor", STAR),
        new_code=True,
    ),
    # The last two: a change by hand stays in place.
    "drift": Case(by_hand=loosened_by_hand),
    "drift_refresh_only": Case(flags=("-refresh-only",)),
}


def settings_of(name: str, edit: Callable[[Json], None] = lambda _: None) -> Environment:
    """The settings of a shipped environment with one change."""
    raw = tomllib.loads((PROJECT / "environments" / f"{name}.toml").read_text(encoding="utf-8")) | {"name": name}
    edit(raw)
    return Environment.model_validate(raw)


@contextmanager
def other_code() -> Iterator[None]:
    """Package the functions with one file changed and one added."""
    stack: Any = stacks.media_workflow
    original = stack.lambda_package
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(shutil.copytree(SOURCE, Path(folder) / "lambda_src"))
        (copied / "stream_monitor" / "health.py").write_text('"""Changed."""\n', encoding="utf-8")
        (copied / "added.py").write_text('"""Added."""\n', encoding="utf-8")
        package = lambda_package(copied)
        stack.lambda_package = lambda: package
        try:
            yield
        finally:
            stack.lambda_package = original


def write_configuration(deployment: Deployment, case: Case) -> None:
    """Synthesize with the case's settings and edit the result."""
    environment = settings_of(case.base, case.settings)
    if case.new_code:
        with other_code():
            synthesize(environment, output=deployment.folder, context={})
    else:
        synthesize(environment, output=deployment.folder, context={})
    path = deployment.root / "cdk.tf.json"
    root = json.loads(path.read_text(encoding="utf-8"))
    case.terraform(root)
    path.write_text(json.dumps(root), encoding="utf-8")


def plan_of(deployment: Deployment, case: Case) -> str:
    """The JSON of a plan, as `terraform show -json` prints it."""
    write_configuration(deployment, case)
    if case.by_hand:
        case.by_hand(deployment)
    deployment.initialize()
    try:
        deployment.run("plan", "-out=made.tfplan", "-parallelism=20", "-no-color", *case.flags)
    except TerraformError:
        if not case.fails:
            raise
    return deployment.run("show", "-json", "made.tfplan").stdout


def normal(text: str, endpoint: str) -> bytes:
    """The plan without the parts that the reviewer never reads, and with fixed IDs, times and addresses."""
    plan = json.loads(text)
    for part in UNREAD:
        plan.pop(part, None)
    plan["timestamp"] = "2026-11-24T00:00:00Z"
    text = json.dumps(plan, sort_keys=True).replace(endpoint, "https://queue.example.com")
    text = text.replace(tempfile.gettempdir(), "/tmp")  # noqa: S108  words, not a file
    seen: dict[str, str] = {}

    def fixed(match: re.Match[str]) -> str:
        found = match.group()
        if match.lastgroup == "time":
            return "2026-11-24T00:00:00Z"
        number = len(seen) + 1
        forms = {"uuid": str(uuid.UUID(int=number)), "flow": f"{number:032x}", "role": f"AROA{number:017}"}
        return seen.setdefault(found, forms[str(match.lastgroup)])

    return re.sub(VARYING, fixed, text).encode()


def make(names: list[str]) -> None:
    """Deploy each environment once, plan each case, write the files."""
    with LocalAws() as aws, tempfile.TemporaryDirectory() as folder:
        for base in ("dev", "prod"):
            chosen = [name for name in names if CASES[name].base == base]
            if not chosen:
                continue
            deployment = Deployment(aws, base, Path(folder) / base)
            write_configuration(deployment, Case(base=base))
            deployment.initialize()
            deployment.run("apply", "-auto-approve", "-parallelism=20", "-no-color")
            deployment.run("apply", "-refresh-only", "-auto-approve", "-no-color")
            for name in chosen:
                case = CASES[name]
                if name == "first_deploy":
                    fresh = Deployment(aws, "dev", Path(folder) / name)
                    fresh.environ["TF_WORKSPACE"] = "fresh"  # a workspace with no state yet
                    text = plan_of(fresh, case)
                else:
                    text = plan_of(deployment, case)
                content = normal(text, aws.endpoint)
                path = FOLDER / f"{name}.json.gz"
                path.write_bytes(gzip.compress(content, mtime=0))
                sys.stdout.write(f"{name}: {path.stat().st_size} bytes\n")
                sys.stdout.flush()


if __name__ == "__main__":
    if unknown := sorted(set(sys.argv[1:]) - set(CASES)):
        sys.exit(f"Unknown case: {', '.join(unknown)}. Cases: {', '.join(CASES)}.")
    make(sys.argv[1:] or list(CASES))
