"""Compares the tables of a day before and after they are made again, row by row."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from order_assets.contract.model import Contract
from order_assets.core.sql import literal, quoted
from order_assets.core.store import private_directory
from order_assets.tables.flatten import table_file


class Before:
    """The files of a day as they were."""

    def __init__(self, folder: Path, contract: Contract) -> None:
        self._folder = folder
        self._contract = contract

    def changed_rows(self, data_root: Path, day: date) -> dict[str, int]:
        """How many rows of each table are not as they were, where any is; a column that is new counts by its values."""
        changed: dict[str, int] = {}
        with duckdb.connect() as connection:
            for table in self._contract:
                new, old = table_file(data_root, table.name, day), self._folder / f"{table.name}.parquet"
                count = _difference(connection, new, old)
                if count:
                    changed[table.name] = count
        return changed


@contextmanager
def keeping_old_files(data_root: Path, day: date, contract: Contract) -> Iterator[Before]:
    """Keep the present files of a day, by links, until the block ends."""
    folder = data_root / f".before-{day.isoformat()}-{os.getpid()}"
    private_directory(folder)
    try:
        for table in contract:
            present = table_file(data_root, table.name, day)
            if present.exists():
                os.link(present, folder / f"{table.name}.parquet")
        yield Before(folder, contract)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _difference(connection: duckdb.DuckDBPyConnection, new: Path, old: Path) -> int:
    if not old.exists():
        return int(pq.read_metadata(new).num_rows)
    names = pq.read_schema(new).names
    known = set(pq.read_schema(old).names)
    before = ", ".join(quoted(name) if name in known else f"NULL AS {quoted(name)}" for name in names)
    after = ", ".join(map(quoted, names))
    rows_before = f"SELECT {before} FROM read_parquet({literal(str(old))})"  # noqa: S608
    rows_after = f"SELECT {after} FROM read_parquet({literal(str(new))})"  # noqa: S608
    count = "SELECT count(*) FROM ({} EXCEPT ALL {})"
    ((added,),) = connection.execute(count.format(rows_after, rows_before)).fetchall()
    ((removed,),) = connection.execute(count.format(rows_before, rows_after)).fetchall()
    return max(int(added), int(removed))
