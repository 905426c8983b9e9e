"""The flow module plans as its own tests say, and every template it renders fits AWS's schemas."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from moto.server import ThreadedMotoServer

from components.paths import FLOW_MODULE, PROJECT
from components.sizes import template_bytes
from settings import Flow
from settings.protocols import OUTPUT_PROTOCOLS, SOURCE_PROTOCOLS
from tests.provider import one_provider
from tests.unit.environments import backup, source
from tools.module_docs import blocks, written
from tools.terraform.binary import terraform, terraform_environment

EXAMPLES: Final = sorted(path.name for path in (FLOW_MODULE / "examples").iterdir())
SECRET: Final = "arn:aws:secretsmanager:us-east-1:123456789012:secret:key-AbCdEf"
SRT_KEY: Final = {"key_type": "srt-password", "secret_arn": SECRET}
ZIXI_KEY: Final = {"key_type": "static-key", "secret_arn": SECRET, "algorithm": "aes128"}


CASES: Final[dict[str, dict[str, Any]]] = {
    "rtp": {"primary_source": source("rtp", max_bitrate_bps=20_000_000)},
    "rtp-fec": {"primary_source": source("rtp-fec"), "backup_source": backup("rtp", "MERGE", recovery_window_ms=300)},
    "rist": {"primary_source": source("rist", latency_ms=200), "backup_source": backup("rist", "FAILOVER")},
    "srt-listener": {
        "primary_source": source("srt-listener", latency_ms=200, encryption=SRT_KEY),
        "backup_source": backup("srt-listener", "FAILOVER", latency_ms=200, encryption=SRT_KEY),
    },
    "srt-caller": {
        "primary_source": source("srt-caller", stream_id="a"),
        "backup_source": backup("srt-caller", "FAILOVER"),
    },
    "zixi-push": {"primary_source": source("zixi-push", latency_ms=500, stream_id="a", encryption=ZIXI_KEY)},
    "everything": {
        "primary_source": source("rtp"),
        "availability_zone": "us-east-1a",
        "size": "LARGE",
        "protect": True,
        "content_monitoring": True,
        "content_seconds": 10,
        "maintenance": {"day": "Sunday", "start_hour": "02:00"},
        "tags": {"Team": "live", "Environment": "prod"},
        "outputs": {
            "rtp": {"protocol": "rtp", "destination": "198.51.100.1", "port": 6000, "enabled": False},
            "rtp-fec": {"protocol": "rtp-fec", "destination": "198.51.100.1", "port": 6010},
            "rist": {"protocol": "rist", "destination": "198.51.100.1", "port": 6020, "latency_ms": 100},
            "srt-listener": {"protocol": "srt-listener", "port": 6030, "allowed_cidrs": ["198.51.100.0/24"]},
            "srt-caller": {
                "protocol": "srt-caller",
                "destination": "198.51.100.1",
                "port": 6040,
                "latency_ms": 200,
                "stream_id": "b",
                "encryption": SRT_KEY,
            },
            "zixi-push": {
                "protocol": "zixi-push",
                "destination": "198.51.100.1",
                "port": 6050,
                "stream_id": "c",
                "encryption": ZIXI_KEY,
            },
            "zixi-pull": {"protocol": "zixi-pull", "allowed_cidrs": ["198.51.100.0/24"], "remote_id": "d"},
        },
    },
    "largest": {
        "primary_source": source("srt-listener", latency_ms=15_000, encryption=SRT_KEY),
        "protect": True,
        "outputs": {
            f"{'o' * 125}{number:03}": {
                "protocol": "srt-caller",
                "destination": "198.51.100.100",
                "port": 60_000,
                "latency_ms": 15_000,
                "stream_id": "<&>" * 10,
                "encryption": SRT_KEY,
                "enabled": False,
            }
            for number in range(50)
        },
    },
}


def copied(folder: Path) -> Path:
    """The module in a folder of its own, so that Terraform leaves nothing in the repository."""
    return Path(
        shutil.copytree(FLOW_MODULE, folder / "mediaconnect_flow", ignore=shutil.ignore_patterns(".terraform*"))
    )


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, str]]:
    """The environment of a terraform whose AWS is moto, which answers who the caller is."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        yield {**terraform_environment(), **keys, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}
    finally:
        server.stop()


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory, aws: dict[str, str]) -> dict[str, Any]:
    """The template of each case, from one plan with the real provider; only "who am I" is asked of AWS."""
    folder = tmp_path_factory.mktemp("templates")
    copied(folder)
    root = {
        "provider": {"aws": {"region": "us-east-1"}},
        "module": {
            f"case_{case}": {"source": "./mediaconnect_flow", "name": f"flow-{case}", **variables}
            for case, variables in CASES.items()
        },
        "output": {case: {"value": f"${{module.case_{case}.template_body}}"} for case in CASES},
    }
    (folder / "main.tf.json").write_text(json.dumps(root))
    terraform("init", "-no-color", folder=folder, environ=aws)
    terraform("plan", "-no-color", "-out=plan", folder=folder, environ=aws)
    shown = json.loads(terraform("show", "-json", "plan", folder=folder, environ=aws).stdout)
    outputs = shown["planned_values"]["outputs"]
    return {case: json.loads(outputs[case]["value"]) for case in CASES}


