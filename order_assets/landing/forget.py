"""Takes a customer's personal data out of what has been landed: the right to erasure.

Orders, amounts and keys stay; names, addresses, numbers and texts go, from every version that was kept. A customer
who was forgotten stays forgotten: later answers about them are treated the same way before they are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from order_assets.contract.model import Contract
from order_assets.core.store import write_json
from order_assets.landing.erasure import FORGOTTEN_FILE, Eraser, forgotten_customers
from order_assets.landing.landing_store import Landing
from order_assets.landing.quarantine import landed_days


@dataclass(frozen=True)
class Forgetting:
    """What forgetting a customer changed: the days with the number of stored versions rewritten on each."""

    customer_pk: int
    days: dict[date, int]


def forget(data_root: Path, customer_pk: int, contract: Contract) -> Forgetting:
    """Take the customer's personal data out of every landed version of their orders.

    Only days with such orders are rewritten. The customer is written down first, so that a run that is under way
    cannot bring the data back.
    """
    write_json(data_root / FORGOTTEN_FILE, sorted(forgotten_customers(data_root) | {customer_pk}))
    eraser = Eraser(contract)
    days: dict[date, int] = {}
    for day in landed_days(data_root):
        count = Landing(data_root, day).rewrite(lambda row: eraser.erase(row, {customer_pk}))
        if count:
            days[day] = count
    return Forgetting(customer_pk, days)
