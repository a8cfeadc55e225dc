"""The files of the index: segments of whole days, changes since these were written, and the manifest that names them.

A sync of a few orders writes the changes and the manifest; only a listing of all orders, or very many changes, writes
segments anew. Files are added and never changed: the manifest, swapped last, says which of them count, so that a kill
leaves the old index or the new one. Belongs here: reading and writing them. Not here: what a listing changes
(`index_writer`) and what others ask of the index (`index`).
"""

from __future__ import annotations

import fcntl
import json
import os
import time
import uuid
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from order_assets.core.store import private_directory, whole_file
from order_assets.errors import OrderAssetsError
from order_assets.landing.landing_schema import conformed
from order_assets.landing.list_row import MONEY, MONEY_TYPE

_TIME = pa.timestamp("us", tz="UTC")
INDEX_SCHEMA = pa.schema(
    [
        pa.field("pk", pa.int64(), nullable=False),
        pa.field("number", pa.string(), nullable=False),
        ("channel", pa.int64()),
        ("status", pa.string()),
        pa.field("date_placed", _TIME, nullable=False),
        ("modified_date", _TIME),
        ("created_date", _TIME),
        ("checkout_provider_id", pa.string()),
        pa.field("partition", pa.date32(), nullable=False),
        # When a listing of all orders first did not have the order; null while it is listed.
        ("gone_since", _TIME),
        # The newest change below the order that does not show in the order's own modified_date.
        ("children_modified_date", _TIME),
        ("currency", pa.string()),
        *((name, MONEY_TYPE) for name in MONEY),
        # Of the whole row, keyed; null where the row came under other rules, or before there were any.
        ("fingerprint", pa.int64()),
        # When a listing first found the row unlike the one before, whatever its modified_date says.
        ("row_changed_at", _TIME),
        # Of the row as it came, keyed: one that is not new needs not be judged again. Null where it must be.
        ("row_digest", pa.int64()),
    ]
)
# Values that hardly repeat, each in the way that takes the least room.
_ENCODINGS = {
    **dict.fromkeys(("pk", "date_placed", "modified_date", "created_date"), "DELTA_BINARY_PACKED"),
    **dict.fromkeys(("fingerprint", "row_digest"), "BYTE_STREAM_SPLIT"),
    "number": "DELTA_BYTE_ARRAY",
}
_FORMAT = {
    "compression": "zstd",
    "use_dictionary": [name for name in INDEX_SCHEMA.names if name not in _ENCODINGS],
    "column_encoding": _ENCODINGS,
    "row_group_size": 5_000,
}
# A segment is closed at the end of the day that fills it.
_ROWS_PER_SEGMENT = 50_000
# More changes than these, or than a fifth of all orders, are written into the segments.
_MOST_CHANGES, _ALWAYS_CHANGES = 40_000, 2_000
# Who began to read before a sync may go on for so long.
_KEPT_SECONDS = 120.0
_ABANDONED_SECONDS = 24 * 3600.0
_OLD_STATE = b"order_assets.sync"
_MOST_ASIDE = 1000
_TIMES = ("cursor", "transactions_cursor", "whole_at", "probed_at")


class OrderIndexError(OrderAssetsError):
    """The index is missing, a row of the list cannot be placed in it, or the list cannot be the whole one."""


@dataclass(frozen=True)
class AsideRow:
    """A row of the list that could not be placed: its pk if it can be read, where it stood, and what is wrong with it.

    `page` and `place` count from 1, by the listing that found it; None where only the pk says which row it was.
    """

    pk: int | None
    problem: str
    page: int | None = None
    place: int | None = None

    def __str__(self) -> str:
        where = "" if self.page is None else f"row {self.place} of page {self.page}"
        name = f"order {self.pk}" if self.pk is not None else where
        return f"{name}: {self.problem}"


