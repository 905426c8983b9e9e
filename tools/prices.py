"""Reads `prices.toml`, the one place that holds list prices."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

HOURS_A_MONTH: Final = 730


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """`usd` buys `quantity` of `unit`; `source` and `date` say where the price is from."""

    what: str
    usd: Decimal  # with as many digits as it is listed with
    unit: str
    source: str
    date: str
    page: str = ""
    quantity: int = 1

    @property
    def each(self) -> float:
        """USD for one `unit`."""
        return float(self.usd) / self.quantity

    @property
    def month(self) -> float:
        """USD for a whole month of what is paid by the hour or the month."""
        return self.each * {"hour": HOURS_A_MONTH, "month": 1}[self.unit]

    @property
    def origin(self) -> str:
        """Source, date and page, and the price if it is not that of a month."""
        listed = "" if self.unit == "month" else f"{self.usd} USD/{self.unit}; "
        return f"{listed}{self.source}, {self.date}{self.page and f': {self.page}'}"


def _read(path: Path) -> dict[str, Price]:
    listed = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    return {name: Price(**{**entry, "usd": Decimal(entry["usd"])}) for name, entry in listed.items()}


PRICES: Final[Mapping[str, Price]] = _read(Path(__file__).with_name("prices.toml"))
