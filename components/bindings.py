"""Makes the AWS bindings load fast. Imports nothing that imports CDKTF: it must run before that."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

import slim_bindings
from components.paths import PROJECT

PROVIDER: Final = "cdktf_cdktf_provider_aws"
NAMED_IN: Final = Path(__file__).with_name("aws.py")
CACHE: Final = PROJECT / ".build" / "bindings"


def install() -> None:
    """Prepare the bindings, before anything imports CDKTF."""
    slim_bindings.install(PROVIDER, named_in=NAMED_IN, cache=CACHE)


def run(synthesize: Callable[[], int]) -> NoReturn:
    """Prepare the bindings and exit with the code of `synthesize`, which imports CDKTF."""
    slim_bindings.run(synthesize, PROVIDER, named_in=NAMED_IN, cache=CACHE)
