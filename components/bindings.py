"""Where what is built of the bindings is kept between runs. Imports nothing, as it is read before Node is started."""

from pathlib import Path
from typing import Final

CACHE: Final = Path(__file__).resolve().parent.parent / ".build" / "bindings"