@dataclass(frozen=True)
class SyncState:
    """What the next listing goes on from. It is kept in the manifest, so that it changes together with the rows.

    The cursors are moments by the server's clock up to which all changes are in the index; None means that all orders
    have to be listed. `whole_at` is when (our clock) the last listing of all orders began. `capabilities` is what the
    probe found at `probed_at` under `contract_version`. All times are UTC.

    `aside` are rows that could not be placed, a thousand at most of `aside_count`. `moving` are columns that change
    from listing to listing by themselves, with how many listings they have stood still since; `sample` has digests of
    the columns of some orders, by pk, from which that is seen.
    """

    cursor: datetime | None = None
    transactions_cursor: datetime | None = None
    whole_at: datetime | None = None
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    probed_at: datetime | None = None
    contract_version: str = ""
    aside: tuple[AsideRow, ...] = ()
    aside_count: int = 0
    moving: Mapping[str, int] = field(default_factory=dict)
    sample: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The state as values for JSON."""
        moments = {name: getattr(self, name) for name in _TIMES}
        return {
            "capabilities": dict(self.capabilities),
            "contract_version": self.contract_version,
            "aside": [asdict(row) for row in self.aside[:_MOST_ASIDE]],
            "aside_count": self.aside_count,
            "moving": dict(self.moving),
            "sample": {pk: dict(columns) for pk, columns in self.sample.items()},
            **{name: None if moment is None else moment.isoformat() for name, moment in moments.items()},
        }

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> SyncState:
        """What `as_json` gave. Raises ValueError, TypeError or KeyError for other values."""
        kept = {name: value for name, value in values.items() if name in cls.__dataclass_fields__}
        times = {name: _moment(values[name]) for name in _TIMES}
        aside = tuple(AsideRow(**row) for row in values.get("aside", ()))
        return cls(**{**kept, **times, "aside": aside})


@dataclass(frozen=True)
class Segment:
    """A file with all orders of the days from `first` to `last`, apart from what the changes say.

    `newest` is when the last of its orders was created, UTC; None where that is not known.
    """

    file: str
    first: date
    last: date
    rows: int
    least_pk: int
    largest_pk: int
    newest: datetime | None

    @classmethod
    def of_json(cls, values: Sequence[Any]) -> Segment:
        """The segment by its values in a manifest."""
        file, first, last, rows, least_pk, largest_pk, newest = values
        days = date.fromisoformat(first), date.fromisoformat(last)
        return cls(file, *days, rows, least_pk, largest_pk, _moment(newest))


@dataclass(frozen=True)
class DayOfIndex:
    """A day of the index: its orders, how many of them are listed still, and a digest of what ledgers repeat.

    Without a digest the day's rows have to be looked at.
    """

    rows: int
    listed: int
    digest: int | None


@dataclass(frozen=True)
class Manifest:
    """What the index is: its files, its days, the newest change of an order, and the state of the sync.

    `bare` orders have no fingerprint. `listed_at` is when the last listing began that had an order. `dropped` files are
    of the manifest before, with when they were; readers may still be at them. `is_old` says that the index is one
    file, as versions before this one left it.
    """

    segments: tuple[Segment, ...] = ()
    changes: str | None = None
    days: Mapping[date, DayOfIndex] = field(default_factory=dict)
    newest_change: datetime | None = None
    bare: int = 0
    listed_at: datetime | None = None
    state: SyncState = SyncState()
    dropped: Mapping[str, float] = field(default_factory=dict)
    is_old: bool = False
    exists: bool = True

    @property
    def files(self) -> set[str]:
        """The files that count."""
        return {segment.file for segment in self.segments} | ({self.changes} if self.changes else set())

    @property
    def rows(self) -> int:
        """How many orders are known."""
        return sum(day.rows for day in self.days.values())

    @property
    def listed(self) -> int:
        """How many orders were listed last."""
        return sum(day.listed for day in self.days.values())

    @property
    def most_changes(self) -> int:
        """How many changes may stand beside the segments."""
        return min(_MOST_CHANGES, max(_ALWAYS_CHANGES, self.rows // 5))

    def as_json(self) -> str:
        """The manifest as a text."""
        values = {
            "segments": [[*asdict(segment).values()] for segment in self.segments],
            "changes": self.changes,
            "days": {day.isoformat(): [of.rows, of.listed, of.digest] for day, of in self.days.items()},
            "newest_change": self.newest_change,
            "bare": self.bare,
            "listed_at": self.listed_at,
            "dropped": dict(self.dropped),
            "state": self.state.as_json(),
        }
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=lambda value: value.isoformat())

    @classmethod
    def of_json(cls, text: str) -> Manifest:
        """What `as_json` gave. Raises ValueError, TypeError or KeyError for another text."""
        values = json.loads(text)
        return cls(
            segments=tuple(map(Segment.of_json, values["segments"])),
            changes=values["changes"],
            days={date.fromisoformat(day): DayOfIndex(*of) for day, of in values["days"].items()},
            newest_change=_moment(values["newest_change"]),
            bare=values["bare"],
            listed_at=_moment(values["listed_at"]),
            state=SyncState.of_json(values["state"]),
            dropped=values["dropped"],
        )


def manifest_file(data_root: Path) -> Path:
    """Where the manifest is."""
    return data_root / "index" / "index.json"


def old_file(data_root: Path) -> Path:
    """Where the whole index was in one file."""
    return data_root / "index" / "orders.parquet"


def index_file(data_root: Path) -> Path:
    """The file that is there when there is an index, and changes with each sync."""
    new, old = manifest_file(data_root), old_file(data_root)
    return old if old.exists() and not new.exists() else new


def read_manifest(data_root: Path) -> Manifest:
    """The manifest; an empty one where there is no index. Raises `OrderIndexError` where it cannot be read."""
    path = index_file(data_root)
    try:
        if path == old_file(data_root):
            return _manifest_of_old(path)
        return Manifest.of_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Manifest(exists=False)
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        raise unreadable(path, error) from error


class IndexFiles:
    """The index as one manifest has it; later syncs change nothing of it."""

    def __init__(self, data_root: Path, manifest: Manifest | None = None) -> None:
        self._folder = data_root / "index"
        self.manifest = read_manifest(data_root) if manifest is None else manifest
        self._starts = [segment.first for segment in self.manifest.segments[1:]]

    @cached_property
    def changes(self) -> pa.Table:
        """The rows that stand in the place of those that segments have of their orders."""
        return INDEX_SCHEMA.empty_table() if self.manifest.changes is None else self._read(self.manifest.changes)

    def slots(self) -> range:
        """The numbers of the stretches of days into which the segments divide all days, one at least."""
        return range(len(self._starts) + 1)

    def slot_of(self, day: date) -> int:
        """The stretch that a day is in."""
        return bisect_right(self._starts, day)

    def slots_of(self, days: pa.ChunkedArray) -> np.ndarray:
        """The stretches that days are in."""
        starts = np.array([(start - date(1970, 1, 1)).days for start in self._starts], np.int32)
        return np.searchsorted(starts, _numbers(days.cast(pa.int32())), side="right")

    def slot(self, number: int, names: Sequence[str] = tuple(INDEX_SCHEMA.names)) -> pa.Table:
        """Columns of all orders of a stretch of days, in no order."""
        columns = list(dict.fromkeys((*names, "pk")))
        rows = INDEX_SCHEMA.empty_table().select(columns)
        if self.manifest.segments:
            rows = self._read(self.manifest.segments[number].file, columns)
        if len(self.changes):
            rows = rows.filter(pc.invert(pc.is_in(rows["pk"], value_set=self.changes["pk"].combine_chunks())))
            here = pa.array(self.slots_of(self.changes["partition"]) == number)
            rows = pa.concat_tables([rows, self.changes.filter(here).select(columns)])
        return rows.select(list(names))

    def of_days(
        self, names: Sequence[str], first: date, last: date, only: Collection[date] | None = None
    ) -> Iterator[pa.Table]:
        """Columns of the orders of days, table by table, each with whole days; the tables are in the order of days.

        With `only` other days are left out.
        """
        wanted = [day for day in (self.manifest.days if only is None else only) if first <= day <= last]
        columns = list(dict.fromkeys((*names, "partition")))
        for number in sorted({self.slot_of(day) for day in wanted}):
            rows = self.slot(number, columns)
            within = pc.and_(pc.greater_equal(rows["partition"], first), pc.less_equal(rows["partition"], last))
            if only is not None:
                within = pc.and_(within, pc.is_in(rows["partition"], value_set=pa.array(sorted(only), pa.date32())))
            yield rows.filter(within).select(list(names))

    def of_orders(self, pks: pa.Array, days: Mapping[int, date] | None = None) -> pa.Table:
        """The rows of orders, of those that are known. `days` says where to look first."""
        found = [self.changes.filter(pc.is_in(self.changes["pk"], value_set=pks))]
        left = np.setdiff1d(_numbers(pks), _numbers(found[0]["pk"]))
        if days and len(left) and self._starts:
            by_slot: dict[int, list[int]] = {}
            for pk in left.tolist():
                if pk in days:
                    by_slot.setdefault(self.slot_of(days[pk]), []).append(pk)
            for number, some in by_slot.items():
                found.append(self._search(self.manifest.segments[number], np.array(some, np.int64)))
                left = np.setdiff1d(left, _numbers(found[-1]["pk"]))
        for segment in self.manifest.segments:
            if len(left):
                found.append(self._search(segment, left))
                left = np.setdiff1d(left, _numbers(found[-1]["pk"]))
        return pa.concat_tables(found)

    def created_since(self, moment: datetime) -> pa.Table:
        """`pk` of the listed orders that were created at a time or later."""
        names = ("pk", "created_date", "date_placed", "gone_since")
        some = {self.slot_of(day) for day in pc.unique(self.changes["partition"]).to_pylist()}
        for number, segment in enumerate(self.manifest.segments):
            if segment.newest is None or segment.newest >= moment:
                some.add(number)
        found = [INDEX_SCHEMA.empty_table().select(["pk"])]
        for number in sorted(some):
            rows = self.slot(number, names)
            created = pc.coalesce(rows["created_date"], rows["date_placed"])
            late = pc.greater_equal(created, pa.scalar(moment, _TIME))
            found.append(rows.filter(pc.and_(late, is_listed(rows))).select(["pk"]))
        return pa.concat_tables(found)

    def segments_around(self, least_pk: int, largest_pk: int) -> list[Segment]:
        """The segments that may have orders with keys from the least to the largest."""
        return [s for s in self.manifest.segments if s.least_pk <= largest_pk and s.largest_pk >= least_pk]

    def unchanged_segment(self, number: int, rows: pa.Table, earlier: pa.Table) -> Segment | None:
        """The segment of a stretch of days, if it has exactly these rows in place of the `earlier` ones."""
        if not self.manifest.segments or self.manifest.is_old:
            return None
        segment = self.manifest.segments[number]
        here = self.slots_of(self.changes["partition"]) == number
        overlaid = pc.is_in(self.changes["pk"], value_set=earlier["pk"].combine_chunks())
        as_it_is = segment.rows == len(earlier) == len(rows) and not here.any() and not pc.any(overlaid).as_py()
        return segment if as_it_is and not pc.any(differing(rows, earlier)).as_py() else None

    def read_segment(self, segment: Segment) -> pa.Table:
        """All rows of a segment, without the changes."""
        return self._read(segment.file)

    def _search(self, segment: Segment, pks: np.ndarray) -> pa.Table:
        pks = pks[(pks >= segment.least_pk) & (pks <= segment.largest_pk)]
        found = [INDEX_SCHEMA.empty_table()]
        if not len(pks):
            return found[0]
        path = self._folder / segment.file
        with reading(path), pq.ParquetFile(path) as file:
            for number in range(file.num_row_groups):
                statistics = file.metadata.row_group(number).column(0).statistics
                if statistics is not None and statistics.has_min_max:
                    some = pks[(pks >= statistics.min) & (pks <= statistics.max)]
                else:
                    some = pks
                if not len(some):
                    continue
                keys = file.read_row_group(number, columns=["pk"], use_threads=False)["pk"]
                here = pc.is_in(keys, value_set=pa.array(some))
                if pc.any(here).as_py():
                    rows = conformed(file.read_row_group(number, use_threads=False), INDEX_SCHEMA)
                    found.append(rows.filter(here))
        return pa.concat_tables(found)

    def _read(self, name: str, columns: Sequence[str] = tuple(INDEX_SCHEMA.names)) -> pa.Table:
        path = self._folder / name
        with reading(path), pq.ParquetFile(path) as file:
            there = [column for column in columns if column in file.schema_arrow.names]
            rows = file.read(columns=there, use_threads=False)
            if self.manifest.is_old and "gone_since" in columns:
                seen = file.read(columns=["last_seen"], use_threads=False)["last_seen"]
                rows = rows.append_column("gone_since", _gone_since(seen, self.manifest.state.whole_at))
        return conformed(rows, pa.schema([INDEX_SCHEMA.field(column) for column in columns]))


def is_listed(rows: pa.Table) -> pa.ChunkedArray:
    """For each row, whether the order was in the last listing of all orders or came later."""
    return pc.is_null(rows["gone_since"])


def differing(rows: pa.Table, earlier: pa.Table) -> pa.ChunkedArray:
    """For each row, whether it is not among the earlier rows as it is."""
    if not len(earlier):
        return pa.chunked_array([pa.repeat(True, len(rows))])
    places = pc.index_in(rows["pk"], value_set=earlier["pk"].combine_chunks())
    before, differs = earlier.take(pc.fill_null(places, 0)), pc.is_null(places)
    for name in rows.column_names:
        now, was = rows[name], before[name]
        other = pc.coalesce(pc.not_equal(now, was), pc.not_equal(pc.is_null(now), pc.is_null(was)))
        differs = pc.or_(differs, other)
    return differs


def write_segments(data_root: Path, rows: pa.Table) -> list[Segment]:
    """Write the rows of whole days, sorted by day and pk, into as many segments as they fill."""
    written: list[Segment] = []
    begin = at = 0
    for count in pc.value_counts(rows["partition"]).field("counts").to_pylist():
        at += count
        if at - begin >= _ROWS_PER_SEGMENT:
            written.append(_write_segment(data_root, rows.slice(begin, at - begin)))
            begin = at
    if at > begin:
        written.append(_write_segment(data_root, rows.slice(begin)))
    return written


def write_changes(data_root: Path, rows: pa.Table) -> str:
    """Write changes; gives the name of the file."""
    name = f"changes-{uuid.uuid4().hex[:12]}.parquet"
    with whole_file(data_root / "index" / name) as temporary:
        pq.write_table(rows, temporary, **_FORMAT)
    return name


def publish(data_root: Path, manifest: Manifest, before: Manifest) -> bool:
    """Let a manifest count, unless another one took the place of the one `before`; says whether it does.

    Files that no manifest names any more go, once nobody can be reading them.
    """
    now = time.time()
    dropped = {**before.dropped, **dict.fromkeys(before.files, now)}
    kept = {n: at for n, at in dropped.items() if n not in manifest.files and now - at < _KEPT_SECONDS}
    with _alone(data_root):
        current = read_manifest(data_root)
        if current.files != before.files or current.state != before.state:
            return False
        with whole_file(manifest_file(data_root)) as temporary:
            temporary.write_text(replace(manifest, dropped=kept).as_json(), encoding="utf-8")
        _remove(data_root, dropped.keys() - kept.keys() - manifest.files, manifest.files | kept.keys())
    return True


def discard(data_root: Path, names: Collection[str]) -> None:
    """Remove files that no manifest will name."""
    for name in names:
        (data_root / "index" / name).unlink(missing_ok=True)


def unreadable(path: Path, error: Exception) -> OrderIndexError:
    """The error for a file of the index."""
    # Without its manifest the index is made anew, and what stands beside it stays: the key of the rows, and moves.
    head = path if path.suffix == ".json" or path.name == "orders.parquet" else path.with_name("index.json")
    what = "it" if head == path else head
    return OrderIndexError(
        f"the index {path} cannot be read ({type(error).__name__}): move {what} away and materialise order_index again"
    )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what a broken file of the index makes fail into an `OrderIndexError` that names it."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, error) from error


# A number for what is not there.
_NOTHING = -(2**63)
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F)


def digests(
    pk: pa.ChunkedArray,
    modified: pa.ChunkedArray,
    children: pa.ChunkedArray,
    fingerprint: pa.ChunkedArray,
    row_changed: pa.ChunkedArray,
    listed: pa.ChunkedArray,
) -> np.ndarray:
    """A number of 64 bits for each order, of what its day's ledger repeats of the index; their sum is the day's."""
    mixed = _numbers(listed.cast(pa.int8())).astype(np.uint64)
    for multiplier, column in zip(_MULTIPLIERS, (pk, modified, children, fingerprint, row_changed), strict=True):
        mixed ^= _numbers(column).view(np.uint64)
        mixed *= np.uint64(multiplier)
        mixed ^= mixed >> np.uint64(29)
    return mixed


def day_digest(of_orders: np.ndarray) -> int:
    """The digest of a day, by those of its orders."""
    return int(of_orders.sum(dtype=np.uint64).view(np.int64))


def days_of(rows: pa.Table) -> dict[date, DayOfIndex]:
    """What a manifest says of the days of these rows."""
    if not len(rows):
        return {}
    listed = is_listed(rows)
    modified, children = rows["modified_date"], rows["children_modified_date"]
    of_row = digests(rows["pk"], modified, children, rows["fingerprint"], rows["row_changed_at"], listed)
    days, places = np.unique(_numbers(rows["partition"].cast(pa.int32())), return_inverse=True)
    totals = np.zeros(len(days), np.uint64)
    np.add.at(totals, places, of_row)
    counts = np.bincount(places, minlength=len(days))
    there = np.bincount(places, weights=_numbers(listed.cast(pa.int8())), minlength=len(days))
    named = pa.array(days, pa.int32()).cast(pa.date32()).to_pylist()
    values = zip(named, counts.tolist(), there.tolist(), totals.view(np.int64).tolist(), strict=True)
    return {day: DayOfIndex(rows, int(listed), digest) for day, rows, listed, digest in values}


def combined(
    days: Mapping[date, DayOfIndex], gone: Mapping[date, DayOfIndex], come: Mapping[date, DayOfIndex]
) -> dict[date, DayOfIndex]:
    """The days with the rows of some orders in the place of others; days without orders are not in it."""
    found = dict(days)
    for sign, some in ((-1, gone), (1, come)):
        for day, of in some.items():
            was = found.get(day, DayOfIndex(0, 0, 0))
            digest = None if was.digest is None or of.digest is None else _signed(was.digest + sign * of.digest)
            found[day] = DayOfIndex(was.rows + sign * of.rows, was.listed + sign * of.listed, digest)
    return {day: found[day] for day in sorted(found) if found[day].rows}


def _signed(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63


def _numbers(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """A column of 64 bits or fewer as numbers."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    if column.null_count:
        column = column.fill_null(_NOTHING)
    numbers: np.ndarray = column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy()
    return numbers


