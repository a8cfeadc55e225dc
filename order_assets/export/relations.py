"""The tables and marts of the warehouse in one form, as other tools see them: columns, key, and what refers to what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from order_assets.contract import Contract, Kind, Table
from order_assets.warehouse.layout import ORDERS, orders_layout
from order_assets.warehouse.marts import Mart, Reference, Refresh
from order_assets.warehouse.marts.mart import SCHEMA


@dataclass(frozen=True)
class Field:
    """A column; `sensitivity` is as the contract says it, empty for what a mart makes."""

    name: str
    type: str
    description: str
    required: bool = False
    sensitivity: str = ""


@dataclass(frozen=True)
class Relation:
    """A table or mart of the warehouse; `key` are the columns by which a row is found once in it."""

    schema: str
    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Field, ...]
    references: tuple[Reference, ...]

    @property
    def full_name(self) -> str:
        """The name with its schema."""
        return f"{self.schema}.{self.name}"


def table_relations(contract: Contract) -> tuple[Relation, ...]:
    """The tables of the contract as they are in the schema `orders`."""
    return tuple(_of_table(table, contract) for table in contract)


def mart_relations(marts: Sequence[Mart], contract: Contract) -> tuple[Relation, ...]:
    """The marts with the types that their columns have when they are made from the tables.

    Raises `MartError` for a SELECT that cannot be made.
    """
    # DuckDB makes the empty marts, which takes a moment.
    from order_assets.warehouse.marts.mart_lineage import column_types

    types = column_types(marts, contract)
    return tuple(_of_mart(mart, types[mart.name]) for mart in marts)


def _of_table(table: Table, contract: Contract) -> Relation:
    layout = orders_layout(table)
    sensitivity = {column.name: column.sensitivity for column in table.columns}
    return Relation(
        ORDERS,
        table.name,
        layout.comment,
        table.key if table.kind is Kind.DIMENSION else ("date", *table.key),
        tuple(Field(c.name, c.type, c.comment, c.required, sensitivity.get(c.name, "")) for c in layout.columns),
        tuple(
            Reference((column,), ORDERS, target, (key,)) for column, (target, key) in contract.references(table).items()
        ),
    )


def _of_mart(mart: Mart, types: dict[str, str]) -> Relation:
    days = mart.refresh is Refresh.DAYS
    return Relation(
        SCHEMA,
        mart.name,
        mart.comment,
        mart.key,
        tuple(Field(name, types[name], text, days and name == "date") for name, text in mart.columns.items()),
        mart.references,
    )
