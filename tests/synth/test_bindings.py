"""The classes that the application imports are the real ones, and no others load."""

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

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
    with pytest.raises(ImportError, match=rf"{package}\.{module} is not loaded: import it in aws.py, the one file"):
        importlib.import_module(f"{package}.{module}")


def test_only_what_is_named_is_imported() -> None:
    importlib.import_module("components.aws")
    loaded = {name.split(".")[1] for name in sys.modules if name.startswith("cdktf_cdktf_provider_aws.")}
    assert "sns_topic" in loaded
    assert len(loaded) < 60