def _gone_since(seen: pa.ChunkedArray, whole_at: datetime | None) -> pa.Array:
    """Since when orders are gone, by when they were seen last and the last listing of all orders."""
    if whole_at is None:
        return pa.nulls(len(seen), _TIME)
    since = pa.scalar(whole_at, _TIME)
    return pc.if_else(pc.less(seen.combine_chunks(), since), since, pa.scalar(None, _TIME))


def _write_segment(data_root: Path, rows: pa.Table) -> Segment:
    first, last = rows["partition"][0].as_py(), rows["partition"][-1].as_py()
    name = f"days-{first.isoformat()}-{uuid.uuid4().hex[:12]}.parquet"
    with whole_file(data_root / "index" / name) as temporary:
        pq.write_table(rows, temporary, **_FORMAT)
    keys = pc.min_max(rows["pk"]).as_py()
    newest = pc.max(pc.coalesce(rows["created_date"], rows["date_placed"])).as_py()
    return Segment(name, first, last, len(rows), keys["min"], keys["max"], newest)


def _manifest_of_old(path: Path) -> Manifest:
    """The manifest of an index in one file."""
    metadata = pq.read_metadata(path)
    kept = (metadata.metadata or {}).get(_OLD_STATE)
    state = SyncState() if kept is None else SyncState.of_json(json.loads(kept))
    seen = pq.ParquetFile(path).read(columns=["last_seen"])["last_seen"]
    listed_at = pc.max(seen).as_py()
    if kept is None:
        # An index of before the state was kept: every listing was a whole one.
        state = replace(state, whole_at=listed_at)
    names = ("pk", "partition", "gone_since", "modified_date", "fingerprint")
    rows = IndexFiles(path.parent.parent, Manifest(state=state, is_old=True))._read(path.name, names)
    segments: tuple[Segment, ...] = ()
    if len(rows):
        keys, days = pc.min_max(rows["pk"]).as_py(), pc.min_max(rows["partition"]).as_py()
        bounds = days["min"], days["max"], len(rows), keys["min"], keys["max"]
        segments = (Segment(path.name, *bounds, None),)
    listed = rows.filter(is_listed(rows))["partition"]
    there = {entry["values"]: entry["counts"] for entry in pc.value_counts(listed.combine_chunks()).to_pylist()}
    counted = pc.value_counts(rows["partition"].combine_chunks()).to_pylist()
    days_there = {e["values"]: DayOfIndex(e["counts"], there.get(e["values"], 0), None) for e in counted}
    return Manifest(
        segments=segments,
        days=dict(sorted(days_there.items())),
        newest_change=pc.max(rows["modified_date"]).as_py(),
        bare=rows["fingerprint"].null_count,
        listed_at=listed_at,
        state=state,
        is_old=True,
    )


@contextmanager
def _alone(data_root: Path) -> Iterator[None]:
    """Let no other writer of this machine swap the manifest meanwhile; waits for its turn."""
    folder = private_directory(data_root / "index")
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove(data_root: Path, names: Collection[str], kept: Collection[str]) -> None:
    """Remove files by name, and those that killed processes left."""
    discard(data_root, names)
    for pattern in ("days-*.parquet", "changes-*.parquet"):
        for left in (data_root / "index").glob(pattern):
            with suppress(FileNotFoundError):
                if left.name not in kept and time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                    left.unlink()


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
