"""Writes one Parquet file per table and day: beside its place first, put there when it is whole.

What the rows are is decided in `rows`; where the files are is said here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from order_assets.core.store import draft_of, explained_writing, flush

# Rows are written in groups of exactly this size, so that equal rows give equal bytes however they came, and what
# waits to be written does not grow with the day.
ROWS_PER_GROUP = 5_000


def table_file(data_root: Path, table: str, day: date) -> Path:
    """Where the rows of a table and day are."""
    return data_root / "tables" / table / f"date={day.isoformat()}" / "part-0.parquet"


@dataclass
class Writer:
    """One Parquet file that is being written; without `publish` nothing of it stays."""

    path: Path
    schema: pa.Schema
    rows: int = 0
    _waiting: list[pa.Table] = field(default_factory=list)

    def __enter__(self) -> Writer:
        with explained_writing(self.path):
            self._temporary = draft_of(self.path)
            self._file = pq.ParquetWriter(self._temporary, self.schema, compression="zstd")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._temporary.unlink(missing_ok=True)

    def write(self, rows: pa.Table) -> None:
        """Add rows, of the schema's columns and types."""
        if rows.num_rows:
            # Before and not after: the last rows are left to `finish`, which runs for many files at once.
            if sum(part.num_rows for part in self._waiting) >= ROWS_PER_GROUP:
                with explained_writing(self.path):
                    self._flush(whole_groups_only=True)
            self.rows += rows.num_rows
            self._waiting.append(rows)

    def finish(self) -> None:
        """Write what is left and make the file durable, still beside its place."""
        with explained_writing(self.path):
            self._flush(whole_groups_only=False)
            self._file.close()
            flush(self._temporary, self.path)

    def publish(self) -> int:
        """Put the finished file in its place; gives its size in bytes."""
        with explained_writing(self.path):
            self._temporary.replace(self.path)
        return self.path.stat().st_size

    def _flush(self, *, whole_groups_only: bool) -> None:
        if not self._waiting:
            return
        rows = pa.concat_tables(self._waiting)
        start = 0
        least = ROWS_PER_GROUP if whole_groups_only else 1
        while rows.num_rows - start >= least:
            # Pages end where chunks end: one chunk, whatever the rows were put together from.
            self._file.write_table(rows.slice(start, ROWS_PER_GROUP).combine_chunks(), row_group_size=ROWS_PER_GROUP)
            start += ROWS_PER_GROUP
        rest = rows.slice(start)
        self._waiting = [rest] if rest.num_rows else []
