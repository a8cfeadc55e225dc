"""Finds the orders that would keep their day out of the warehouse, so that they wait and not the day.

Looked for only where a rule failed. What becomes of the orders that are named is decided elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from order_assets.contract.model import Contract, Document, Kind, Table
from order_assets.contract.rules import KEY_RULE, REQUIRED_RULE
from order_assets.core.check_result import CheckResult
from order_assets.tables.checks.cross_table import BELONGS_RULE, strangers
from order_assets.tables.day_files import DayFiles

_MOST_OTHERS = 3


@dataclass(frozen=True)
class AtFault:
    """An order that breaks a rule of its day: where in which document, and why, without personal values."""

    order_pk: int
    document: Document
    path: str
    reason: str


def orders_at_fault(files: DayFiles, contract: Contract, findings: Iterable[CheckResult]) -> dict[int, AtFault]:
    """The orders behind those of the findings that can be laid to single orders, by pk; one fault each."""
    failed = [found for found in findings if not found.passed]
    faults: list[AtFault] = []
    for table in contract.of_kind(Kind.CHILD):
        rules = {found.name for found in failed if found.asset == table.name}
        if KEY_RULE in rules:
            faults += _with_shared_keys(files, table)
        if REQUIRED_RULE in rules:
            faults += _without_required(files, table)
    if any(found.name == BELONGS_RULE for found in failed):
        faults += _with_strangers(files)
    return {fault.order_pk: fault for fault in reversed(faults)}


def _with_shared_keys(files: DayFiles, table: Table) -> Iterator[AtFault]:
    """The orders whose rows have a key that another row of the day has as well."""
    key = list(table.key)
    position = ["position"] if "position" in table.column_names else []
    rows = files.read(table.name, list(dict.fromkeys([*key, "order_pk", *position])))
    counted = rows.group_by(key, use_threads=False).aggregate([([], "count_all")])
    shared = counted.filter(pc.greater(counted["count_all"], 1)).select(key)
    found = rows.join(shared, key, join_type="left semi", use_threads=False).to_pylist()
    numbers = _numbers(files, {row["order_pk"] for row in found})
    owners: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for row in found:
        owners[tuple(row[name] for name in key)].append(row["order_pk"])
    for row in found:
        value = tuple(row[name] for name in key)
        others = sorted({pk for pk in owners[value] if pk != row["order_pk"]})
        named = ", ".join(f"order {pk} (number {numbers.get(pk, 'unknown')})" for pk in others[:_MOST_OTHERS])
        more = f" and {len(others) - _MOST_OTHERS} more" if len(others) > _MOST_OTHERS else ""
        said = ", ".join(f"{name} {part}" for name, part in zip(key, value, strict=True))
        where = f"also in {named}{more}" if others else "there more than once"
        reason = f"the key of {table.name}, {said}, is {where}; which order it belongs to cannot be told"
        yield AtFault(row["order_pk"], table.sources[0].document, _path(table, row), reason)


def _without_required(files: DayFiles, table: Table) -> Iterator[AtFault]:
    required = [column.name for column in table.columns if not column.nullable and column.name != "order_pk"]
    rows = files.read(table.name, ["order_pk", *required])
    for name in required:
        for order_pk in dict.fromkeys(rows["order_pk"].filter(pc.is_null(rows[name])).to_pylist()):
            reason = f"a row of {table.name} has no {name}"
            yield AtFault(order_pk, table.sources[0].document, table.sources[0].path, reason)


def _with_strangers(files: DayFiles) -> Iterator[AtFault]:
    for place, pks in strangers(files).items():
        table = place.partition(".")[0]
        document = {"order_items": Document.ITEMS, "discount_items": Document.DISCOUNTS}.get(table, Document.DETAIL)
        for order_pk in dict.fromkeys(pks):
            yield AtFault(order_pk, document, place.partition(".")[2], f"a row of {table} names another order")


def _path(table: Table, row: Mapping[str, Any]) -> str:
    source, *others = table.sources
    path = source.path
    if not others and path.count("[]") == 1 and "position" in row:
        path = path.replace("[]", f"[{row['position']}]")
    return f"{path}.{table.column(table.key[0]).path}"


def _numbers(files: DayFiles, pks: Iterable[int]) -> dict[int, str]:
    orders = files.read("orders", ["pk", "number"])
    orders = orders.filter(pc.is_in(orders["pk"], pa.array(sorted(pks), pa.int64())))
    return dict(zip(orders["pk"].to_pylist(), orders["number"].to_pylist(), strict=True))
