"""A checkout of the project, as in a pipeline, whose command line uses the local AWS."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from components.paths import PROJECT
from tests.provider import one_provider
from tools.compat.source import copy_bindings
from tools.local_aws import LocalAws
from tools.terraform.binary import terraform_environment

BUCKET = "media-workflow-state-123456789012-us-east-1"
PARTS = (
    *("components", "environments", "lambda_src", "modules", "tools"),
    *("settings", "slim_bindings", "stacks", "main.py", "cdktf.json"),
)


class Checkout:
    """A checkout of the project, as in a pipeline, and its command line."""

    def __init__(self, folder: Path, aws: LocalAws, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.s3 = aws.client("s3")
        if BUCKET not in {bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]}:
            self.s3.create_bucket(Bucket=BUCKET)
        for part in PARTS:
            if (PROJECT / part).is_dir():
                shutil.copytree(PROJECT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(PROJECT / part, folder / part)
        copy_bindings(folder)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.environ = {
            **terraform_environment({**kept, **aws.environment()}),
            "TF_INPUT": "0",
            "TF_CLI_ARGS_apply": "-parallelism=20",
            **environ,
        }

    def run(self, *arguments: str, expect: int = 0, environ: Mapping[str, str] | None = None) -> str:
        """Run a command and return its output."""
        done = subprocess.run(
            [sys.executable, "-m", "tools.cli", *arguments],
            cwd=self.folder,
            env={**self.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=400,
        )
        assert done.returncode == expect, f"{arguments} ended with {done.returncode}:\n{done.stdout[-6000:]}"
        return done.stdout

    @contextmanager
    def one_provider(self, **environ: str) -> Iterator[None]:
        """Let all commands share one process of the provider, started with `environ`."""
        alone, root = self.environ, self.folder / "cdktf.out" / "stacks" / "media-workflow"
        try:
            with one_provider(root, {**alone, **environ}) as self.environ:
                yield
        finally:
            self.environ = alone

    def forget_state(self, environment: str) -> None:
        """Delete the state of an environment from the bucket."""
        listed = self.s3.list_objects_v2(Bucket=BUCKET)
        for item in listed.get("Contents", []):
            if f"/{environment}/" in item["Key"] or item["Key"] == f"ci-access/{environment}.tfstate":
                self.s3.delete_object(Bucket=BUCKET, Key=item["Key"])

    def edit(self, old: str, new: str, *, environment: str = "prod") -> None:
        """Change the settings of an environment, as on a branch."""
        path = self.folder / "environments" / f"{environment}.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
