"""Where the columns of a mart come from, read from its SELECT.

Only values count: a column that is merely joined or filtered by is no source, one that a CASE, a filter of an
aggregate or a window looks at is. Importing this module costs a moment: what is found is kept in `marts_facts`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp, parse_one
from sqlglot.lineage import Node, lineage

from order_assets.contract import CONTRACT, Contract, Kind
from order_assets.warehouse.layout import HISTORY, ORDERS
from order_assets.warehouse.marts import SCHEMA, Mart
from order_assets.warehouse.marts_catalogue import MARTS

# For each column in order the sorted (schema, table, column) that it comes from; the schema is `orders` or `marts`.
Columns = dict[str, list[tuple[str, str, str]]]


def direct_lineages(marts: Sequence[Mart] = MARTS, contract: Contract = CONTRACT) -> dict[str, Columns]:
    """For each column of each mart what its SELECT names: columns of tables and of other marts.

    Of a thing its newest version and its history are one table. `date` is the column that the warehouse adds to each.
    A column made of nothing, such as a label, has no source.
    """
    schema = _schema(marts, contract)
    return {mart.name: _columns(mart, schema) for mart in marts}


def reads(mart: Mart) -> list[tuple[str, str]]:
    """The tables that the SELECT of a mart names, sorted, each as schema (`orders` or `marts`) and table."""
    tables = parse_one(mart.select, dialect="duckdb").find_all(exp.Table)
    return sorted({_place(table) for table in tables if table.db})


def _columns(mart: Mart, schema: dict[str, object]) -> Columns:
    nodes = lineage(None, mart.select, schema=schema, dialect="duckdb", trim_selects=False)
    if not isinstance(nodes, dict):
        raise TypeError(f"sqlglot gave {type(nodes).__name__} for all columns of {mart.name}, not one node each")
    return {column: _sources(node) for column, node in nodes.items()}


def _schema(marts: Sequence[Mart], contract: Contract) -> dict[str, object]:
    tables = {table.name: {"date": "DATE", **{c.name: c.type.duckdb for c in table.columns}} for table in contract}
    return {
        ORDERS: tables,
        HISTORY: {table.name: tables[table.name] for table in contract.of_kind(Kind.THING)},
        SCHEMA: {mart.name: dict.fromkeys(mart.columns, "VARCHAR") for mart in marts},
    }


def _sources(node: Node) -> list[tuple[str, str, str]]:
    tables = ((leaf.name, leaf.expression) for leaf in node.walk())
    return sorted({(*_place(table), name.rpartition(".")[2]) for name, table in tables if isinstance(table, exp.Table)})


def _place(table: exp.Table) -> tuple[str, str]:
    return (SCHEMA if table.db == SCHEMA else ORDERS), table.name
