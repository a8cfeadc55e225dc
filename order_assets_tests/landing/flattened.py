"""What the tables say about landed rows: the tests' way from a landing row to cells."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from order_assets.contract import CONTRACT
from order_assets.landing.landing_store import LANDING_SCHEMA
from order_assets.tables import Flattener, table_file

DAY = date(2026, 1, 5)


@cache
def flattener() -> Flattener:
    return Flattener(CONTRACT, threads=1)


def tables_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The rows of every table that these landing rows give."""
    batch = pa.Table.from_pylist(sorted(rows, key=lambda row: row["order_pk"]), LANDING_SCHEMA)
    with tempfile.TemporaryDirectory() as folder:
        flattener().flatten_day(Path(folder), DAY, [batch])
        return {
            table.name: pq.ParquetFile(table_file(Path(folder), table.name, DAY)).read().to_pylist()
            for table in CONTRACT
        }
