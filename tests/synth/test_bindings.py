"""The application imports the real classes, and no others load."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from components.paths import PROJECT

if TYPE_CHECKING:
    from typing import assert_type

    from constructs import Construct

    from components.aws import SnsTopic

    def types_are_those_of_the_real_classes(scope: Construct) -> None:
        """For mypy only: were a class Any, it would report the ignore as unused."""
        assert_type(SnsTopic(scope, "topic").arn, str)
        SnsTopic(scope, "topic", no_such_argument=True)  # type: ignore[call-arg]


@pytest.mark.parametrize("module", ["vpc", "sns_topic_data_protection_policy"])
def test_unnamed_class_is_refused_with_where_to_name_it(module: str) -> None:
    importlib.import_module("components.aws")
    package = "cdktf_cdktf_provider_aws"
    with pytest.raises(
        ImportError, match=rf"{package}\.{module} is not loaded: only what aws.py imports from {package} is\."
    ):
        importlib.import_module(f"{package}.{module}")


def test_only_named_modules_are_imported() -> None:
    importlib.import_module("components.aws")
    loaded = {name.split(".")[1] for name in sys.modules if name.startswith("cdktf_cdktf_provider_aws.")}
    assert "sns_topic" in loaded
    assert len(loaded) < 60


def test_node_refuses_wrong_arguments_without_checks_in_python(tmp_path: Path) -> None:
    program = """\
import json, sys
from components import bindings
bindings.install()
from cdktf import App, TerraformStack
from components.aws import SnsTopic
try:
    SnsTopic(TerraformStack(App(outdir=sys.argv[1]), "stack"), "topic", name=["not", "a", "name"])
except Exception as error:
    print(json.dumps([type(error).__name__, str(error), "unittest.mock" in sys.modules]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    name, words, checks_are_imported = json.loads(done.stdout)
    assert (name, done.stderr) == ("RuntimeError", "")
    assert "Value is not a string" in words
    assert not checks_are_imported, "typeguard also imports the event loop and TLS"
