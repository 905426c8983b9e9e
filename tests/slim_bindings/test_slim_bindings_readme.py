"""The program in the README runs as it stands, in a project that has nothing else."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
README = PROJECT / "slim_bindings" / "README.md"
STACK = """\
from cdktf import TerraformStack
from aws import AwsProvider, SnsTopic

class MyStack(TerraformStack):
    def __init__(self, scope, id_):
        super().__init__(scope, id_)
        AwsProvider(self, "aws", region="us-east-1")
        SnsTopic(self, "topic", name="alerts")
"""


def test_program_in_readme_synthesizes(tmp_path: Path) -> None:
    for name, program in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", README.read_text(), re.DOTALL):
        (tmp_path / name).write_text(program)
    (tmp_path / "stack.py").write_text(STACK)
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "main.py"],
        cwd=tmp_path,
        env={**base, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    stack = json.loads((tmp_path / "cdktf.out" / "stacks" / "my-stack" / "cdk.tf.json").read_text())
    assert [topic["name"] for topic in stack["resource"]["aws_sns_topic"].values()] == ["alerts"]
    assert list((tmp_path / ".build" / "bindings").glob("*.jsii.tgz"))
