"""One synth of each environment, shared by all tests, and a way to look into it that shows what was found."""

import json
import os
from dataclasses import dataclass
from typing import Any

import pytest

from components.paths import PROJECT
from settings import load_environment

ENVIRONMENTS = ("dev", "staging", "prod")


@dataclass(frozen=True, slots=True)
class Synthesized:
    """A stack's Terraform JSON."""

    text: str

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.text)
        return content

    def all_of(self, tf_type: str) -> list[dict[str, Any]]:
        """Every resource of a type."""
        return list(self.content["resource"].get(tf_type, {}).values())

    def one(self, tf_type: str, **properties: Any) -> dict[str, Any]:
        """The one resource of a type that has these properties."""
        fitting = [
            found for found in self.all_of(tf_type) if all(found.get(key) == value for key, value in properties.items())
        ]
        assert len(fitting) == 1, f"{len(fitting)} {tf_type} have {properties}; found {self._shown(tf_type)}"
        return fitting[0]

    def expect(self, tf_type: str, properties: dict[str, Any] | None = None) -> None:
        """Fail unless some resource of the type has these properties, by CDKTF's own matchers."""
        from cdktf import Testing  # noqa: PLC0415  pytest would collect it by its name

        found = (
            Testing.to_have_resource(self.text, tf_type)
            if properties is None
            else Testing.to_have_resource_with_properties(self.text, tf_type, properties)
        )
        if not found:
            pytest.fail(f"no {tf_type} has {properties}; found {self._shown(tf_type)}")

    def _shown(self, tf_type: str) -> str:
        return json.dumps(self.content["resource"].get(tf_type, {}), indent=2)[:4000]


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Synthesized]:
    """The workflow stack of each environment, validated, also of one without a file, and the state backend of dev."""
    os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
    from cdktf import Testing  # noqa: PLC0415  starts Node, which only these tests need

    from stacks.media_workflow import MediaWorkflow  # noqa: PLC0415
    from stacks.state_backend import StateBackend  # noqa: PLC0415

    build = tmp_path_factory.mktemp("build")
    outdir = str(build / "out")  # one would be left on this machine for each synth else
    found = {}
    by_hand = {"SOURCE_WHITELIST_CIDR": "203.0.113.0/24", "PRIMARY_OUTPUT_DESTINATION": "198.51.100.10"}
    for name in (*ENVIRONMENTS, "trial"):
        given = by_hand if name == "trial" else {}
        environment = load_environment(name, root=PROJECT, environ=given, context={})
        stack = MediaWorkflow(Testing.app(outdir=outdir), "media-workflow", environment, build=build)
        found[name] = Synthesized(Testing.synth(stack, True))  # True runs validations, which it skips by default
        if name == "dev":
            backend = StateBackend(
                Testing.app(outdir=outdir), "state", environment, name=str(environment.state_bucket_name)
            )
            found["state-backend"] = Synthesized(Testing.synth(backend, True))
    return found


@pytest.fixture
def dev(stacks: dict[str, Synthesized]) -> Synthesized:
    return stacks["dev"]


@pytest.fixture
def prod(stacks: dict[str, Synthesized]) -> Synthesized:
    return stacks["prod"]
