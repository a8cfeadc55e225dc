"""The landing of a day: every fetched version of every order as one row of redacted documents, and the ledger.

A day is a folder of parts that are only ever added; the last row of an order is its current one. `compact` makes one
part of many. What is fetched and when is decided in `refresh`; what a row says in `receive`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from order_assets.landing.files import whole_file

_TIME = pa.timestamp("us", tz="UTC")
# 1,000 orders of about 13 kB each are read and written at a time.
_ROWS_PER_GROUP = 1000


class Outcome(StrEnum):
    """What became of a listed order."""

    LANDED = "landed"
    TOMBSTONED = "tombstoned"
    QUARANTINED = "quarantined"
    PENDING = "pending"


LANDING_SCHEMA = pa.schema(
    [
        pa.field("order_pk", pa.int64(), nullable=False),
        pa.field("number", pa.string(), nullable=False),
        ("date_placed", _TIME),
        ("listed_modified_date", _TIME),
        ("listed_created_date", _TIME),
        ("listed_checkout_provider_id", pa.string()),
        pa.field("fetched_at", _TIME, nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
        ("refused_document", pa.string()),
        ("refused_path", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.large_string()),
        ("items", pa.large_string()),
        ("discounts", pa.large_string()),
        pa.field("unmapped", pa.string(), nullable=False),
        pa.field("missing", pa.string(), nullable=False),
        pa.field("set_sizes", pa.string(), nullable=False),
        pa.field("irregular", pa.bool_(), nullable=False),
        pa.field("masked", pa.int64(), nullable=False),
        ("content_hash", pa.string()),
        pa.field("contract_version", pa.string(), nullable=False),
        pa.field("privacy_policy", pa.string(), nullable=False),
        pa.field("requests", pa.int64(), nullable=False),
        pa.field("retries", pa.int64(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
    ]
)

LEDGER_SCHEMA = pa.schema(
    [
        pa.field("order_pk", pa.int64(), nullable=False),
        pa.field("number", pa.string(), nullable=False),
        pa.field("date_placed", _TIME, nullable=False),
        ("listed_modified_date", _TIME),
        pa.field("outcome", pa.string(), nullable=False),
        ("reason", pa.string()),
        ("fetched_at", _TIME),
        pa.field("requests", pa.int64(), nullable=False),
        pa.field("retries", pa.int64(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        ("content_hash", pa.string()),
        ("contract_version", pa.string()),
        ("privacy_policy", pa.string()),
    ]
)
_KEYS = tuple(name for name in LANDING_SCHEMA.names if name in LEDGER_SCHEMA.names) + ("unmapped", "masked")


class LandingError(RuntimeError):
    """A landing file is missing or cannot be read."""


@dataclass(frozen=True)
class Landing:
    """The landing of one day under a data root."""

    data_root: Path
    day: date

    @property
    def directory(self) -> Path:
        """The folder of the day."""
        return self.data_root / "landing" / f"date={self.day.isoformat()}"

    @property
    def ledger_file(self) -> Path:
        """One row per listed order of the day."""
        return self.directory / "ledger.parquet"

    def parts(self) -> list[Path]:
        """The parts in the order in which they were written."""
        return sorted(self.directory.glob("documents-*.parquet"))

    def append(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add a part with these rows, durably."""
        if rows:
            self._write_part(pa.Table.from_pylist(list(rows), LANDING_SCHEMA).sort_by("order_pk"))

    def current(self) -> dict[int, dict[str, Any]]:
        """The current row of each order by pk, without its documents."""
        found: dict[int, dict[str, Any]] = {}
        for part in self.parts():
            for row in self._open(part).read(columns=list(_KEYS)).to_pylist():
                found[row["order_pk"]] = row
        return found

    def documents(self, only: Collection[int]) -> Iterator[pa.Table]:
        """The current rows of these orders by ascending pk, with their documents, about 1,000 at a time."""
        self.compact()
        wanted = pa.array(sorted(only), pa.int64())
        for part in self.parts():
            file = self._open(part)
            last = _last_rows(file.read(columns=["order_pk"])["order_pk"])
            start = 0
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group)
                chosen = pc.and_(last.slice(start, rows.num_rows), pc.is_in(rows["order_pk"], wanted))
                start += rows.num_rows
                rows = rows.filter(chosen)
                if rows.num_rows:
                    yield rows

    def last_documents(self, order_pk: int) -> dict[str, Any] | None:
        """The newest row of an order that has its documents and was landed."""
        for part in reversed(self.parts()):
            rows = pq.read_table(part, schema=LANDING_SCHEMA, filters=[("order_pk", "=", order_pk)])
            for row in reversed(rows.to_pylist()):
                if row["outcome"] == Outcome.LANDED and row["detail"] is not None:
                    return dict(row)
        return None

    def compact(self) -> None:
        """Make one part of many, rows by order and age; nothing is lost when it is interrupted."""
        parts = self.parts()
        if len(parts) < 2:
            return
        files = [self._open(part) for part in parts]
        keys = pa.concat_tables([file.read(columns=["order_pk", "fetched_at"]) for file in files])
        keys = keys.append_column("place", pa.array(range(keys.num_rows), pa.int64()))
        # A row can be in two parts when an earlier compaction was cut off before it removed the old ones.
        keys = keys.group_by(["order_pk", "fetched_at"], use_threads=False).aggregate([("place", "max")])
        order = keys.sort_by([("order_pk", "ascending"), ("place_max", "ascending")])["place_max"]
        rows = pa.concat_tables([file.read() for file in files]).take(order)
        self._write_part(rows)
        for part in parts:
            part.unlink()

    def write_ledger(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the day's ledger."""
        with whole_file(self.ledger_file) as temporary:
            pq.write_table(pa.Table.from_pylist(list(rows), LEDGER_SCHEMA), temporary, compression="zstd")

    def ledger(self) -> list[dict[str, Any]]:
        """The day's ledger. Raises `LandingError` when the day was never landed."""
        if not self.ledger_file.exists():
            raise LandingError(f"{self.day} has not been landed: materialise order_documents for {self.day} first")
        rows: list[dict[str, Any]] = self._open(self.ledger_file).read().to_pylist()
        return rows

    def _write_part(self, rows: pa.Table) -> None:
        parts = self.parts()
        number = int(parts[-1].stem.removeprefix("documents-")) + 1 if parts else 1
        with whole_file(self.directory / f"documents-{number:06d}.parquet") as temporary:
            pq.write_table(rows, temporary, compression="zstd", row_group_size=_ROWS_PER_GROUP)

    def _open(self, path: Path) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise LandingError(
                f"{path} cannot be read ({type(error).__name__}): move it away and materialise order_documents for "
                f"{self.day} again; its orders are then fetched anew"
            ) from error


def _last_rows(order_pks: pa.ChunkedArray) -> pa.Array:
    """For each row, whether it is the last of its order; the rows are sorted by order and age."""
    keys = order_pks.combine_chunks()
    if len(keys) == 0:
        return pa.array([], pa.bool_())
    differs = pc.not_equal(keys.slice(0, len(keys) - 1), keys.slice(1))
    return pa.concat_arrays([differs, pa.array([True])])
