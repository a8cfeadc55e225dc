"""The order of the vendor's documentation, pk 27, which is in every shop.

It is kept as the vendor shows it and does not live. All other orders are made up: see `world`.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from order_assets.sandbox.value_text import Json

DOCUMENTED_PK = 27


def documented_order() -> Json:
    """Give the order of the vendor's documentation, as a fresh value."""
    order: Json = json.loads(_text())
    return order


def documented_row() -> Json:
    """Give its flat row, which the vendor shows inside the transactions only, as a fresh value."""
    row: Json = documented_order()["transaction_set"][0]["order"]
    return row


@lru_cache(1)
def _text() -> str:
    return Path(__file__).with_name("documented_order.json").read_text(encoding="utf-8")
