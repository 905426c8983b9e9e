"""One process of the AWS provider for many terraform commands, as when it is debugged.

Each command would otherwise verify the provider's 700 MB, start it and read its schemas, mostly more than once, which is
most of what a plan takes of the processor. What `init` installs, and that each command can start it, is for tests without
this.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tools.terraform.binary import PROVIDER


@contextmanager
def one_provider(root: Path, environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Run the provider of a root module; yields the environment that points terraform at it.

    Args:
        root: an initialised root module.
        environ: of the process, and so with the credentials and endpoint that the provider takes; also what is returned,
            with one variable more.
    """
    (binary,) = (root / ".terraform" / "providers" / PROVIDER).glob("*/*/terraform-provider-aws*")
    with subprocess.Popen(
        [str(binary), "-debug"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as provider:
        try:
            found = (re.search(r"(TF_REATTACH_PROVIDERS)='(.*)'", line) for line in provider.stdout or ())
            name, value = next(filter(None, found)).groups()
            yield {**environ, name: value}
        finally:
            provider.terminate()
