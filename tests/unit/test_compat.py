"""Moving to another release may change versions in what is synthesized, and nothing else."""

import json
from typing import Any

import pytest

from tools.compat.comparison import differences
from tools.compat.variants import VARIANTS

STACK: dict[str, Any] = {
    "//": {"metadata": {"version": "0.21.0", "stackName": "a"}},
    "resource": {"aws_sns_topic": {"topic": {"name": "alerts", "tags": ["a", "b"]}}},
    "terraform": {"required_providers": {"aws": {"source": "aws", "version": "5.100.0"}}},
}


def files(stack: dict[str, Any], **more: bytes) -> dict[str, bytes]:
    return {"cdk.tf.json": json.dumps(stack).encode(), **more}


def changed(path: str, value: Any) -> dict[str, bytes]:
    stack = json.loads(json.dumps(STACK))
    *parents, last = path.split("/")
    part = stack
    for key in parents:
        part = part[key]
    part[last] = value
    return files(stack)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("terraform/required_providers/aws/version", "6.69.1"),
        ("terraform/required_providers/aws/source", "hashicorp/aws"),
    ],
)
def test_other_provider_version_is_no_difference(path: str, value: str) -> None:
    assert differences(files(STACK), changed(path, value)) == []


def test_other_layout_of_same_json_is_no_difference() -> None:
    assert differences(files(STACK), {"cdk.tf.json": json.dumps(STACK, indent=4, sort_keys=True).encode()}) == []


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("resource/aws_sns_topic/topic/name", "other", "cdk.tf.json: resource.aws_sns_topic.topic.name is 'other' instead of 'alerts'"),
        ("resource/aws_sns_topic/topic/more", 1, "cdk.tf.json: resource.aws_sns_topic.topic.more is 1 instead of None"),
        ("resource/aws_sns_topic/topic/tags", ["a", "c"], "cdk.tf.json: resource.aws_sns_topic.topic.tags[1] is 'c' instead of 'b'"),
        ("resource/aws_sns_topic/topic/tags", ["a"], "cdk.tf.json: resource.aws_sns_topic.topic.tags is ['a'] instead of ['a', 'b']"),
        ("terraform/required_version", ">= 2", "cdk.tf.json: terraform.required_version is '>= 2' instead of None"),
    ],
)  # fmt: skip
def test_other_value_is_a_named_difference(path: str, value: Any, line: str) -> None:
    assert differences(files(STACK), changed(path, value)) == [line]


def test_files_are_compared_by_name_and_bytes() -> None:
    one = files(STACK, **{"assets/a.zip": b"1", "assets/b.zip": b"2"})
    other = files(STACK, **{"assets/a.zip": b"3", "assets/c.zip": b"2"})
    assert differences(one, other) == ["assets/b.zip is missing", "assets/c.zip is new", "assets/a.zip has other bytes"]


def test_fork_renames_only_imports() -> None:
    (fork,) = [variant for variant in VARIANTS if variant.name == "fork"]
    source = 'from cdktf import App\nimport cdktf\nfrom cdktf_cdktf_provider_aws.sns_topic import SnsTopic\nPath("cdktf.json")\n'
    assert fork.rename(source) == (
        'from cdktn import App\nimport cdktn\nfrom cdktn_provider_aws.sns_topic import SnsTopic\nPath("cdktf.json")\n'
    )


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_every_package_is_pinned(variant: Any) -> None:
    lines = [line for line in variant.requirements.read_text().splitlines() if not line.startswith("#")]
    assert len(lines) > 10
    assert all(line.count("==") == 1 for line in lines), lines
