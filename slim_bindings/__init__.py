"""Makes CDKTF in Python start and load in a tenth of the time, with prebuilt provider packages as they are.

- `load`: only the parts of a provider package that a program names.
- `node`: Node started at once and straight, and `ahead`: not waited for while it loads.

Each is self-contained (standard library and jsii only, no provider known by name), steps aside with one line in the
log when it finds anything unexpected, and is switched off by the environment variable `STOCK_BINDINGS`. A program is
never synthesized differently, only slower. Nothing is imported here, so that `node` begins without delay.
"""

from typing import Final

OFF_SWITCH: Final = "STOCK_BINDINGS"
"""Environment variable: any value leaves everything to jsii and to the stock packages."""
