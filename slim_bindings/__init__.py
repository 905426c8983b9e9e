"""Makes CDKTF in Python start and load in a tenth of the time, with prebuilt provider packages as they are.

- `load`: only the parts of a provider package that a program names.
- `lean`: generated modules without their checks and texts.
- `node`: Node started at once and straight, and `ahead`: not waited for while it loads.

Self-contained (standard library and jsii only, no provider known by name). What meets anything unexpected steps aside
with one line in the log: a program is never synthesized differently, only slower. Nothing is imported here, so that
`node` begins without delay.
"""

from typing import Final

OFF_SWITCH: Final = "STOCK_BINDINGS"
"""Environment variable: any value leaves everything to jsii and to the stock packages."""
