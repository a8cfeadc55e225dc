"""Lands orders through the gate as fetched ones are, flattens them, and reads what is in the tables."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from order_assets.contract import CONTRACT, Contract
from order_assets.core.check_result import CheckResult
from order_assets.landing import Landing, receive
from order_assets.landing.landing_store import LANDING_SCHEMA
from order_assets.sandbox import documented_order
from order_assets.tables import DayFiles, Flattener, FlattenReport, table_file, verify_day
from order_assets.testing.landed_days import Answers, listed_order, plain_gate

DAY = date(2017, 1, 30)
FLATTENER = Flattener(CONTRACT, threads=2)


@dataclass
class Order:
    """The documents of an order, free to be changed; `raw` replaces texts in them after they were written."""

    detail: dict[str, Any]
    items: list[Any] = field(default_factory=list)
    discounts: list[Any] = field(default_factory=list)
    raw: dict[str, str] = field(default_factory=dict)

    @property
    def pk(self) -> int:
        return int(self.detail["pk"])


def order(pk: int = 27) -> Order:
    """The documented order, under another key where one is given; rows of its sets get keys of their own."""
    detail = documented_order()
    detail["pk"] = pk
    if pk != 27:
        for name in ("transaction_set", "ordershippinginfo_set"):
            for number, row in enumerate(detail[name]):
                row["pk"] = pk * 100 + number
    return Order(detail)


def landed(shop_order: Order, **changes: Any) -> dict[str, Any]:
    """The landing row of an order; `changes` are columns that it is given afterwards."""
    flat = copy.deepcopy(documented_order()["transaction_set"][0]["order"])
    flat |= {"pk": shop_order.pk, "number": shop_order.detail["number"]}
    documents = [json.dumps(part) for part in (shop_order.detail, shop_order.items, shop_order.discounts)]
    for old, new in shop_order.raw.items():
        assert any(old in text for text in documents)
        documents = [text.replace(old, new) for text in documents]
    detail, items, discounts = (text.encode() for text in documents)
    answers = Answers(detail, (items,), (discounts,))
    return receive(plain_gate(), listed_order(flat), answers) | changes


def gone(pk: int, last: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The landing row of an order that the API does not have any more, with its last landed version."""
    never = landed(order(pk)) | dict.fromkeys(("detail", "items", "discounts", "content_hash"))
    never |= {"unmapped": "[]", "set_sizes": "{}", "irregular": False}
    return {**never, **(last or {}), "outcome": "tombstoned", "reason": "the API answered 404 for the listed order"}


def batch(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for row in rows], LANDING_SCHEMA).sort_by("order_pk")


def flatten(root: Path, *rows: Mapping[str, Any], flattener: Flattener = FLATTENER) -> FlattenReport:
    """Land the rows and flatten the day from what was landed."""
    landing = Landing(root, DAY)
    landing.append(rows)
    return flattener.flatten_day(root, DAY, landing.documents([row["order_pk"] for row in rows]))


def rows_of(root: Path, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.ParquetFile(table_file(root, table, DAY)).read().to_pylist()
    return rows


def faults(root: Path, report: FlattenReport, contract: Contract = CONTRACT) -> list[CheckResult]:
    found = verify_day(DayFiles(root, DAY), contract, {**report.expected, "orders": report.orders})
    return [finding for finding in found if not finding.passed]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
