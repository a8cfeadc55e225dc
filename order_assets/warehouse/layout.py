"""How the tables of the warehouse look, derived from the contract: schemas, columns, types and comments.

Values only. The statements that make the tables are in `statements`; bringing an existing file to this
layout is in `schema`, the tables of `meta` are in `meta`.
"""

from __future__ import annotations

from dataclasses import dataclass

from order_assets.contract import Contract, Kind, Table

ORDERS = "orders"
HISTORY = "history"
VERSIONS = "versions"
META = "meta"
VIEWS = "main"
SCHEMAS = (ORDERS, HISTORY, META)


@dataclass(frozen=True)
class ColumnLayout:
    """One column of the warehouse; `type` is DuckDB's name for it."""

    name: str
    type: str
    required: bool
    comment: str


@dataclass(frozen=True)
class TableLayout:
    """One table of the warehouse."""

    schema: str
    name: str
    columns: tuple[ColumnLayout, ...]
    comment: str

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of all columns in their order."""
        return tuple(column.name for column in self.columns)

    @property
    def shape(self) -> tuple[tuple[str, str, bool], ...]:
        """What rows the table can hold: name, type and necessity of each column."""
        return tuple((column.name, column.type, column.required) for column in self.columns)


def contract_layouts(contract: Contract) -> tuple[TableLayout, ...]:
    """The tables in `orders` and, for things, in `history`."""
    return (
        *(orders_layout(table) for table in contract),
        *(history_layout(table) for table in contract.of_kind(Kind.DIMENSION)),
    )


def orders_layout(table: Table) -> TableLayout:
    """The table that users query; of a thing it holds the newest version of each key."""
    if table.kind is Kind.DIMENSION:
        comment = f"{table.description}. Grain: one row per {', '.join(table.key)}, the newest of all days"
        day = "Day that the newest version was seen in"
    else:
        comment = f"{table.description}. Grain: {table.grain}"
        day = "Day that the order was placed in, in the business time zone"
    return TableLayout(ORDERS, table.name, _columns(table, day), comment)


def history_layout(table: Table) -> TableLayout:
    """The table with every version of a thing, from which the newest is found again when a day changes."""
    comment = f"{table.description}. Grain: {table.grain}"
    return TableLayout(HISTORY, table.name, _columns(table, "Day that this version was seen in"), comment)


def loaded_layout(table: Table) -> TableLayout:
    """The table that the Parquet files of a contract table are loaded into."""
    return history_layout(table) if table.kind is Kind.DIMENSION else orders_layout(table)


def required(name: str, type_: str, comment: str) -> ColumnLayout:
    """A column that is always filled."""
    return ColumnLayout(name, type_, True, comment)


def _columns(table: Table, day_comment: str) -> tuple[ColumnLayout, ...]:
    return (
        required("date", "DATE", day_comment),
        *(
            ColumnLayout(column.name, column.type.duckdb, not column.nullable, column.description)
            for column in table.columns
        ),
    )
