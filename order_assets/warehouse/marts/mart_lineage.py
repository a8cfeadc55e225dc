"""Derives from a mart's SELECT the types of its columns, the tables that it reads, and where its columns come from.

Only values count: a column that is merely joined or filtered by is no source, one that a CASE, a filter of an
aggregate or a window looks at is. Importing this module costs a moment: what is found is kept by `mart_facts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import duckdb
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage

from order_assets.contract import Contract, Kind
from order_assets.warehouse.layout import HISTORY, META, ORDERS
from order_assets.warehouse.marts.mart import SCHEMA, Mart, MartError, place_of
from order_assets.warehouse.marts.mart_refresh import mart_layout, refresh_marts
from order_assets.warehouse.meta import days_layout
from order_assets.warehouse.schema import ensure_schema

# For each column in order the sorted (schema, table, column) that it comes from; the schema is `orders` or `marts`.
Columns = dict[str, list[tuple[str, str, str]]]


def column_types(marts: Sequence[Mart], contract: Contract) -> dict[str, dict[str, str]]:
    """The types by mart and column, as the marts are made from the tables of the contract. Raises `MartError`."""
    with closing(duckdb.connect(":memory:")) as connection:
        ensure_schema(connection, contract, ())
        refresh_marts(connection, None, marts, contract)
        layouts = {mart.name: mart_layout(connection, mart, mart.select(contract)) for mart in marts}
    return {name: {column.name: column.type for column in layout.columns} for name, layout in layouts.items()}


def column_sources(marts: Sequence[Mart], contract: Contract) -> dict[str, Columns]:
    """For each column of each mart what its SELECT names: columns of tables and of other marts.

    Of a thing its newest version and its history are one table. `date` is the column that the warehouse adds to each.
    A column made of nothing, such as a label, or of what `meta` knows has no source. Raises `MartError`.
    """
    schema = _schema(marts, contract)
    return {mart.name: _columns(mart, mart.select(contract), schema) for mart in marts}


def tables_read(mart: Mart, contract: Contract) -> list[tuple[str, str]]:
    """The tables that the SELECT of a mart names, sorted, each as schema and table: `orders` or `marts`, not `meta`."""
    tables = parse_one(mart.select(contract), dialect="duckdb").find_all(exp.Table)
    return sorted({_place(table) for table in tables if table.db not in ("", META)})


def _columns(mart: Mart, select: str, schema: dict[str, object]) -> Columns:
    try:
        nodes = lineage(None, select, schema=schema, dialect="duckdb", trim_selects=False)
    except SqlglotError as error:
        raise MartError(
            f"{mart.file or mart.where}: where the columns come from cannot be read: {' '.join(str(error).split())}"
        ) from None
    if not isinstance(nodes, dict):
        raise TypeError(f"sqlglot gave {type(nodes).__name__} for all columns of {mart.name}, not one node each")
    return {column: _sources(node) for column, node in nodes.items()}


def _schema(marts: Sequence[Mart], contract: Contract) -> dict[str, object]:
    days = days_layout()
    tables = {table.name: {"date": "DATE", **{c.name: c.type.duckdb for c in table.columns}} for table in contract}
    return {
        ORDERS: tables,
        HISTORY: {table.name: tables[table.name] for table in contract.of_kind(Kind.DIMENSION)},
        SCHEMA: {mart.name: dict.fromkeys(mart.columns, "VARCHAR") for mart in marts},
        META: {days.name: {column.name: column.type for column in days.columns}},
    }


def _sources(node: Node) -> list[tuple[str, str, str]]:
    tables = ((leaf.name, leaf.expression) for leaf in node.walk())
    read = [(name, table) for name, table in tables if isinstance(table, exp.Table) and table.db != META]
    return sorted({(*_place(table), name.rpartition(".")[2]) for name, table in read})


def _place(table: exp.Table) -> tuple[str, str]:
    return place_of(table.db), table.name
