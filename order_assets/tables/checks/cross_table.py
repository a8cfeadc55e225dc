"""Control rules over the tables of a day: keys, amounts and values that have to agree by what the API means by them.

Each rule gives a result. What the contract implies for a single table is looked at in `declared`, whether values got
lost in `reconciliation`, and what a result means for a run is decided elsewhere. No result shows a personal value.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from order_assets.contract.model import Contract, Effect, Kind, Origin
from order_assets.contract.tables.payments import TRANSACTION_TYPES
from order_assets.core.check_result import CheckResult, Severity
from order_assets.tables.day_files import DayFiles
from order_assets.tables.named_rows import named_orders

BELONGS_RULE = "transactions_belong_to_their_order"
REFUNDS_RULE = "refunds_within_amount"
VALUES_RULE = "values_are_known"
FIELDS_RULE = "documented_fields_present"

# Where the order's copy inside a transaction says something else than the order; equal copies are not kept.
_OTHER_ORDER = re.compile(r"transaction_set(\[[0-9]+\])?\.order(?:\.(pk|number))?")
# Columns in which a row names its order itself.
_NAMED_ORDER = {
    "shipping_infos": "info_order_pk",
    "order_items": "item_order_pk",
    "discount_items": "discount_order_pk",
}
_MOST_NAMED = 20
_LONGEST_VALUE = 60


@dataclass
class MissingFields:
    """Documented paths that were absent, with the number of orders, counted as the day's landed rows pass by."""

    orders: int = 0
    by_path: Counter[str] = field(default_factory=Counter)

    def watching(self, batches: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The same batches."""
        for batch in batches:
            in_tables = pc.and_(pc.is_valid(batch["detail"]), pc.not_equal(batch["outcome"], "quarantined"))
            for missing, orders in Counter(batch["missing"].filter(in_tables).to_pylist()).items():
                self.orders += orders
                self.by_path.update(dict.fromkeys(json.loads(missing), orders))
            yield batch


def rows_name_their_order(files: DayFiles) -> CheckResult:
    """Whether rows of orders, and the orders' copies inside transactions, name the order in which they were found."""
    wrong = strangers(files)
    texts = [f"{place} names another order in {len(pks)} rows" for place, pks in wrong.items()]
    return CheckResult(
        "transactions",
        BELONGS_RULE,
        not wrong,
        "; ".join(texts) or "every row names its own order, or none",
        {place: len(pks) for place, pks in wrong.items()},
        examples=named_orders(files, (pk for pks in wrong.values() for pk in pks)),
        next_step="Look these orders up in the shop: a row must not belong to two orders. When its answer is right "
        "again run refresh_days for the day",
    )


def strangers(files: DayFiles) -> dict[str, list[int]]:
    """The orders with a row that names another order, by the place of the name: table and field."""
    wrong: dict[str, list[int]] = {}
    unmapped = files.read("unmapped_fields", ["order_pk", "document", "path", "value"])
    for entry in unmapped.to_pylist():
        differs = entry["document"] == "detail" and entry["value"] not in ("null", '""')
        if differs and (copy := _OTHER_ORDER.fullmatch(entry["path"])):
            wrong.setdefault(f"transactions.order.{copy[2] or 'pk'}", []).append(entry["order_pk"])
    for table, name in _NAMED_ORDER.items():
        rows = files.read(table, ["order_pk", name])
        other = rows["order_pk"].filter(pc.fill_null(pc.not_equal(rows[name], rows["order_pk"]), False))
        if len(other):
            wrong[f"{table}.{name}"] = other.to_pylist()
    return wrong


def refunds_within_amount(files: DayFiles) -> CheckResult:
    """Whether no order has more refunded than its amount, nor more by card than was paid by card."""
    orders = files.read("orders", ["pk", "amount", "refund_amount", "currency"])
    beyond = pc.fill_null(pc.greater(orders["refund_amount"], orders["amount"]), False)
    above_amount = orders["pk"].filter(beyond).to_pylist()
    by_card = files.read("transactions", ["order_pk", "transaction_type", "currency", "is_succeeded", "amount"])
    by_card = by_card.filter(pc.fill_null(by_card["is_succeeded"], False))
    keys = ["order_pk", "transaction_type", "currency"]
    sums = by_card.group_by(keys, use_threads=False).aggregate([("amount", "sum")])
    currencies = dict(zip(orders["pk"].to_pylist(), orders["currency"].to_pylist(), strict=True))
    paid: dict[int, dict[Effect, Any]] = {}
    for row in sums.to_pylist():
        kind = TRANSACTION_TYPES.get((row["transaction_type"] or "").strip().lower() or "purchase")
        ordered_in = currencies.get(row["order_pk"]) or ""
        # Amounts of two currencies do not compare.
        if kind is not None and (row["currency"] or ordered_in).lower() == ordered_in.lower():
            of = paid.setdefault(row["order_pk"], {})
            of[kind.effect] = of.get(kind.effect, 0) + (row["amount_sum"] or 0)
    above_paid = [
        order_pk
        for order_pk, of in sorted(paid.items())
        # An authorisation that was captured is there twice: as pre_purchase and as purchase.
        if of.get(Effect.GIVE_BACK, 0) > max(of.get(Effect.TAKE, 0), of.get(Effect.RESERVE, 0))
    ]
    texts = []
    if above_amount:
        texts.append(f"{len(above_amount)} orders have a refund above their amount")
    if above_paid:
        texts.append(f"{len(above_paid)} orders have more refunded by card than paid")
    return CheckResult(
        "orders",
        REFUNDS_RULE,
        not texts,
        "; ".join(texts) or "no order has more refunded than paid",
        {"refund_above_amount": len(above_amount), "refunded_above_paid": len(above_paid)},
        severity=Severity.WARN,
        examples=(
            *(f"{order}, refund above its amount" for order in named_orders(files, above_amount)),
            *(f"{order}, more refunded by card than paid" for order in named_orders(files, above_paid)),
        ),
        next_step="The amounts are kept as the shop says them. Look these orders up in the shop: a payment that is "
        "missing there, or a refund that is there twice, has to be mended there",
    )


def values_are_known(files: DayFiles, contract: Contract) -> CheckResult:
    """Whether columns with known values have no others; unknown values load all the same."""
    unknown: dict[str, Counter[str]] = {}
    for table in contract:
        declared = [column for column in table.columns if column.values and column.origin is not Origin.LABEL]
        # Of a history the newest row is the order itself; a value that has passed was reported when it came.
        if table.kind in (Kind.OVERFLOW, Kind.HISTORY) or not declared:
            continue
        rows = files.read(table.name, [column.name for column in declared])
        for column in declared:
            known = pa.array([*column.values, ""], pa.string())
            values = rows[column.name].filter(pc.invert(pc.is_in(rows[column.name], value_set=known))).drop_null()
            if len(values):
                shown = ["(personal)"] * len(values) if column.personal else map(_shown, values.to_pylist())
                unknown[f"{table.name}.{column.name}"] = Counter(shown)
    texts = [
        f"{place}: {', '.join(f'{value} in {count} rows' for value, count in _first(values))}"
        for place, values in unknown.items()
    ]
    return CheckResult(
        "orders",
        VALUES_RULE,
        not unknown,
        "not among the known values: " + "; ".join(texts) if unknown else "every value is known",
        {place: sum(values.values()) for place, values in unknown.items()},
        severity=Severity.WARN,
        next_step="The values are loaded as they are. When the shop means them, add them to the known values of these "
        "columns in the contract, then run order-assets replay --stale",
    )


def documented_fields_present(missing: MissingFields) -> CheckResult:
    """Whether orders have all the fields that the vendor documents or shows."""
    listed = ", ".join(f"{path} in {orders}" for path, orders in _first(missing.by_path))
    return CheckResult(
        "orders",
        FIELDS_RULE,
        not missing.by_path,
        f"missing in orders, out of {missing.orders}: {listed}" if listed else "every documented field is there",
        {"missing_paths": len(missing.by_path), "orders": missing.orders},
        severity=Severity.WARN,
        next_step="Their columns are empty. Ask Akinon whether the instance leaves these fields out; when it is meant, "
        "set missing_field of the resource contract to ignore",
    )


def _first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent ones; equal ones by name, so that the same day gives the same text."""
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:_MOST_NAMED]


def _shown(value: str) -> str:
    return json.dumps(value[:_LONGEST_VALUE], ensure_ascii=False)
