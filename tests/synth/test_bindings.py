"""The classes that the application imports are the real ones, and no others load."""

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

    def mypy_knows_the_arguments_and_attributes_of_the_real_classes(scope: Construct) -> None:
        """Read by `make types` only: with Any for a class, the ignored line would be an unused ignore."""
        assert_type(SnsTopic(scope, "topic").arn, str)
        SnsTopic(scope, "topic", no_such_argument=True)  # type: ignore[call-arg]


@pytest.mark.parametrize("module", ["vpc", "sns_topic_data_protection_policy"])
def test_a_class_that_is_not_named_is_refused_with_where_to_name_it(module: str) -> None:
    importlib.import_module("components.aws")
    package = "cdktf_cdktf_provider_aws"
    with pytest.raises(
        ImportError, match=rf"{package}\.{module} is not loaded: only what aws.py imports from {package} is\."
    ):
        importlib.import_module(f"{package}.{module}")


def test_only_what_is_named_is_imported() -> None:
    importlib.import_module("components.aws")
    loaded = {name.split(".")[1] for name in sys.modules if name.startswith("cdktf_cdktf_provider_aws.")}
    assert "sns_topic" in loaded
    assert len(loaded) < 60


def test_node_refuses_a_wrong_argument_that_python_no_longer_checks(tmp_path: Path) -> None:
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
    assert not checks_are_imported, "they bring the event loop and TLS with them"
