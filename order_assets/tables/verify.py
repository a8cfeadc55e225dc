"""Looks at the Parquet files of a day with other means than those that wrote them, and says what is not as declared.

Each rule gives a finding per table; what a finding means for a run is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from order_assets.contract.model import Contract, Table
from order_assets.contract.rules import KEY_RULE, REQUIRED_RULE, SCHEMA_RULE, SET_RULE
from order_assets.contract.schema import arrow_schema
from order_assets.tables.flatten import table_file
from order_assets.tables.plan import literal, quoted


@dataclass(frozen=True)
class Finding:
    """The verdict of one rule on one table and day, with the numbers behind it."""

    table: str
    rule: str
    passed: bool
    explanation: str
    numbers: Mapping[str, int | str] = field(default_factory=dict)


def verify_day(data_root: Path, day: date, contract: Contract, expected: Mapping[str, int]) -> Iterator[Finding]:
    """Check the files of a day; `expected` are rows per table as counted from the documents."""
    with duckdb.connect() as connection:
        for table in contract:
            yield from _verify_table(connection, table, table_file(data_root, table.name, day), expected)


def _verify_table(
    connection: duckdb.DuckDBPyConnection, table: Table, path: Path, expected: Mapping[str, int]
) -> Iterator[Finding]:
    found, declared = pq.read_schema(path), arrow_schema(table)
    yield Finding(
        table.name,
        SCHEMA_RULE,
        found.equals(declared),
        "as declared" if found.equals(declared) else f"found {found.to_string()}, declared {declared.to_string()}",
        {"columns": len(found)},
    )
    required = [column.name for column in table.columns if not column.nullable]
    nulls = "".join(f", count(*) - count({quoted(name)})" for name in required)
    keys = ", ".join(map(quoted, table.key))
    statement = f"SELECT count(*), count(DISTINCT ({keys})){nulls} FROM read_parquet({literal(str(path))})"  # noqa: S608
    row = connection.execute(statement).fetchone() or ()
    rows, distinct, *missing = row
    yield Finding(
        table.name,
        KEY_RULE,
        rows == distinct,
        f"{rows} rows, {distinct} distinct values of {', '.join(table.key)}",
        {"rows": rows, "distinct": distinct},
    )
    if required:
        absent = {name: count for name, count in zip(required, missing, strict=True) if count}
        text = ", ".join(f"{name} is null in {count} rows" for name, count in absent.items())
        yield Finding(table.name, REQUIRED_RULE, not absent, text or "all there", absent)
    if table.name in expected:
        counted = expected[table.name]
        yield Finding(
            table.name,
            SET_RULE,
            rows == counted,
            f"{rows} rows, {counted} in the documents",
            {"rows": rows, "in_documents": counted},
        )
