"""Brings a warehouse file to the layout that the contract asks for, whatever it looked like before.

Rows of days that are not being loaded survive: a table whose columns changed is rebuilt under its name, with
the columns that both have. What the layout is stands in `layout`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import duckdb

from order_assets.contract import Contract, Kind
from order_assets.warehouse.layout import (
    HISTORY,
    META,
    ORDERS,
    SCHEMAS,
    VIEWS,
    ColumnLayout,
    TableLayout,
    contract_layouts,
)
from order_assets.warehouse.locations import WarehouseError
from order_assets.warehouse.meta import (
    LEDGER,
    MASKED_PATHS,
    PRIVACY_POLICY,
    days_layout,
    ledger_layout,
    settings_layout,
    sync_layout,
)
from order_assets.warehouse.statements import (
    comments,
    copy_table,
    count_inexact,
    count_nulls,
    create_table,
    name,
    statement,
)

_LEDGER = (META, LEDGER)


@dataclass(frozen=True)
class _Existing:
    """What the file has: tables by schema and name, and this room's views with the schema they read."""

    tables: Mapping[tuple[str, str], TableLayout]
    views: Mapping[str, str]

    def history_of(self, table: TableLayout) -> TableLayout:
        """The table that holds all versions of its rows: its history if it has one, else itself."""
        return self.tables.get((HISTORY, table.name), table)


def ensure_schema(
    connection: duckdb.DuckDBPyConnection, contract: Contract, ledger_columns: Iterable[tuple[str, str]]
) -> None:
    """Create, rebuild, describe and drop until the current database has the contract's layout.

    `ledger_columns` (name, type) are added to those that the ledger already has. Runs in the caller's
    transaction. Raises `WarehouseError` if values of a column do not fit its new type exactly.
    """
    existing = _read_existing(connection)
    wanted = (
        *contract_layouts(contract),
        days_layout(),
        sync_layout(),
        settings_layout(),
        _wanted_ledger(existing.tables.get(_LEDGER), ledger_columns),
    )
    _refuse_changed_kinds(contract, existing)
    for schema in SCHEMAS:
        connection.execute(statement("create_schema", schema=name(schema)))
    for table in wanted:
        _ensure_table(connection, table, existing)
    _drop_obsolete(connection, wanted, existing)
    connection.execute(statement("create_masked_values"))


def _read_existing(connection: duckdb.DuckDBPyConnection) -> _Existing:
    tables: dict[tuple[str, str], TableLayout] = {}
    for row in connection.execute(statement("existing_columns")).fetchall():
        schema, table, table_comment, column, type_, required, column_comment = row
        before = tables.get((schema, table), TableLayout(schema, table, (), table_comment))
        layout = ColumnLayout(column, type_, required, column_comment)
        tables[schema, table] = replace(before, columns=(*before.columns, layout))
    views = connection.execute(statement("existing_views")).fetchall()
    return _Existing(tables, dict(views))


def _refuse_changed_kinds(contract: Contract, existing: _Existing) -> None:
    for table in contract:
        is_known = (ORDERS, table.name) in existing.tables
        if is_known and ((HISTORY, table.name) in existing.tables) != (table.kind is Kind.DIMENSION):
            raise WarehouseError(
                f"table {table.name} became {table.kind}, and its rows of other days are not made that way."
                " Move the warehouse file away and load all days again."
            )


def _wanted_ledger(before: TableLayout | None, columns: Iterable[tuple[str, str]]) -> TableLayout:
    types = {column.name: column.type for column in before.columns} if before else {}
    return ledger_layout(({MASKED_PATHS: "VARCHAR", PRIVACY_POLICY: "VARCHAR"} | types | dict(columns)).items())