def problems(template: dict[str, Any]) -> list[str]:
    return [str(match) for match in lint(json.dumps(template), config=ManualArgs(regions=["us-east-1"]))]


@pytest.mark.parametrize("case", CASES)
def test_template_fits_cloudformation_schemas(templates: dict[str, Any], case: str) -> None:
    assert problems(templates[case]) == []


def test_linter_finds_an_invalid_template(templates: dict[str, Any]) -> None:
    wrong = json.loads(json.dumps(templates["rtp"]))
    wrong["Resources"]["Flow"]["Properties"]["Outputs"] = []
    assert any("Outputs" in problem for problem in problems(wrong))


@pytest.mark.parametrize("case", CASES)
def test_template_has_flow_backup_source_and_outputs(templates: dict[str, Any], case: str) -> None:
    resources = templates[case]["Resources"]
    kinds = sorted(resource["Type"].removeprefix("AWS::MediaConnect::") for resource in resources.values())
    assert kinds == sorted(
        ["Flow"]
        + ["FlowSource"] * ("backup_source" in CASES[case])
        + ["FlowOutput"] * len(CASES[case].get("outputs", {}))
    )


@pytest.mark.parametrize("case", CASES)
def test_estimated_template_size_is_an_upper_bound(templates: dict[str, Any], case: str) -> None:
    given = {key: value for key, value in CASES[case].items() if key in Flow.model_fields}
    flow = Flow.model_validate({"name": f"flow-{case}", "source": CASES[case]["primary_source"], **given})
    size = len(as_sent(templates[case]))
    estimated = template_bytes(flow, CASES[case].get("tags", {}))
    assert size <= estimated
    if case == "largest":
        assert estimated < 1.3 * size


def as_sent(template: dict[str, Any]) -> bytes:
    """A template as the provider sends it: compact JSON with <, > and & escaped."""
    text = json.dumps(template, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()


def test_cases_cover_every_protocol() -> None:
    assert {case["primary_source"]["protocol"] for case in CASES.values()} == set(SOURCE_PROTOCOLS)
    outputs = [output for case in CASES.values() for output in case.get("outputs", {}).values()]
    assert {output["protocol"] for output in outputs} == set(OUTPUT_PROTOCOLS)


def test_own_tests_of_the_module_pass(tmp_path: Path) -> None:
    module, environ = copied(tmp_path), terraform_environment()
    terraform("init", "-no-color", folder=module, environ=environ)
    with one_provider(module, environ) as environ:
        printed = terraform("test", "-no-color", folder=module, environ=environ).stdout
    assert " 0 failed" in printed


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the examples. One is initialised; as all call the same module, the others use the same data."""
    folder = copied(tmp_path_factory.mktemp("examples")) / "examples"
    first, *others = (folder / name for name in EXAMPLES)
    terraform("init", "-no-color", folder=first, environ=terraform_environment())
    for other in others:
        shutil.copytree(first / ".terraform", other / ".terraform", symlinks=True)
        shutil.copy(first / ".terraform.lock.hcl", other)
    return folder


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_plans_without_deprecated_attributes(examples: Path, aws: dict[str, str], name: str) -> None:
    planned = terraform("plan", "-no-color", folder=examples / name, environ=aws)
    assert "module.channel.aws_cloudformation_stack.this will be created" in planned.stdout
    assert "deprecated" not in (planned.stdout + planned.stderr).lower()


def test_tables_of_the_readme_are_current() -> None:
    """`python -m tools.module_docs` writes them."""
    readme = (FLOW_MODULE / "README.md").read_text(encoding="utf-8")
    assert readme == written(readme, FLOW_MODULE)
    assert all(row["description"] for kind in ("variable", "output") for row in blocks(FLOW_MODULE, kind).values())


def test_module_has_what_the_registry_expects() -> None:
    names = {path.name for path in FLOW_MODULE.iterdir()}
    assert names >= {"README.md", "LICENSE", "CHANGELOG.md", "main.tf", "variables.tf", "outputs.tf", "versions.tf"}
    assert (FLOW_MODULE / "LICENSE").read_bytes() == (PROJECT / "LICENSE").read_bytes()
    readme = (FLOW_MODULE / "README.md").read_text(encoding="utf-8")
    assert all(f"(examples/{name}/main.tf)" in readme for name in EXAMPLES)


def test_region_is_read_as_id_for_provider_6() -> None:
    """`data.aws_region.*.name` is `region` there, which 5.100 does not know; `id` is the Region's name in both."""
    text = (FLOW_MODULE / "main.tf").read_text(encoding="utf-8")
    assert set(re.findall(r"data\.aws_region\.current(?:\[0\])?\.(\w+)", text)) == {"id"}
