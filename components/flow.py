"""One MediaConnect flow, by the Terraform module that holds it in a CloudFormation stack.

hashicorp/aws has no MediaConnect resource. `modules/mediaconnect_flow` documents what replaces a flow.
"""

import hashlib
import shutil
from pathlib import Path
from typing import Any, Final

from cdktf import AssetType, TerraformAsset, TerraformHclModule, Token
from constructs import Construct

from components.paths import FLOW_MODULE
from components.site import Site
from settings import Flow, Thresholds


class FlowModule(Construct):
    """The module's `.tf` files as an asset, so that the synthesized stack is complete by itself."""

    def __init__(self, scope: Construct, id_: str, *, build: Path) -> None:
        super().__init__(scope, id_)
        files = {path.name: path.read_bytes().replace(b"\r\n", b"\n") for path in sorted(FLOW_MODULE.glob("*.tf"))}
        # CDKTF's own hash ignores names and has no fixed order, and its copy would include tests and caches.
        digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
        deployed_here = build / f"flow-module-{digest}"
        if not deployed_here.is_dir():
            unfinished = deployed_here.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            for name, content in files.items():
                (unfinished / name).write_bytes(content)
            unfinished.rename(deployed_here)
        asset = TerraformAsset(
            self, "mediaconnect_flow", path=str(deployed_here), type=AssetType.DIRECTORY, asset_hash=digest[:32]
        )
        self.source: Final = f"./{asset.path}"


class MediaConnectFlow(Construct):
    """A flow with its sources and outputs. It is created in STANDBY; `media-workflow start` starts it."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        site: Site,
        flow: Flow,
        thresholds: Thresholds,
        module: FlowModule,
        protect: bool,
        allow_open_cidr: bool,
        tags: dict[str, str],
    ) -> None:
        super().__init__(scope, id_)
        self.name: Final = flow.name
        self._has_backup: Final = flow.backup_source is not None
        self._module = TerraformHclModule(
            self,
            "flow",
            source=module.source,
            skip_asset_creation_from_local_modules=True,
            variables={
                "stack_name": site.names.flow_stack(flow.name),
                "protect": protect,
                "allow_open_cidr": allow_open_cidr,
                "tags": tags,
                **({"permissions_boundary": site.permissions_boundary} if site.permissions_boundary else {}),
                **module_variables(flow, thresholds),
            },
        )

        # Read once: each read is a round trip to Node.
        self.arn: Final = self._output("flow_arn")
        """ARN of the flow; changes when the flow is replaced."""

    def _output(self, name: str) -> str:
        return Token.as_string(self._module.get(name))

    @property
    def ingest(self) -> dict[str, Any]:
        """Address and port that the encoder sends to, and under `backup` those of a backup source.

        They are null for srt-caller, which calls out.
        """
        primary = {"address": self._output("ingest_ip"), "port": self._output("ingest_port")}
        if not self._has_backup:
            return primary
        backup = {"address": self._output("backup_ingest_ip"), "port": self._output("backup_ingest_port")}
        return {**primary, "backup": backup}


def module_variables(flow: Flow, thresholds: Thresholds) -> dict[str, Any]:
    """The module's inputs for a flow. `source` is a reserved argument of modules, so it is `primary_source` there."""
    given = flow.model_dump(mode="json", exclude_none=True, exclude={"on_air", "thresholds"})
    given["primary_source"] = given.pop("source")
    given["content_seconds"] = thresholds.content_seconds
    return given
