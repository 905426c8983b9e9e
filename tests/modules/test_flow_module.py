"""The flow module plans as its own tests say, and every template it renders fits AWS's schemas."""

import json
import re
import shutil
from pathlib import Path
from typing import Any, Final

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from moto.server import ThreadedMotoServer

from components.paths import FLOW_MODULE
from components.sizes import template_bytes
from settings import Flow
from settings.protocols import OUTPUT_PROTOCOLS, SOURCE_PROTOCOLS
from tests.provider import one_provider
from tests.unit.environments import backup, source
from tools.terraform.binary import terraform, terraform_environment

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
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The template of each case, from one plan with the real provider; only "who am I" is asked of AWS."""
    folder = tmp_path_factory.mktemp("templates")
    copied(folder)
    root = {
        "provider": {"aws": {"region": "us-east-1", "access_key": "test", "secret_key": "test"}},
        "module": {
            f"case_{case}": {"source": "./mediaconnect_flow", "name": f"flow-{case}", **variables}
            for case, variables in CASES.items()
        },
        "output": {case: {"value": f"${{module.case_{case}.template_body}}"} for case in CASES},
    }
    (folder / "main.tf.json").write_text(json.dumps(root))
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        environ = {**terraform_environment(), "AWS_ENDPOINT_URL": f"http://{host}:{port}"}
        terraform("init", "-no-color", folder=folder, environ=environ)
        terraform("plan", "-no-color", "-out=plan", folder=folder, environ=environ)
        shown = json.loads(terraform("show", "-json", "plan", folder=folder, environ=environ).stdout)
    finally:
        server.stop()
    outputs = shown["planned_values"]["outputs"]
    return {case: json.loads(outputs[case]["value"]) for case in CASES}


def problems(template: dict[str, Any]) -> list[str]:
    return [str(match) for match in lint(json.dumps(template), config=ManualArgs(regions=["us-east-1"]))]


@pytest.mark.parametrize("case", CASES)
def test_the_template_fits_the_schemas_of_cloudformation(templates: dict[str, Any], case: str) -> None:
    assert problems(templates[case]) == []


def test_the_linter_sees_a_template_that_cloudformation_would_refuse(templates: dict[str, Any]) -> None:
    wrong = json.loads(json.dumps(templates["rtp"]))
    wrong["Resources"]["Flow"]["Properties"]["Outputs"] = []
    assert any("Outputs" in problem for problem in problems(wrong))


@pytest.mark.parametrize("case", CASES)
def test_each_resource_of_the_flow_is_one_that_cloudformation_has(templates: dict[str, Any], case: str) -> None:
    resources = templates[case]["Resources"]
    kinds = sorted(resource["Type"].removeprefix("AWS::MediaConnect::") for resource in resources.values())
    assert kinds == sorted(
        ["Flow"]
        + ["FlowSource"] * ("backup_source" in CASES[case])
        + ["FlowOutput"] * len(CASES[case].get("outputs", {}))
    )


@pytest.mark.parametrize("case", CASES)
def test_the_size_that_is_checked_at_synth_is_not_below_the_template(templates: dict[str, Any], case: str) -> None:
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


def test_every_protocol_is_among_the_cases() -> None:
    assert {case["primary_source"]["protocol"] for case in CASES.values()} == set(SOURCE_PROTOCOLS)
    outputs = [output for case in CASES.values() for output in case.get("outputs", {}).values()]
    assert {output["protocol"] for output in outputs} == set(OUTPUT_PROTOCOLS)


def test_the_modules_own_tests_pass(tmp_path: Path) -> None:
    module, environ = copied(tmp_path), terraform_environment()
    terraform("init", "-no-color", folder=module, environ=environ)
    with one_provider(module, environ) as environ:
        printed = terraform("test", "-no-color", folder=module, environ=environ).stdout
    assert " 0 failed" in printed


def test_the_module_can_be_used_from_plain_terraform(tmp_path: Path) -> None:
    example, environ = copied(tmp_path) / "examples" / "plain", terraform_environment()
    terraform("init", "-no-color", folder=example, environ=environ)
    terraform("validate", "-no-color", folder=example, environ=environ)


def test_no_attribute_is_read_that_provider_6_deprecates() -> None:
    """`data.aws_region.*.name` is `region` there, which 5.100 does not know; `id` is the Region's name in both."""
    text = (FLOW_MODULE / "main.tf").read_text(encoding="utf-8")
    assert set(re.findall(r"data\.aws_region\.current(?:\[0\])?\.(\w+)", text)) == {"id"}
