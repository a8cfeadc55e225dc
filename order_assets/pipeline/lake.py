"""Copies days that passed into Delta tables, for readers that take no DuckDB file: Spark, Trino, Snowflake, Fabric.

The Parquet files and the verdicts stay the truth; the lake can be made from them at any time. A table of the contract
is `tables/<name>` there, a mart `marts/<name>`, both with `batch_id`; a day is replaced in each by one commit. Delta
has no commit over several tables, so `days` tells which days are whole, and of which batch: it is written last. Whoever
joins on its `date` and `batch_id` sees a day whole or not at all. Needs the extra `delta`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from order_assets.contract import Contract
from order_assets.contract.shape import contract_version
from order_assets.errors import OrderAssetsError
from order_assets.pipeline.load_passed import refusal
from order_assets.pipeline.read_tables import read_table
from order_assets.warehouse import loaded_days, open_readonly
from order_assets.warehouse.marts import Marts

if TYPE_CHECKING:
    from deltalake import DeltaTable

_DAYS = "days"
_DAYS_SCHEMA = pa.schema([
    ("date", pa.date32()),
    ("batch_id", pa.string()),
    ("exported_at", pa.timestamp("us", "UTC")),
    ("contract_version", pa.string()),
])  # fmt: skip


class LakeError(OrderAssetsError):
    """The lake cannot be written or read; the message says which table, and what to do."""


@dataclass(frozen=True)
class LakeReport:
    """What an export did: rows written by table, days that are in the lake now, and days taken out of it with why."""

    batch_id: str
    rows: Mapping[str, int]
    days: tuple[date, ...]
    dropped: Mapping[date, str]


def export_days(
    data_root: Path,
    days: Sequence[date],
    lake: str,
    *,
    contract: Contract,
    marts: Marts,
) -> LakeReport:
    """Replace these days in the Delta tables below `lake`, a folder or an address such as s3://bucket/orders.

    A day that did not pass its checks, or is not in the warehouse, leaves the lake. Credentials are taken from the
    environment, as deltalake does. Raises `LakeError`.
    """
    if find_spec("deltalake") is None:
        raise LakeError(f"{lake} cannot be written: deltalake is not installed: pip install 'order-assets[delta]'")
    loaded = loaded_days(data_root)
    dropped = {
        day: why for day in days if (why := refusal(data_root, day) or ("" if day in loaded else "it is not loaded"))
    }
    whole = tuple(day for day in days if day not in dropped)
    target = _Lake(lake.rstrip("/"), uuid.uuid4().hex)
    rows: dict[str, int] = {}
    # From here until its new line a reader that joins on `days` sees none of these days.
    target.remove(_DAYS, days)
    for table in contract:
        name = f"tables/{table.name}"
        target.remove(name, list(dropped))
        if whole:
            found = read_table(table.name, min(whole), max(whole), data_root=data_root, contract=contract, arrow=True)
            rows[name] = target.replace(name, _of_days(found, whole), whole)
    for mart in marts:
        target.remove(f"marts/{mart.name}", list(dropped))
    if whole:
        for mart_name, found in _marts(data_root, marts, whole):
            rows[f"marts/{mart_name}"] = target.replace(f"marts/{mart_name}", found, whole)
        target.append_days(whole, contract_version(contract))
    return LakeReport(target.batch_id, rows, whole, dropped)


def _marts(data_root: Path, marts: Marts, days: Sequence[date]) -> Iterator[tuple[str, pa.Table]]:
    with open_readonly(data_root) as connection:
        for mart in marts:
            only = "WHERE date IN (SELECT unnest($days))" if "date" in mart.columns else ""
            sql = f'SELECT * FROM marts."{mart.name}" {only}'  # noqa: S608 - the name is checked when marts are read
            yield mart.name, connection.execute(sql, {"days": list(days)} if only else None).to_arrow_table()


def _of_days(rows: pa.Table, days: Sequence[date]) -> pa.Table:
    return rows.filter(pc.is_in(rows["date"], value_set=pa.array(days, pa.date32())))


@dataclass(frozen=True)
class _Lake:
    """The Delta tables below an address, for one batch."""

    address: str
    batch_id: str

    def replace(self, name: str, rows: pa.Table, days: Sequence[date]) -> int:
        """Put rows in the place of those of the days, or of all where they have no day; gives how many."""
        from deltalake import write_deltalake

        batch = pa.array([self.batch_id] * len(rows), pa.string())
        rows = rows.append_column("batch_id", batch)
        is_by_day = "date" in rows.column_names
        there = self._table(name) is not None
        with self._explained(name):
            write_deltalake(
                f"{self.address}/{name}",
                rows,
                mode="overwrite",
                # A predicate needs a table that is there.
                predicate=_within(days) if is_by_day and there else None,
                partition_by=["date"] if is_by_day else None,
                schema_mode="merge" if is_by_day else "overwrite",
            )
        return len(rows)

    def remove(self, name: str, days: Sequence[date]) -> None:
        """Take days out of a table, if they are in it."""
        table = self._table(name) if days else None
        if table is not None and "date" in {field.name for field in table.schema().fields}:
            with self._explained(name):
                table.delete(_within(days))

    def append_days(self, days: Sequence[date], version: str) -> None:
        """Say that these days are whole."""
        from deltalake import write_deltalake

        of_batch = {"batch_id": self.batch_id, "exported_at": datetime.now(UTC), "contract_version": version}
        with self._explained(_DAYS):
            write_deltalake(
                f"{self.address}/{_DAYS}",
                pa.Table.from_pylist([{"date": day, **of_batch} for day in days], _DAYS_SCHEMA),
                mode="append",
            )

    def _table(self, name: str) -> DeltaTable | None:
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        with self._explained(name):
            try:
                return DeltaTable(f"{self.address}/{name}")
            except TableNotFoundError:
                return None

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        from deltalake.exceptions import CommitFailedError, DeltaError

        try:
            yield
        except CommitFailedError:
            raise LakeError(
                f"{self.address}/{name}: another export wrote the same days at the same time. The day is left out of "
                "`days`; export it again"
            ) from None
        except (DeltaError, OSError) as error:
            raise LakeError(
                f"{self.address}/{name} cannot be written: {str(error).splitlines()[0]}. Days that were being written "
                "are left out of `days`; mend it and export them again"
            ) from error


def _within(days: Sequence[date]) -> str:
    return "date IN (" + ", ".join(f"CAST('{day}' AS DATE)" for day in days) + ")"
