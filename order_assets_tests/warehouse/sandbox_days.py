"""Days of the stand-in's orders as Parquet files, each order fetched three times in its life."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from order_assets.contract import CONTRACT
from order_assets.landing import Landing, earlier_versions, receive
from order_assets.sandbox import Shop, ShopSettings
from order_assets.sandbox.shop import FIRST_PK
from order_assets.tables import Flattener
from order_assets.testing.landed_days import Answers, listed_order, plain_gate
from order_assets_tests.warehouse.inputs import write_ledger

SEEN_AFTER = (timedelta(hours=30), timedelta(days=3), timedelta(days=28))


def make_days(root: Path, first: date, count: int, per_day: int) -> list[date]:
    """Land and flatten the days of a shop; returns them."""
    days = [first + timedelta(days=number) for number in range(count)]
    shop, gate = Shop(ShopSettings(seed=7, orders_per_day=per_day, start=first)), plain_gate()
    flattener = Flattener(CONTRACT, threads=2)
    for number, day in enumerate(days):
        pks = range(FIRST_PK + number * per_day, FIRST_PK + (number + 1) * per_day)
        landing = Landing(root, day)
        for after in SEEN_AFTER:
            now = datetime.combine(day, time(), UTC) + after
            landing.append([_landed(gate, shop.at(now), pk) for pk in pks])
        flattener.flatten_day(root, day, landing.documents(list(pks)), earlier_versions(landing, list(pks)))
        write_ledger(root, day, [{"order_pk": pk, "state": "landed"} for pk in pks])
    return days


def _landed(gate: Any, shop: Shop, pk: int) -> dict[str, Any]:
    texts = (shop.order_detail(pk), shop.order_items(pk), shop.discount_items(pk))
    detail, items, discounts = (json.dumps(text).encode() for text in texts)
    return receive(
        gate, listed_order(shop.flat_order(pk)), Answers(detail, (items,), (discounts,), fetched_at=shop.now())
    )
