"""What a mart is: its name, grain, key and columns, the SELECT that it is made by, and many of them in order.

Values only. How they are read from files is in `mart_head`, filling them in `mart_refresh`, where their columns come
from in `mart_lineage`. A mart's SELECT reads the schemas `orders`, `history` and `marts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from order_assets.contract import Contract
from order_assets.errors import OrderAssetsError
from order_assets.warehouse.layout import ORDERS
from order_assets.warehouse.marts.known_values import filled_in
from order_assets.warehouse.meta import NOTHING_SAID, WarehouseSettings

SCHEMA = "marts"
_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)


class MartError(OrderAssetsError, ValueError):
    """A mart's file cannot be used; the message says which file and line, and what to write there."""


class Refresh(StrEnum):
    """What a load of some days does to a mart."""

    DAYS = "days"  # the rows of those days are made again; the mart has a column `date`
    WHOLE = "whole"  # all rows are made again


@dataclass(frozen=True)
class Reference:
    """Columns of a mart that have to be found in columns of another table, wherever the first of them is not NULL.

    `place` says where it is written: file, line and column.
    """

    columns: tuple[str, ...]
    schema: str
    table: str
    key: tuple[str, ...]
    place: str = field(default="", compare=False)


@dataclass(frozen=True)
class Mart:
    """One mart; `columns` are its columns in order, with what they mean, `key` those that say which row it is.

    `rules` are the names of rules that it is held to beyond its key and references. `sql` is the SELECT as it is
    written, in which known values may be named (`known_values`). `restated` is the mart whose columns it shows, and
    which days that are not loaded now can change as well; its rows have that mart's key.
    """

    name: str
    description: str
    grain: str
    key: tuple[str, ...]
    refresh: Refresh
    columns: Mapping[str, str]
    sql: str
    references: tuple[Reference, ...] = ()
    rules: tuple[str, ...] = ()
    restated: str = ""
    file: Path | None = field(default=None, compare=False)
    # Where its columns are described: file, line and column.
    place: str = field(default="", compare=False)

    def select(self, contract: Contract, settings: WarehouseSettings = NOTHING_SAID) -> str:
        """The SELECT that makes all rows of the mart, with the contract's known values and the settings in it."""
        return filled_in(self.sql, contract, settings)

    @property
    def day_and_key(self) -> tuple[str, ...]:
        """The day, of a mart that has one, and the key: what its rows are sorted by."""
        days = ("date",) if self.refresh is Refresh.DAYS else ()
        return tuple(dict.fromkeys((*days, *self.key)))

    @property
    def comment(self) -> str:
        """What the database says about the mart."""
        return f"{self.description}. Grain: {self.grain}"

    @property
    def where(self) -> str:
        """Where the mart is written, for messages."""
        return self.place or f"mart {self.name}"

    def reads_mart(self, other: str) -> bool:
        """Whether the SELECT names another mart."""
        return re.search(rf'\b{SCHEMA}\s*\.\s*"?{re.escape(other)}\b', _COMMENT.sub(" ", self.sql)) is not None


class Marts(tuple[Mart, ...]):
    """Marts in the order in which they are made: what a SELECT reads comes before it.

    `MARTS + load_marts("my/marts")` are the project's own and a user's. Raises `MartError` for two marts of one name
    and for marts that read each other.
    """

    __slots__ = ()

    def __new__(cls, marts: Iterable[Mart] = ()) -> Marts:
        """Put the marts in order."""
        return super().__new__(cls, _in_order(tuple(marts)))

    def __add__(self, other: tuple[Mart, ...]) -> Marts:  # type: ignore[override]
        """These marts and others."""
        return Marts([*self, *other])

    def mart(self, name: str) -> Mart:
        """The mart of that name. Raises `KeyError` that says which there are."""
        for mart in self:
            if mart.name == name:
                return mart
        raise KeyError(f"no mart {name!r}; there are {', '.join(mart.name for mart in self)}")

    def checked(self, contract: Contract) -> Marts:
        """These marts, if every reference leads to a column of a table or mart that is there. Raises `MartError`."""
        known = {(ORDERS, table.name): {"date", *table.column_names} for table in contract}
        known |= {(SCHEMA, mart.name): set(mart.columns) for mart in self}
        for mart in self:
            for reference in mart.references:
                _check_reference(mart, reference, known)
        return self


def place_of(schema: str) -> str:
    """The schema that a SELECT's table is counted to: the history of a thing is the thing."""
    return SCHEMA if schema == SCHEMA else ORDERS


def _check_reference(mart: Mart, reference: Reference, known: Mapping[tuple[str, str], set[str]]) -> None:
    where, target = reference.place or mart.where, (reference.schema, reference.table)
    if target not in known:
        names = ", ".join(sorted(f"{schema}.{table}" for schema, table in known if schema == reference.schema))
        raise MartError(
            f"{where}: mart {mart.name} refers to {'.'.join(target)}, which is not there; write one of {names}"
        )
    if lacking := [column for column in reference.key if column not in known[target]]:
        raise MartError(
            f"{where}: mart {mart.name} refers to {', '.join(lacking)} of {'.'.join(target)}, which has no such; "
            f"write its columns in brackets, such as {'.'.join(target)} ({sorted(known[target])[0]})"
        )


def _in_order(marts: tuple[Mart, ...]) -> list[Mart]:
    """What is read first; else by name."""
    by_name: dict[str, Mart] = {}
    for mart in marts:
        if mart.name in by_name:
            raise MartError(
                f"two marts are called {mart.name}: {by_name[mart.name].where} and {mart.where}; name one otherwise"
            )
        by_name[mart.name] = mart
    reads = {mart.name: {other for other in by_name if other != mart.name and mart.reads_mart(other)} for mart in marts}
    ordered: list[Mart] = []
    while reads:
        ready = sorted(name for name, below in reads.items() if not below & reads.keys())
        if not ready:
            raise MartError(f"the marts {', '.join(sorted(reads))} read each other: none of them can be made first")
        ordered += [by_name[name] for name in ready]
        reads = {name: below for name, below in reads.items() if name not in ready}
    return ordered
