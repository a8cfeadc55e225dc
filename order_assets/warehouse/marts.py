"""What a mart is: its name, grain, key and columns, and the SELECT that it is made by.

Values only. Which marts there are is declared in `marts_catalogue`, filling them is in `marts_refresh`, where their
columns come from in `marts_lineage`. A mart's SELECT lies in `sql/marts/<name>.sql` and reads the schemas `orders`,
`history` and `marts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from order_assets.contract import CONTRACT, Contract
from order_assets.warehouse.known_values import known_relations
from order_assets.warehouse.layout import ORDERS
from order_assets.warehouse.statements import statement

SCHEMA = "marts"


class Refresh(StrEnum):
    """What a load of some days does to a mart."""

    DAYS = "days"  # the rows of those days are made again; the mart has a column `date`
    WHOLE = "whole"  # all rows are made again


@dataclass(frozen=True)
class Reference:
    """Columns of a mart that have to be found in columns of another table, wherever the first of them is not NULL."""

    columns: tuple[str, ...]
    schema: str
    table: str
    key: tuple[str, ...]


@dataclass(frozen=True)
class Mart:
    """One mart; `columns` are its columns in order, with what they mean, `key` those that say which row it is."""

    name: str
    description: str
    grain: str
    key: tuple[str, ...]
    refresh: Refresh
    columns: Mapping[str, str]
    references: tuple[Reference, ...] = ()
    # Whose known values the SELECT knows.
    contract: Contract = field(default=CONTRACT, compare=False, repr=False)

    @property
    def select(self) -> str:
        """The SELECT that makes all rows of the mart."""
        return statement(f"marts/{self.name}", **known_relations(self.contract))

    @property
    def comment(self) -> str:
        """What the database says about the mart."""
        return f"{self.description}. Grain: {self.grain}"


def in_mart(mart: str, *columns: str, key: tuple[str, ...] = ()) -> Reference:
    """A reference into another mart, by columns of the same names unless a `key` is given."""
    return Reference(columns, SCHEMA, mart, key or columns)


def to_thing(column: str, table: str) -> Reference:
    """A reference to the newest version of a thing."""
    return Reference((column,), ORDERS, table, ("pk",))
