"""Writes tables and marts as dbt sources, with their descriptions, tests from keys and references, and freshness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from order_assets.contract import Contract
from order_assets.contract.shape import contract_version
from order_assets.export.relations import Field, Relation, mart_relations, table_relations
from order_assets.export.yaml_text import Node, yaml_text
from order_assets.warehouse.layout import META, ORDERS, TableLayout
from order_assets.warehouse.marts import Mart, Reference
from order_assets.warehouse.marts.mart import SCHEMA
from order_assets.warehouse.meta import days_layout, sync_layout

# The name of the database is the alias under which a profile attaches the file, by default the file's name.
DATABASE = "warehouse"
_FRESH = {"warn_after": {"count": 24, "period": "hour"}, "error_after": {"count": 72, "period": "hour"}}
_HEAD = """\
# Written by `order-assets export dbt` from the contract, version {version}, and the marts. Change it there, not here.
# For dbt 1.10.5 or later with dbt-duckdb. Attach warehouse.duckdb as `warehouse` and read only: each load replaces it,
# so models belong into a file of their own. In profiles.yml:
#   type: duckdb
#   path: models.duckdb
#   attach: [{{path: /path/to/warehouse.duckdb, alias: warehouse, read_only: true}}]
"""


def render_dbt(contract: Contract, marts: Sequence[Mart]) -> str:
    """The file of sources as YAML text."""
    return _HEAD.format(version=contract_version(contract)) + yaml_text(dbt_sources(contract, marts))


def dbt_sources(contract: Contract, marts: Sequence[Mart]) -> Node:
    """The sources in plain values: the schemas `orders` and `marts`, and of `meta` what says how fresh they are."""
    tables, made = table_relations(contract), mart_relations(marts, contract)
    meta = [_fresh(days_layout(), "loaded_at"), _fresh(sync_layout(), "synced_at")]
    return {
        "version": 2,
        "sources": [
            _source(ORDERS, "Omnitron orders with everything nested in them", [_table(found) for found in tables]),
            _source(SCHEMA, "What is made from the tables, with each load", [_table(found) for found in made]),
            _source(META, "What is loaded, and how far the shop was read", meta),
        ],
    }


def _source(schema: str, description: str, tables: list[Node]) -> Node:
    return {"name": schema, "database": DATABASE, "schema": schema, "description": description, "tables": tables}


def _table(relation: Relation) -> Node:
    node: Node = {"name": relation.name, "description": relation.description}
    if tests := list(_tests_of_table(relation)):
        node["data_tests"] = tests
    return node | {"columns": [_column(relation, column) for column in relation.columns]}


def _column(relation: Relation, column: Field) -> Node:
    node: Node = {"name": column.name, "description": column.description, "data_type": column.type}
    if column.sensitivity:
        node["config"] = {"meta": {"sensitivity": column.sensitivity}}
    if tests := list(_tests_of_column(relation, column)):
        node["data_tests"] = tests
    return node


def _tests_of_column(relation: Relation, column: Field) -> Iterator[str | Node]:
    if column.required:
        yield "not_null"
    if relation.key == (column.name,):
        yield "unique"
    yield from (_found(relation, of, {}) for of in relation.references if of.columns == (column.name,))


def _tests_of_table(relation: Relation) -> Iterator[Node]:
    """What is said of several columns together: as one value, since dbt's own tests look at one."""
    if len(relation.key) > 1:
        yield {"unique": {"arguments": {"column_name": _row(relation.key)}}}
    for reference in relation.references:
        if len(reference.columns) > 1:
            given = f'CASE WHEN "{reference.columns[0]}" IS NOT NULL THEN {_row(reference.columns)} END'
            yield _found(relation, reference, {"column_name": given})


def _found(relation: Relation, reference: Reference, arguments: Node) -> Node:
    """What a row names is there. The shop may send less than it names, so that only warns, but for its own order."""
    field = reference.key[0] if len(reference.key) == 1 else _row(reference.key)
    arguments |= {"to": f"source('{reference.schema}', '{reference.table}')", "field": field}
    required = {column.name for column in relation.columns if column.required}
    severity = "error" if required.issuperset(reference.columns) else "warn"
    return {"relationships": {"arguments": arguments, "config": {"severity": severity}}}


def _row(columns: Sequence[str]) -> str:
    quoted = ", ".join(f'"{column}"' for column in columns)
    return f"row({quoted})"


def _fresh(layout: TableLayout, loaded_at: str) -> Node:
    """A table of `meta` with the moment by which dbt judges how fresh the warehouse is."""
    return {
        "name": layout.name,
        "description": layout.comment,
        "config": {"loaded_at_field": loaded_at, "freshness": _FRESH},
        "columns": [{"name": c.name, "description": c.comment, "data_type": c.type} for c in layout.columns],
    }
