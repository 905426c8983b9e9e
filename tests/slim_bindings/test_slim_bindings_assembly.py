"""A reduced assembly has the named submodules and what they refer to; an unexpected layout is refused."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from slim_bindings.assembly import AssemblyError, modules_in, reduce_assembly

INDEX = """"use strict";
exports.snsTopic = exports.sqsQueue = exports.kmsKey = void 0;
exports.snsTopic = require("./sns-topic");
exports.sqsQueue = require("./sqs-queue");
exports.kmsKey = require("./kms-key");
"""


def assembly(folder: Path, **changes: Any) -> Path:
    """A small assembly of three submodules, two of which refer to the third."""
    manifest: dict[str, Any] = {
        "name": "@x/aws",
        "fingerprint": "abc",
        "submodules": {
            "@x/aws.snsTopic": {"symbolId": "src/sns-topic/index:"},
            "@x/aws.sqsQueue": {"symbolId": "src/sqs-queue/index:"},
            "@x/aws.kmsKey": {"symbolId": "src/kms-key/index:"},
        },
        "types": {
            "@x/aws.snsTopic.SnsTopic": {
                "base": "cdktf.TerraformResource",
                "properties": [{"name": "key", "type": {"union": {"types": [{"fqn": "@x/aws.kmsKey.KmsKey"}]}}}],
            },
            "@x/aws.kmsKey.KmsKey": {"base": "cdktf.TerraformResource"},
            "@x/aws.sqsQueue.SqsQueue": {"interfaces": ["@x/aws.kmsKey.IKey"]},
        },
    } | changes.pop("manifest", {})
    files = {
        "package/.jsii": json.dumps(manifest),
        "package/package.json": "{}",
        "package/lib/index.js": changes.pop("index", INDEX),
        "package/lib/sns-topic/index.js": "// sns",
        "package/lib/sns-topic/index.d.ts": "// types",
        "package/lib/sqs-queue/index.js": "// sqs",
        "package/lib/kms-key/index.js": "// kms",
    }
    path = folder / "aws.jsii.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


def unpacked(content: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        return {member.name: archive.extractfile(member).read().decode() for member in archive}  # type: ignore[union-attr]


def test_only_named_submodules_are_kept(tmp_path: Path) -> None:
    files = unpacked(reduce_assembly(assembly(tmp_path), frozenset({"kms_key"})))
    assert set(files) == {
        "package/.jsii",
        "package/package.json",
        "package/lib/index.js",
        "package/lib/kms-key/index.js",
    }
    assert set(json.loads(files["package/.jsii"])["types"]) == {"@x/aws.kmsKey.KmsKey"}
    assert files["package/lib/index.js"].splitlines() == ['"use strict";', 'exports.kmsKey = require("./kms-key");']


@pytest.mark.parametrize("name", ["sns_topic", "sqs_queue"])
def test_submodules_that_types_refer_to_are_kept(tmp_path: Path, name: str) -> None:
    files = unpacked(reduce_assembly(assembly(tmp_path), frozenset({name})))
    assert "@x/aws.kmsKey" in json.loads(files["package/.jsii"])["submodules"]
    assert "package/lib/kms-key/index.js" in files


def test_same_names_give_same_bytes(tmp_path: Path) -> None:
    path = assembly(tmp_path)
    names = frozenset({"sns_topic", "sqs_queue"})
    assert reduce_assembly(path, names) == reduce_assembly(path, names)


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({}, "s3_bucket", "no submodule s3_bucket"),
        ({"index": '"use strict";'}, "kms_key", "does not export kmsKey"),
        ({"manifest": {"types": {"@x/aws.Loose": {}}}}, "kms_key", "is in no submodule"),
    ],
)
def test_unexpected_layout_is_refused(tmp_path: Path, changes: dict[str, Any], name: str, words: str) -> None:
    with pytest.raises(AssemblyError, match=words):
        reduce_assembly(assembly(tmp_path, **changes), frozenset({name}))


def test_index_of_newer_compilers_is_read(tmp_path: Path) -> None:
    newer = INDEX.replace('require("./', '__importStar(require("./').replace('");', '/index"));')
    files = unpacked(reduce_assembly(assembly(tmp_path, index=newer), frozenset({"kms_key"})))
    assert files["package/lib/index.js"].splitlines()[1:] == [
        'exports.kmsKey = __importStar(require("./kms-key/index"));'
    ]


def test_modules_in_lists_submodules_of_reduced_assembly(tmp_path: Path) -> None:
    path = tmp_path / "reduced.tgz"
    path.write_bytes(reduce_assembly(assembly(tmp_path), frozenset({"sns_topic"})))
    assert modules_in(path) == {"sns_topic", "kms_key"}
