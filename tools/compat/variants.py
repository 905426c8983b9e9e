"""The other releases that the source must synthesize with, each in a virtual environment below `.build/compat`."""

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from components.paths import PROJECT

BUILD: Final = PROJECT / ".build" / "compat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A set of pinned packages, and the import names that differ there."""

    name: str
    title: str
    renamed: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """Holds its virtual environment, its copy of the source and what it synthesizes."""
        return BUILD / self.name

    @property
    def python(self) -> Path:
        """The interpreter of its virtual environment."""
        return self.folder / "venv" / "bin" / "python"

    @property
    def requirements(self) -> Path:
        """The file that pins every package of its virtual environment."""
        return Path(__file__).resolve().parent / f"{self.name}.txt"

    def rename(self, source: str) -> str:
        """Python source with only its imports renamed."""
        for name, other in self.renamed.items():
            source = re.sub(rf"\b{name}\b", other, source)
        return source


VARIANTS: Final = (
    Variant(name="provider6", title="cdktf with hashicorp/aws 6.25", renamed={}),
    Variant(
        name="fork",
        title="CDK Terrain with hashicorp/aws 6.69",
        renamed={
            "cdktf_cdktf_provider_aws": "cdktn_provider_aws",
            "(?<=from )cdktf": "cdktn",
            "(?<=import )cdktf": "cdktn",
        },
    ),
)


def install(variant: Variant) -> bool:
    """Create the virtual environment of a variant unless it is up to date; returns whether it was created.

    Raises:
        subprocess.CalledProcessError: pip failed and printed why.
    """
    wanted = hashlib.sha256(f"{sys.version}{variant.requirements.read_text(encoding='utf-8')}".encode()).hexdigest()
    ready = variant.folder / "ready"
    if ready.is_file() and ready.read_text(encoding="utf-8") == wanted:
        return False
    shutil.rmtree(variant.folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", variant.folder / "venv"], check=True)
    subprocess.run(
        [variant.python, "-m", "pip", "install", "--quiet", "--no-deps", "--requirement", variant.requirements],
        check=True,
    )
    ready.write_text(wanted, encoding="utf-8")
    return True