def _ensure_table(connection: duckdb.DuckDBPyConnection, table: TableLayout, existing: _Existing) -> None:
    before = existing.tables.get((table.schema, table.name))
    # The newest versions come from the history, so what the history lacks they may lack as well.
    witness = table if table.schema != ORDERS else existing.history_of(table)
    made = before is None or _reshape(connection, before, table, name(witness.schema, witness.name))
    if before is None:
        connection.execute(create_table(table, table.name))
    if made or _comments_differ(before, table):
        _run(connection, comments("TABLE", table, table.schema))
    if table.schema != ORDERS and (table.schema, table.name) != _LEDGER:
        return
    if made or _comments_differ(before, table) or existing.views.get(table.name) != table.schema:
        view, target = name(VIEWS, table.name), name(table.schema, table.name)
        connection.execute(statement("create_view", view=view, table=target))
        _run(connection, comments("VIEW", table, VIEWS))


def _comments_differ(before: TableLayout | None, table: TableLayout) -> bool:
    return before is None or (before.comment, [c.comment for c in before.columns]) != (
        table.comment,
        [c.comment for c in table.columns],
    )


def _reshape(connection: duckdb.DuckDBPyConnection, before: TableLayout, table: TableLayout, witness: str) -> bool:
    """Rebuild a table that looks different. Returns whether it was necessary."""
    source, rebuilt = name(table.schema, table.name), f"{table.name} (rebuilt)"
    if before.shape == table.shape:
        return False
    wanted = _without_impossible_requirements(connection, witness, before, table)
    if before.shape == wanted.shape:
        return False
    _refuse_inexact(connection, source, before, wanted)
    connection.execute(create_table(wanted, rebuilt))
    kept = [column for column in wanted.columns if column.name in before.column_names]
    connection.execute(copy_table(source, name(table.schema, rebuilt), kept))
    connection.execute(statement("drop_table", table=source))
    connection.execute(statement("rename_table", table=name(table.schema, rebuilt), table_name=name(table.name)))
    return True


def _without_impossible_requirements(
    connection: duckdb.DuckDBPyConnection, witness: str, before: TableLayout, table: TableLayout
) -> TableLayout:
    """The layout without NOT NULL where rows of `witness` from other days have nothing.

    A later load asks for it again, once those days have been loaded under the new contract.
    """
    required = [column.name for column in table.columns if column.required]
    known = [column for column in required if column in before.column_names]
    # `date` is always among the known ones, so there is always a column to count.
    rows, *nulls = connection.execute(count_nulls(witness, known)).fetchall()[0]
    impossible = {column for column, count in zip(known, nulls, strict=True) if count}
    if rows:
        impossible.update(column for column in required if column not in known)
    columns = tuple(
        replace(column, required=column.required and column.name not in impossible) for column in table.columns
    )
    return replace(table, columns=columns)


def _refuse_inexact(
    connection: duckdb.DuckDBPyConnection, source: str, before: TableLayout, table: TableLayout
) -> None:
    old_types = {column.name: column.type for column in before.columns}
    for column in table.columns:
        old_type = old_types.get(column.name, column.type)
        if old_type == column.type:
            continue
        inexact = connection.execute(count_inexact(source, column, old_type)).fetchall()[0][0]
        if inexact:
            raise WarehouseError(
                f"column {column.name} of {table.schema}.{table.name} changed from {old_type} to"
                f" {column.type}, and {inexact} of its values do not fit exactly. Move the warehouse file"
                " away and load all days again from Parquet files of the new contract."
            )


def _drop_obsolete(connection: duckdb.DuckDBPyConnection, wanted: Iterable[TableLayout], existing: _Existing) -> None:
    kept = {(table.schema, table.name) for table in wanted}
    for schema, table in existing.tables.keys() - kept:
        # Tables beside ours in `meta` may be somebody else's.
        if schema in (ORDERS, HISTORY):
            connection.execute(statement("drop_table", table=name(schema, table)))
    for view, schema in existing.views.items():
        if (schema, view) not in kept:
            connection.execute(statement("drop_view", view=name(VIEWS, view)))


def _run(connection: duckdb.DuckDBPyConnection, statements: Iterable[str]) -> None:
    connection.execute(";\n".join(statements))
