"""Reads the Parquet files of a day for those who look at them: a small file once for all, a large one bit by bit.

A look at a day opens thirty files; of a small day, opening them again for each rule would take longer than the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from order_assets.tables.parquet import table_file

# Bytes of a file up to which its rows are kept; thirty such files are some tens of MB in memory.
_KEPT_BELOW = 128 * 1024


@dataclass(frozen=True)
class DayFiles:
    """The files of a day as they were when they were first looked at.

    All reading raises OSError or pyarrow's ArrowException for a file that is missing or broken.
    """

    data_root: Path
    day: date
    _kept: dict[str, pa.Table] = field(default_factory=dict, repr=False)

    def path(self, table: str) -> Path:
        """Where the rows of a table are."""
        return table_file(self.data_root, table, self.day)

    def shape(self, table: str) -> tuple[pa.Schema, int]:
        """The columns of a table and how many rows it has."""
        kept = self._small(table)
        if kept is not None:
            return kept.schema, kept.num_rows
        with pq.ParquetFile(self.path(table)) as file:
            return file.schema_arrow, file.metadata.num_rows

    def read(self, table: str, columns: Sequence[str]) -> pa.Table:
        """All rows with these columns; those that the file does not have are left out."""
        kept = self._small(table)
        if kept is not None:
            return kept.select([name for name in columns if name in kept.column_names])
        with pq.ParquetFile(self.path(table)) as file:
            return file.read(columns=list(columns), use_threads=False)

    def groups(self, table: str) -> Iterator[pa.Table]:
        """All rows, some thousands at a time."""
        kept = self._small(table)
        if kept is not None:
            yield kept
            return
        with pq.ParquetFile(self.path(table)) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group, use_threads=False)

    def first(self, table: str, columns: Sequence[str], rows: int) -> pa.Table:
        """The first rows."""
        kept = self._small(table)
        if kept is not None:
            return kept.select(list(columns)).slice(0, rows)
        with pq.ParquetFile(self.path(table)) as file:
            found = next(file.iter_batches(rows, columns=list(columns)), None)
            return file.schema_arrow.empty_table().select(columns) if found is None else pa.Table.from_batches([found])

    def _small(self, table: str) -> pa.Table | None:
        if table not in self._kept:
            path = self.path(table)
            if path.stat().st_size >= _KEPT_BELOW:
                return None
            with pq.ParquetFile(path) as file:
                self._kept[table] = file.read(use_threads=False)
        return self._kept[table]
