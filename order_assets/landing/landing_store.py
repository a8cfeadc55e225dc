"""The landing of a day: every fetched version of every order as one row of redacted documents, and the ledger.

A day is a folder of parts that are only ever added; the last row of an order is its current one. `compact` makes one
part of many. What is fetched and when is decided in `refresh`; what a row says in `land`; what becomes of the
versions before the current one in `versions`.
"""

from __future__ import annotations

import fcntl
import json
import os
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from order_assets.core.store import private_directory, whole_file, writer_mark
from order_assets.errors import OrderAssetsError
from order_assets.landing.erasure import without_forgotten
from order_assets.landing.index_files import day_digest, digests
from order_assets.landing.landing_schema import (
    LANDING_SCHEMA,
    LEDGER_SCHEMA,
    Outcome,
    conformed,
    further_names,
    plain_rows,
    schema_with,
)

__all__ = ["LANDING_SCHEMA", "LEDGER_SCHEMA", "Landing", "LandingError", "Outcome", "last_rows"]

# 1,000 orders of about 13 kB each are read and written at a time.
_ROWS_PER_GROUP = 1000
# A dictionary of documents, which hardly ever are equal, costs time to write and to read, and saves nothing.
_FORMAT = {
    "compression": "zstd",
    "use_dictionary": [field.name for field in LANDING_SCHEMA if not pa.types.is_large_string(field.type)],
}
_SUMMARY = b"order_assets.ledger"
_KEYS = (*(name for name in LANDING_SCHEMA.names if name in LEDGER_SCHEMA.names), "unmapped", "masked")


class LandingError(OrderAssetsError):
    """A landing file is missing or cannot be read."""


