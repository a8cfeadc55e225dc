"""What the tables say about orders to those who read lists of the API: whose a child row is, what was landed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

_SCHEMA = pa.schema([("pk", pa.int64()), ("order_pk", pa.int64()), ("modified_date", pa.timestamp("us", tz="UTC"))])


def owners(data_root: Path, table: str, pks: Collection[int]) -> dict[int, tuple[int, datetime | None]]:
    """The order and the landed `modified_date` (UTC) of rows of a table, by their pk; unknown rows are not in it."""
    folder = data_root / "tables" / table
    if not pks or not folder.exists():
        return {}
    files = ds.dataset(folder, format="parquet", schema=_SCHEMA)
    wanted = pc.field("pk").isin(pa.array(sorted(pks), pa.int64()))
    rows = files.to_table(filter=wanted).to_pylist()
    return {row["pk"]: (row["order_pk"], row["modified_date"]) for row in rows}


def landed_amounts(data_root: Path, names: Collection[str]) -> pa.Table:
    """The amounts of all orders as they were landed last: `pk` and the named columns, as decimals."""
    folder = data_root / "tables" / "orders"
    schema = pa.schema([("pk", pa.int64()), *((name, pa.decimal128(18, 2)) for name in names)])
    if not folder.exists():
        return schema.empty_table()
    return ds.dataset(folder, format="parquet", schema=schema).to_table()
