"""Writes small Parquet inputs as the rooms before would: from the contract, one file per table and day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from order_assets.contract import CONTRACT, Column, Contract, Table
from order_assets.warehouse import table_files

Rows = Sequence[Mapping[str, Any]]

DAY = date(2026, 1, 1)
LEDGER_SCHEMA = pa.schema([("order_pk", pa.int64()), ("state", pa.string())])


def days(count: int, first: date = DAY) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


def at(hour: int, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def write_day(root: Path, day: date, rows: Mapping[str, Rows] | None = None, *, contract: Contract = CONTRACT) -> None:
    """Write all tables of a day: the given rows (columns left out are filled in), no rows in other tables."""
    for table in contract:
        write_table(root, day, table, (rows or {}).get(table.name, ()))
    write_ledger(root, day, [{"order_pk": row["pk"], "state": "landed"} for row in (rows or {}).get("orders", ())])


def write_table(root: Path, day: date, table: Table, rows: Rows) -> Path:
    full = [{column.name: row.get(column.name, _filler(column)) for column in table.columns} for row in rows]
    path = table_files(root, table.name, day)
    return _write(path, full, pa.schema([(column.name, _arrow_type(column)) for column in table.columns]))


def write_ledger(root: Path, day: date, rows: Rows, schema: pa.Schema = LEDGER_SCHEMA) -> Path:
    return _write(root / "landing" / f"date={day:%Y-%m-%d}" / "ledger.parquet", rows, schema)


def some_rows(count: int, day: date = DAY, *, contract: Contract = CONTRACT) -> dict[str, Rows]:
    """As many rows in every table; things have the same keys every day."""
    first = day.toordinal() * 1_000_000
    return {
        table.name: [
            {"pk": number if table.kind == "thing" else first + number, "position": number} for number in range(count)
        ]
        for table in contract
    }


def _write(path: Path, rows: Rows, schema: pa.Schema) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema=schema), path)
    return path


def _filler(column: Column) -> Any:
    if column.nullable:
        return None
    return {"BIGINT": 1, "VARCHAR": "x", "JSON": "{}", "BOOLEAN": True}.get(column.type.duckdb, Decimal("1.00"))


def _arrow_type(column: Column) -> pa.DataType:
    if column.type.scale is not None:
        return pa.decimal128(column.type.precision, column.type.scale)
    return {
        "BIGINT": pa.int64(),
        "VARCHAR": pa.string(),
        "JSON": pa.string(),
        "BOOLEAN": pa.bool_(),
        "DATE": pa.date32(),
        "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
    }[column.type.duckdb]