@dataclass(frozen=True)
class LedgerSummary:
    """What a ledger says of itself: the digest that the index has of a day alike, and counts of orders and requests.

    `unfinished` orders are pending or in quarantine; `fetched` ones took `requests`.
    """

    digest: int
    unfinished: int
    fetched: int
    requests: int


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
        """Add a part with these rows, durably, without those who were forgotten meanwhile."""
        if not rows:
            return
        with self.alone():
            rows = without_forgotten(self.data_root, rows)
            schema = schema_with(name for row in rows for name in further_names(row))
            self._write_part([pa.Table.from_pylist(list(rows), schema).sort_by("order_pk")], schema)

    def current(self) -> dict[int, dict[str, Any]]:
        """The current row of each order by pk, without its documents."""
        found: dict[int, dict[str, Any]] = {}
        for part in self.parts():
            found |= {row["order_pk"]: row for row in plain_rows(self.columns(part, _KEYS))}
        return found

    def policies(self) -> set[str | None]:
        """The privacy settings that rows of the parts were written under, of many the first and last; None for any."""
        found: set[str | None] = set()
        for part in self.parts():
            with self.reading(part):
                metadata = pq.read_metadata(part)
            place = metadata.schema.names.index("privacy_policy")
            for number in range(metadata.num_row_groups):
                statistics = metadata.row_group(number).column(place).statistics
                is_known = statistics is not None and statistics.has_min_max
                found |= {statistics.min, statistics.max} if is_known else {None}
        return found

    def columns(self, part: Path, names: Collection[str]) -> pa.Table:
        """Some columns of a part; those that it was written without are null."""
        with self.reading(part):
            rows = pq.ParquetFile(part).read(columns=list(names))
        return conformed(rows, pa.schema([LANDING_SCHEMA.field(name) for name in names]))

    def documents(self, only: Collection[int]) -> Iterator[pa.Table]:
        """The current rows of these orders by ascending pk, with their documents, about 1,000 at a time."""
        part = self.compact()
        if part is None:
            return
        wanted = pa.array(sorted(only), pa.int64())
        with self.reading(part):
            file = pq.ParquetFile(part)
            last = last_rows(file.read(columns=["order_pk"])["order_pk"])
        start = 0
        for group in range(file.num_row_groups):
            with self.reading(part):
                rows = file.read_row_group(group, use_threads=False)
            chosen = pc.and_(last.slice(start, rows.num_rows), pc.is_in(rows["order_pk"], wanted))
            start += rows.num_rows
            if not pc.all(chosen).as_py():
                rows = rows.filter(chosen)
            if rows.num_rows:
                yield conformed(rows, schema_with(further_names(rows.column_names)))

    def last_documents(self, order_pk: int) -> dict[str, Any] | None:
        """The newest row of an order that has its documents and was landed."""
        for part in reversed(self.parts()):
            with self.reading(part):
                schema = _schema_of(pq.ParquetFile(part))
                rows = pq.read_table(part, schema=schema, filters=[("order_pk", "=", order_pk)])
            for row in reversed(rows.to_pylist()):
                if row["outcome"] == Outcome.LANDED and row["detail"] is not None:
                    return dict(row)
        return None

    def compact(self) -> Path | None:
        """Make one part of many, rows by order and age; nothing is lost when it is interrupted.

        Gives the part, which has every version that was stored before; `None` where there is none. It need not be the
        only one afterwards: another run that compacts the same day puts its own beside it, with the same rows.
        """
        parts = self.parts()
        if len(parts) < 2:
            return parts[0] if parts else None
        with self.alone():
            return self._compacted()

    def _compacted(self) -> Path | None:
        parts = self.parts()
        if len(parts) < 2:
            return parts[0] if parts else None
        files: list[pq.ParquetFile] = []
        keys: list[pa.Table] = []
        for part in parts:
            with self.reading(part):
                files.append(pq.ParquetFile(part))
                keys.append(files[-1].read(columns=["order_pk", "fetched_at"]))

        schema = schema_with(name for file in files for name in further_names(file.schema_arrow.names))

        def group(file: int, number: int) -> pa.Table:
            with self.reading(parts[file]):
                return conformed(files[file].read_row_group(number), schema)

        sizes = {
            (index, number): file.metadata.row_group(number).num_rows
            for index, file in enumerate(files)
            for number in range(file.num_row_groups)
        }
        whole = self._write_part(_rows_at(_places_in_order(pa.concat_tables(keys)), sizes, group), schema)
        for part in parts:
            # Another run that compacts the same day may have been quicker.
            part.unlink(missing_ok=True)
        return whole

    def rewrite(self, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> int:
        """Replace rows of all versions: `change` gives the new row, or `None` to keep it. Gives how many changed.

        A part with a changed row is written anew in the place of the old one.
        """
        with self.alone():
            return self._rewritten(change)

    def _rewritten(self, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> int:
        changed = 0
        for part in self.parts():
            with self.reading(part):
                file = pq.ParquetFile(part)
            groups: list[pa.Table] = []
            before = changed
            for number in range(file.num_row_groups):
                rows = conformed(file.read_row_group(number), _schema_of(file)).to_pylist()
                new = [change(row) for row in rows]
                changed += sum(row is not None for row in new)
                kept = [old if row is None else row for old, row in zip(rows, new, strict=True)]
                groups.append(pa.Table.from_pylist(kept, _schema_of(file)))
            if changed > before:
                with whole_file(part) as temporary:
                    pq.write_table(pa.concat_tables(groups), temporary, row_group_size=_ROWS_PER_GROUP, **_FORMAT)
        return changed

    def replace_groups(self, part: Path, change: Callable[[int, pa.Table], pa.Table]) -> None:
        """Write a part anew in its place, group by group: `change` gets the place of a group's first row and its rows.

        The rows stay as many and in their order. Only one group is held at a time.
        """
        with self.alone():
            with self.reading(part):
                file = pq.ParquetFile(part)
            self._write_groups(part, file, change)

    def _write_groups(self, part: Path, file: pq.ParquetFile, change: Callable[[int, pa.Table], pa.Table]) -> None:
        with (
            whole_file(part) as temporary,
            pq.ParquetWriter(temporary, _schema_of(file), **_FORMAT) as writer,
        ):
            start = 0
            for number in range(file.num_row_groups):
                with self.reading(part):
                    rows = conformed(file.read_row_group(number), _schema_of(file))
                writer.write_table(change(start, rows), row_group_size=_ROWS_PER_GROUP)
                start += rows.num_rows

    def drop_versions_of_other_policies(self, privacy_policy: str) -> None:
        """Remove versions that were stored under other privacy settings, where a later version took their place."""
        with self.alone():
            self._compacted()
            self._drop_versions(privacy_policy)

    def _drop_versions(self, privacy_policy: str) -> None:
        for part in self.parts():
            with self.reading(part):
                rows = pq.read_table(part, columns=["order_pk", "privacy_policy"])
            outdated = pc.and_(
                pc.not_equal(rows["privacy_policy"], privacy_policy), pc.invert(last_rows(rows["order_pk"]))
            )
            if pc.any(outdated).as_py():
                file = pq.ParquetFile(part)
                kept = conformed(file.read(), _schema_of(file)).filter(pc.invert(outdated))
                with whole_file(part) as temporary:
                    pq.write_table(kept, temporary, row_group_size=_ROWS_PER_GROUP, **_FORMAT)

    def write_ledger(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the day's ledger."""
        self.write_ledger_table(pa.Table.from_pylist(list(rows), LEDGER_SCHEMA))

    def write_ledger_table(self, ledger: pa.Table) -> None:
        """Write the day's ledger from rows under `LEDGER_SCHEMA`."""
        summary = json.dumps(asdict(_summary(ledger))).encode()
        with whole_file(self.ledger_file) as temporary:
            pq.write_table(ledger.replace_schema_metadata({_SUMMARY: summary}), temporary, compression="zstd")

    def summary(self) -> LedgerSummary | None:
        """What the day's ledger says of itself; None where there is no ledger, or one of an earlier version."""
        if not self.ledger_file.exists():
            return None
        with self.reading(self.ledger_file):
            kept = (pq.read_metadata(self.ledger_file).metadata or {}).get(_SUMMARY)
        return None if kept is None else LedgerSummary(**json.loads(kept))

    def ledger(self) -> list[dict[str, Any]]:
        """The day's ledger. Raises `LandingError` when the day was never landed."""
        return plain_rows(conformed(self._read_ledger(), LEDGER_SCHEMA))

    def listed_pks(self) -> list[int]:
        """The orders of the day's ledger. Raises `LandingError` when the day was never landed."""
        pks: list[int] = self._read_ledger(["order_pk"])["order_pk"].to_pylist()
        return pks

    def _read_ledger(self, columns: list[str] | None = None) -> pa.Table:
        if not self.ledger_file.exists():
            raise LandingError(f"{self.day} has not been landed: materialise order_documents for {self.day} first")
        with self.reading(self.ledger_file):
            return pq.ParquetFile(self.ledger_file).read(columns=columns)

    def _write_part(self, tables: Iterable[pa.Table], schema: pa.Schema) -> Path:
        parts = self.parts()
        number = int(parts[-1].stem.split("-")[1]) + 1 if parts else 1
        # Two runs that land the same day must not write over each other's parts.
        part = self.directory / f"documents-{number:06d}-{writer_mark()}.parquet"
        with whole_file(part) as temporary, pq.ParquetWriter(temporary, schema, **_FORMAT) as writer:
            for rows in tables:
                writer.write_table(rows, row_group_size=_ROWS_PER_GROUP)
        return part

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let no other writer of any process on this machine touch the parts of the day meanwhile; waits for its turn.

        A row that was read by one writer and taken out by another would come back with the first one's new part.
        """
        folder = private_directory(self.directory.parent)
        descriptor = os.open(folder / f".{self.day}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def reading(self, path: Path) -> Iterator[None]:
        """Turn what a broken file of the day makes fail into a `LandingError` that names it."""
        try:
            yield
        except FileNotFoundError as error:
            raise LandingError(
                f"{path} went away while it was being read: another run is at work on {self.day}. Nothing is lost; "
                "run the day again when that run is done"
            ) from error
        except (pa.ArrowException, OSError) as error:
            raise LandingError(
                f"{path} cannot be read ({type(error).__name__}): move it away and materialise order_documents for "
                f"{self.day} again; its orders are then fetched anew"
            ) from error


def _summary(ledger: pa.Table) -> LedgerSummary:
    listed = pc.not_equal(ledger["outcome"], Outcome.TOMBSTONED.value)
    of_index = ("listed_modified_date", "listed_children_modified_date", "listed_fingerprint", "listed_row_changed_at")
    modified, children, fingerprint, row_changed = (ledger[name] for name in of_index)
    digest = day_digest(digests(ledger["order_pk"], modified, children, fingerprint, row_changed, listed))
    unfinished = pc.is_in(ledger["outcome"], pa.array([Outcome.PENDING.value, Outcome.QUARANTINED.value]))
    fetched = ledger.filter(pc.is_valid(ledger["fetched_at"]))
    requests = pc.sum(fetched["requests"]).as_py() or 0
    return LedgerSummary(digest, pc.sum(unfinished).as_py() or 0, len(fetched), requests)


def _schema_of(file: pq.ParquetFile) -> pa.Schema:
    """The columns of landing with the further documents that a part has."""
    return schema_with(further_names(file.schema_arrow.names))


def _places_in_order(keys: pa.Table) -> pa.ChunkedArray:
    """The places of rows in the parts, by order and age, one of each row.

    A row can be in two parts when an earlier compaction was cut off before it removed the old ones.
    """
    keys = keys.append_column("place", pa.array(range(keys.num_rows), pa.int64()))
    keys = keys.group_by(["order_pk", "fetched_at"], use_threads=False).aggregate([("place", "max")])
    return keys.sort_by([("order_pk", "ascending"), ("place_max", "ascending")])["place_max"]


def _rows_at(
    places: pa.ChunkedArray, sizes: Mapping[tuple[int, int], int], group: Callable[[int, int], pa.Table]
) -> Iterator[pa.Table]:
    """The rows at these places, counted through all row groups, about 1,000 at a time.

    `sizes` are the rows of each row group by file and number, `group` reads one. Only the row groups that a thousand
    rows come from are held: parts cover the orders one after the other, so these are few however large the day is.
    """
    groups = list(sizes)
    starts = list(accumulate(sizes.values(), initial=0))
    held: dict[int, pa.Table] = {}
    for first in range(0, len(places), _ROWS_PER_GROUP):
        wanted = places.slice(first, _ROWS_PER_GROUP).to_pylist()
        homes = [bisect_right(starts, place) - 1 for place in wanted]
        held = {home: held[home] if home in held else group(*groups[home]) for home in dict.fromkeys(homes)}
        begins = dict(zip(held, accumulate((rows.num_rows for rows in held.values()), initial=0), strict=False))
        indices = [begins[home] + place - starts[home] for home, place in zip(homes, wanted, strict=True)]
        yield pa.concat_tables(held.values()).take(pa.array(indices, pa.int64()))


def last_rows(order_pks: pa.ChunkedArray) -> pa.Array:
    """For each row, whether it is the last of its order; the rows are sorted by order and age."""
    keys = order_pks.combine_chunks()
    if len(keys) == 0:
        return pa.array([], pa.bool_())
    differs = pc.not_equal(keys.slice(0, len(keys) - 1), keys.slice(1))
    return pa.concat_arrays([differs, pa.array([True])])
