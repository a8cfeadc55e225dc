"""Names rows of a day's tables for people: key, order and order number of a few of them, and never a personal value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from order_assets.contract.model import Kind, Table
from order_assets.tables.day_files import DayFiles

MOST_NAMED = 3


def order_column(table: Table) -> str | None:
    """The column that says of which order a row is; None where rows are of no order alone."""
    names = {column.name for column in table.columns}
    if "order_pk" in names:
        return "order_pk"
    return "pk" if table.kind is Kind.ORDER else None


def same_key(files: DayFiles, table: Table, values: pa.Table) -> tuple[str, ...]:
    """The first keys that several rows have, each with the orders of these rows; `values` have the key columns."""
    groups = values.group_by(list(table.key), use_threads=False).aggregate([([], "count_all")])
    twice = groups.filter(pc.greater(groups["count_all"], 1)).sort_by([(name, "ascending") for name in table.key])
    texts = []
    for row in twice.slice(0, MOST_NAMED).to_pylist():
        key = {name: row[name] for name in table.key}
        same = [_equals(values[name], value) for name, value in key.items()]
        found = same[0]
        for other in same[1:]:
            found = pc.and_(found, other)
        places = pc.indices_nonzero(found)
        texts.append(f"{_key(table, key)} in {_orders(files, table, values, places)}")
    return tuple(texts)


def rows_with_null(files: DayFiles, table: Table, values: pa.Table, column: str) -> tuple[str, ...]:
    """The first rows in which a column is null, by key and order; `values` have the key columns."""
    places = pc.indices_nonzero(pc.is_null(values[column])).slice(0, MOST_NAMED)
    texts = []
    for place in places.to_pylist():
        key = {name: values[name][place].as_py() for name in table.key if name in values.column_names}
        texts.append(f"{_key(table, key)} in {_orders(files, table, values, pa.array([place], pa.uint64()))}")
    return tuple(texts)


def _equals(column: pa.ChunkedArray, value: object) -> pa.ChunkedArray:
    return pc.is_null(column) if value is None else pc.fill_null(pc.equal(column, pa.scalar(value, column.type)), False)


def _key(table: Table, key: dict[str, object]) -> str:
    personal = {column.name for column in table.columns if column.personal is not None}
    return ", ".join(f"{name} {'(personal)' if name in personal else value}" for name, value in key.items())


def named_orders(files: DayFiles, pks: Iterable[int]) -> tuple[str, ...]:
    """The first of the orders, by key and number."""
    first = sorted(set(pks))[:MOST_NAMED]
    numbers = _numbers(files, first)
    return tuple(f"order {pk}" + (f" (number {numbers[pk]})" if pk in numbers else "") for pk in first)


def _orders(files: DayFiles, table: Table, values: pa.Table, places: pa.Array) -> str:
    """The orders of some rows with their numbers; where rows name no order, how many rows these are."""
    name = order_column(table)
    if name is None:
        return f"{len(places)} rows"
    column = values[name] if name in values.column_names else files.read(table.name, [name])[name]
    pks = [pk for pk in dict.fromkeys(column.take(places).to_pylist()) if pk is not None][:MOST_NAMED]
    numbers = _numbers(files, pks)
    return " and ".join(f"order {pk}" + (f" (number {numbers[pk]})" if pk in numbers else "") for pk in pks)


def _numbers(files: DayFiles, pks: Sequence[int]) -> dict[int, str]:
    try:
        orders = files.read("orders", ["pk", "number"])
        found = orders.filter(pc.is_in(orders["pk"], value_set=pa.array(pks, orders["pk"].type)))
        return {row["pk"]: row["number"] for row in found.to_pylist() if row["number"] is not None}
    except (OSError, KeyError, pa.ArrowException):
        # The names help; a broken file of the orders is a finding of its own.
        return {}
