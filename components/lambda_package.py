"""The functions' zip: the same source gives the same bytes on every machine.

Pure but for reading the source folder. CDKTF's own asset hashing would follow file order, time stamps and
`__pycache__`, so that running the tests redeploys the functions.
"""

import hashlib
import io
import zipfile
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from components.paths import PROJECT

SOURCE: Final = PROJECT / "lambda_src"
EARLIEST: Final = (1980, 1, 1, 0, 0, 0)  # the first moment a zip can hold
READABLE_FILE: Final = 0o100644 << 16  # Lambda refuses code that its own user cannot read


@dataclass(frozen=True, slots=True)
class LambdaPackage:
    """A zip and the two spellings of its SHA-256 that AWS asks for."""

    content: bytes

    @property
    def digest(self) -> str:
        """Hexadecimal SHA-256; names the S3 object, so that new code is a new object."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def source_code_hash(self) -> str:
        """Base64 SHA-256, as Lambda reports it for the code it runs."""
        return b64encode(hashlib.sha256(self.content).digest()).decode()

    def write_to(self, folder: Path) -> Path:
        """Write the zip into `folder` under its digest and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.digest}.zip"
        if not path.is_file() or path.read_bytes() != self.content:
            path.write_bytes(self.content)
        return path


@cache
def lambda_package(source: Path = SOURCE) -> LambdaPackage:
    """Zip the Python files below `source`: sorted, one fixed time and mode, stored as they are.

    Uncompressed, because compressed bytes differ between zlib builds.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(source.rglob("*.py"), key=lambda found: found.relative_to(source).as_posix()):
            entry = zipfile.ZipInfo(path.relative_to(source).as_posix(), EARLIEST)
            entry.external_attr = READABLE_FILE
            entry.create_system = 3  # Unix, whatever this machine is
            # Checkouts may differ in line endings; the deployed bytes may not.
            archive.writestr(entry, path.read_text(encoding="utf-8"))
    return LambdaPackage(buffer.getvalue())
