"""Typed tables as data frames, straight from the Parquet files: nothing has to run, and nothing is written."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from order_assets.contract import CONTRACT, Contract, Table
from order_assets.contract.arrow import arrow_schema
from order_assets.errors import OrderAssetsError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

Day = date | str


class TableAccessError(OrderAssetsError, ValueError):
    """What was asked for cannot be read; the message says what there is instead."""


@overload
def read_table(
    table: str,
    start: Day | None = None,
    end: Day | None = None,
    *,
    columns: Sequence[str] | None = None,
    data_root: Path | str | None = None,
    contract: Contract = CONTRACT,
    arrow: Literal[False] = False,
) -> pd.DataFrame: ...
@overload
def read_table(
    table: str,
    start: Day | None = None,
    end: Day | None = None,
    *,
    columns: Sequence[str] | None = None,
    data_root: Path | str | None = None,
    contract: Contract = CONTRACT,
    arrow: Literal[True],
) -> pa.Table: ...
def read_table(
    table: str,
    start: Day | None = None,
    end: Day | None = None,
    *,
    columns: Sequence[str] | None = None,
    data_root: Path | str | None = None,
    contract: Contract = CONTRACT,
    arrow: bool = False,
) -> pd.DataFrame | pa.Table:
    """The rows of a table of the contract, such as `transactions`, of the days from `start` to `end`, both included.

    A first column `date` says the day; the others are the table's, or those in `columns`. Without `start` or `end` the
    days are not bounded there. Days are dates or text such as `2026-11-01`. `data_root` is by default that of
    ORDER_ASSETS_DATA, else `data` in the current folder. With columns or tables of your own, give your `contract`.

    Gives a pandas DataFrame: amounts are `Decimal`, times aware in UTC, keys nullable integers (`Int64`). With `arrow`
    a pyarrow Table with the types of the contract. Without a day in the range there are all columns and no row.
    Days whose checks failed are in it too: what the warehouse has is only what passed.
    Days that were made under an older contract have nothing in the columns that are new since.
    Raises `TableAccessError` for a table or column that is not in the contract, a range that ends before it starts,
    a data root without tables, and values of an older contract that do not fit today's type.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = arrow_schema(_declared(table, contract))
    wanted = list(schema.names) if columns is None else [_column(table, name, schema.names) for name in columns]
    first, last = _range(start, end)
    root = Path(data_root if data_root is not None else os.environ.get("ORDER_ASSETS_DATA", "data")).expanduser()
    if not (root / "tables").is_dir():
        raise TableAccessError(f"{root} has no tables: name the data root that was materialised, or materialise first")
    fields = [schema.field(name) for name in wanted]
    parts = []
    for path in sorted((root / "tables" / table).glob("date=*/*.parquet")):
        day = date.fromisoformat(path.parent.name.removeprefix("date="))
        if first <= day <= last:
            with pq.ParquetFile(path) as file:
                rows = _as_declared(file, fields, f"{table} of {day}")
            parts.append(rows.add_column(0, "date", pa.array([day] * rows.num_rows, pa.date32())))
    empty = pa.schema([("date", pa.date32()), *fields]).empty_table()
    # A column that is always filled today may be missing in older days.
    found = pa.concat_tables(parts, promote_options="default") if parts else empty
    return found if arrow else _frame(found)


def _as_declared(file: pq.ParquetFile, fields: Sequence[pa.Field], what: str) -> pa.Table:
    """The rows of a file with the columns of today's contract, whichever contract the file was made under."""
    import pyarrow as pa

    there = file.schema_arrow.names
    rows = file.read(columns=[field.name for field in fields if field.name in there], use_threads=False)
    columns, found = [], []
    for field in fields:
        if field.name not in there:
            columns.append(pa.nulls(file.metadata.num_rows, field.type))
            found.append(field.with_nullable(True))
            continue
        column = rows.column(field.name)
        try:
            columns.append(column if column.type == field.type else column.cast(field.type))
            found.append(field)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise TableAccessError(
                f"{field.name} in {what} is {column.type}, as an older contract had it, and not all of its values are "
                f"{field.type} now: order-assets replay --stale makes such days again, without asking the API"
            ) from None
    return pa.table(columns, schema=pa.schema(found))


def _frame(rows: pa.Table) -> pd.DataFrame:
    """Whole numbers stay whole numbers when some are missing."""
    import pandas as pd
    import pyarrow as pa

    integers = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype(), pa.bool_(): pd.BooleanDtype()}
    frame: pd.DataFrame = rows.to_pandas(types_mapper=integers.get, date_as_object=True)
    return frame


def _declared(name: str, contract: Contract) -> Table:
    names = contract.table_names
    if name not in names:
        raise TableAccessError(f"there is no table {name!r}; {_mart(name) or _near(name, names)}")
    return contract.table(name)


def _mart(name: str) -> str:
    """How to read what is a mart, by its name with or without its schema; empty for what is none."""
    from order_assets.warehouse.marts import MARTS

    mart = name.removeprefix("marts.").casefold()
    if mart not in {known.name for known in MARTS}:
        return ""
    reading = f"select * from marts.{mart}"  # noqa: S608 - said, not run; the name is one of the catalogue
    return (
        f"{mart} is a mart, which is in the warehouse alone: "
        f'duckdb.connect("data/warehouse.duckdb", read_only=True).sql("{reading}").df()'
    )


def _column(table: str, name: str, names: Sequence[str]) -> str:
    if name not in names:
        raise TableAccessError(f"the table {table} has no column {name!r}; {_near(name, names)}")
    return name


def _near(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=3)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names)}"


def _range(start: Day | None, end: Day | None) -> tuple[date, date]:
    first, last = _day(start, "start", date.min), _day(end, "end", date.max)
    if first > last:
        raise TableAccessError(f"the range from {first} to {last} ends before it starts")
    return first, last


def _day(given: Day | None, name: str, default: date) -> date:
    if given is None:
        return default
    try:
        return date.fromisoformat(given) if isinstance(given, str) else date(given.year, given.month, given.day)
    except ValueError:
        raise TableAccessError(f"{name} is {given!r}, which is not a date such as 2026-11-01") from None
