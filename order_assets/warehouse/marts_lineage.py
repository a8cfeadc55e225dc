"""Where the columns of a mart come from, read from its SELECT: columns of the contract's tables.

Only values count: a column that is merely joined or filtered by is no source, one that a CASE, a filter of an
aggregate or a window looks at is. Importing this module costs a moment, so no load needs it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.lineage import Node, lineage

from order_assets.contract import CONTRACT, Contract, Kind
from order_assets.warehouse.layout import HISTORY, ORDERS
from order_assets.warehouse.marts import SCHEMA, Mart
from order_assets.warehouse.marts_catalogue import MARTS

Columns = dict[str, list[tuple[str, str]]]


def lineage_of(mart: Mart, marts: Sequence[Mart] = MARTS, contract: Contract = CONTRACT) -> Columns:
    """For each column of the mart's SELECT, in order, the sorted (table, column) that its values come from.

    Other marts are seen through to the tables of the contract, and of a thing its newest version and its history are
    one table. `date` is the column that the warehouse adds to each. A column made of nothing, such as a label, has no
    source.
    """
    return lineages(marts, contract)[mart.name]


def lineages(marts: Sequence[Mart] = MARTS, contract: Contract = CONTRACT) -> dict[str, Columns]:
    """The lineage of all these marts, which are in the order in which they are made."""
    schema = _schema(marts, contract)
    found: dict[str, Columns] = {}
    for mart in marts:
        nodes = lineage(None, mart.select, schema=schema, dialect="duckdb", trim_selects=False)
        if not isinstance(nodes, dict):
            raise TypeError(f"sqlglot gave {type(nodes).__name__} for all columns of {mart.name}, not one node each")
        found[mart.name] = {column: _sources(node, found) for column, node in nodes.items()}
    return found


def _schema(marts: Sequence[Mart], contract: Contract) -> dict[str, object]:
    tables = {table.name: {"date": "DATE", **{c.name: c.type.duckdb for c in table.columns}} for table in contract}
    return {
        ORDERS: tables,
        HISTORY: {table.name: tables[table.name] for table in contract.of_kind(Kind.THING)},
        SCHEMA: {mart.name: dict.fromkeys(mart.columns, "VARCHAR") for mart in marts},
    }


def _sources(node: Node, marts: dict[str, Columns]) -> list[tuple[str, str]]:
    sources: set[tuple[str, str]] = set()
    for leaf in node.walk():
        if not isinstance(leaf.expression, exp.Table):
            continue
        table, column = leaf.expression, leaf.name.rpartition(".")[2]
        if table.db == SCHEMA:
            sources.update(marts[table.name][column])
        else:
            sources.add((table.name, column))
    return sorted(sources)
