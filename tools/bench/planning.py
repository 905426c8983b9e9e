"""Measures Terraform over an environment of many flows, on a local AWS."""

import json
import sys
import time
from pathlib import Path
from typing import Any, Final

from tools.bench.flows import environment_text
from tools.bench.tables import show
from tools.compat.source import copy_source, synthesize
from tools.local_aws import LocalAws
from tools.terraform.binary import terraform, terraform_environment

ENVIRONMENT: Final = "many"
FLOWS: Final = 100


def plan(folder: Path) -> dict[str, Any]:
    """Seconds of terraform for 100 flows."""
    begun = time.monotonic()
    planned = _validate_and_plan(folder, FLOWS)
    seconds = time.monotonic() - begun
    show(
        f"terraform init, validate and plan of {FLOWS} flows",
        ("resources to add", "seconds"),
        [(str(planned), f"{seconds:.0f}")],
    )
    return {"flows": FLOWS, "resources": planned, "seconds": seconds}


def _validate_and_plan(folder: Path, flows: int) -> int:
    """Synthesize, initialize, validate and plan; returns how many resources would be added."""
    checkout = folder / "checkout"
    copy_source(checkout)
    (checkout / "environments" / f"{ENVIRONMENT}.toml").write_text(environment_text(flows), encoding="utf-8")
    synthesize(checkout, folder / "out", python=sys.executable, environments=[ENVIRONMENT])
    root = folder / "out" / ENVIRONMENT / "stacks" / "media-workflow"
    stack = json.loads((root / "cdk.tf.json").read_text(encoding="utf-8"))
    with LocalAws() as aws:
        aws.client("s3").create_bucket(Bucket=stack["terraform"]["backend"]["s3"]["bucket"])
        environ = {**terraform_environment(), **aws.environment()}
        environ["TF_WORKSPACE"] = ENVIRONMENT
        terraform("init", "-no-color", folder=root, environ=environ)
        terraform("validate", "-no-color", folder=root, environ=environ)
        terraform("plan", "-no-color", "-out=plan", folder=root, environ=environ)
        planned = json.loads(terraform("show", "-json", "plan", folder=root, environ=environ).stdout)
    actions = [change["change"]["actions"] for change in planned["resource_changes"]]
    return actions.count(["create"])
