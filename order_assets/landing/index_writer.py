"""Writing the index from the rows of a listing: all orders, or those that changed.

Belongs here: merging rows into what is known, and what differs from it. Not here: what a row says (`list_row`), reading
the index (`index`) and asking the API. Nothing is on disk before `write`; then rows and sync state change at once.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from order_assets.landing.index_files import (
    INDEX_SCHEMA,
    AsideRow,
    DayOfIndex,
    IndexFiles,
    OrderIndexError,
    SyncState,
    combined,
    days_of,
    differing,
    discard,
    is_listed,
    publish,
    write_changes,
    write_segments,
)
from order_assets.landing.list_row import (
    MONEY,
    MONEY_TYPE,
    Fingerprint,
    UnplacedRowError,
    entry_of,
    moving_columns,
    same_basis,
)
from order_assets.landing.moves import moved_rows, note_moves
from order_assets.landing.shop_identity import Instance
from order_assets.redaction.privacy import own_key

# Rows are turned into columns this many at a time: as Python objects a long list would not fit into memory.
_BATCH = 5000
# Rows that came in the same way before are looked for in so many segments at a time.
_SEGMENTS_HELD = 4
# A list that has lost more than half of at least so many orders is taken for a broken one.
_FEW = 100
# So many orders are compared column by column from one whole listing to the next.
_SAMPLE = 32
# A multiplication that spreads keys evenly over all places.
_SPREAD, _PLACES = 0x9E3779B97F4A7C15, 2**64
# A column that moved by itself counts again once it stood still for so many whole listings.
_STILL = 3
# Where a row cannot be compared as a whole, what is known of it in any case.
_KNOWN = ("status", "currency", "channel", *MONEY)
_NEVER = pa.scalar(datetime(1, 1, 1, tzinfo=UTC), INDEX_SCHEMA.field("modified_date").type)


@dataclass(frozen=True)
class IndexReport:
    """What a listing gave.

    `orders` are listed now, on `days` by partition, `before_first_day` of them before the first day. Of the rows read
    some were `new`, some `changed` since the last listing. `vanished` orders are known but gone from the list.
    `children_changed` orders have a change below them that their own `modified_date` does not show, `row_changed` ones
    a row that is not as it was, though its `modified_date` is. The rows `aside` could not be placed; `odd_columns` are
    columns by name that could not be taken as they are, with the number of rows. `moving` are columns that change from
    listing to listing by themselves and are not compared. `after_today` orders are of days to come. `migrated` says
    that the index was one file, as earlier versions kept it, and is kept by day from now on.
    """

    orders: int
    rows_read: int
    before_first_day: int
    new: int
    changed: int
    children_changed: int
    row_changed: int
    vanished: int
    days: Mapping[date, int]
    newest_change: datetime | None
    aside: tuple[AsideRow, ...] = ()
    aside_count: int = 0
    odd_columns: Mapping[str, int] = field(default_factory=dict)
    moving: tuple[str, ...] = ()
    after_today: int = 0
    migrated: bool = False


def write_index(
    data_root: Path, instance: Instance, rows: Iterable[Mapping[str, Any]], seen_at: datetime
) -> IndexReport:
    """Write the index from the rows of a listing of all orders that began at `seen_at`.

    Rows that cannot be placed are set aside. Raises `OrderIndexError` for a list that cannot be the whole one.
    """
    draft = IndexDraft(data_root, instance, seen_at)
    for row in rows:
        draft.take(row)
    draft.require_plausible(draft.found())
    draft.require_placed()
    return draft.write(replace(draft.state, whole_at=seen_at))


class IndexDraft:
    """The next index while a listing is read."""

    def __init__(
        self,
        data_root: Path,
        instance: Instance,
        seen_at: datetime,
        *,
        row_key: Callable[[], str] | None = None,
        left_out: Collection[str] = (),
    ) -> None:
        self._root, self._instance, self.seen_at = data_root, instance, seen_at
        self._files = IndexFiles(data_root)
        self.state = self._files.manifest.state
        self._row_key, self._left_out = row_key, {*left_out, *self.state.moving}
        self._fingerprint: Fingerprint | None = None
        self._held: dict[str, _Held] = {}
        self._looked_up: tuple[IndexFiles, pa.Array, pa.Table] | None = None
        self._waiting: list[Mapping[str, Any]] = []
        self._batches: list[pa.Table] = []
        self._children: dict[int, datetime] = {}
        self._marked: set[int] = set()
        self._aside: dict[object, AsideRow] = {}
        self._odd_columns: dict[int, tuple[str, ...]] = {}
        self._sample: dict[int, dict[str, str]] = {}
        self._sampled: list[tuple[int, int]] = []
        self.rows_read = 0

    def take(self, row: Mapping[str, Any]) -> None:
        """Take a row of the list; of two of one order the newer counts, and of equal ones the later.

        A row that cannot be placed is set aside, whatever is wrong with it.
        """
        self.rows_read += 1
        self._waiting.append(row)
        if len(self._waiting) >= _BATCH:
            self._flush()

    def set_aside(self, row: AsideRow) -> None:
        """Note a row that could not be placed."""
        self._flush()
        self._note_aside(row)

    def restart(self) -> None:
        """Forget what was set aside: the list is read again from the beginning."""
        self._flush()
        self._aside.clear()

    def children_changed(self, moments: Mapping[int, datetime]) -> None:
        """Note for orders, by pk, when something below them changed."""
        self._children.update(moments)

    def mark(self, pks: Iterable[int]) -> None:
        """Note orders whose landed version is not what the list says."""
        self._marked.update(pks)

    def found(self) -> int:
        """How many orders the rows taken so far are of, those set aside included."""
        return len(self._newest()) + len(self._aside)

    def mark_unlike(self, landed: Callable[[], pa.Table]) -> None:
        """Note orders whose landed amounts are not those of the list, of those that cannot be compared with a row.

        That is so in a data root of before there were fingerprints, and where the index was lost. `landed` gives `pk`
        and amounts; it is asked only then.
        """
        newest, manifest = self._newest(), self._files.manifest
        if manifest.rows and manifest.bare:
            slots = (self._files.slot(number, ("pk", "fingerprint")) for number in self._files.slots())
            bare = pa.concat_tables(rows.filter(pc.is_null(rows["fingerprint"])) for rows in slots)["pk"]
            newest = newest.filter(pc.is_in(newest["pk"], value_set=bare.combine_chunks()))
        elif manifest.rows:
            return
        if len(newest):
            self.mark(_unlike(newest, landed()))

    def require_placed(self) -> None:
        """Make sure that not every row had to be set aside. Raises `OrderIndexError`."""
        self._flush()
        if self._aside and not len(self._newest()):
            first = next(iter(self._aside.values()))
            raise OrderIndexError(
                f"none of the {len(self._aside)} rows of the order list can be placed, for example {first}. The index "
                "stays as it was. Compare the list with what the API documents; its rows need pk and date_placed"
            )

    def known(self) -> int:
        """How many orders were listed before."""
        return self._files.manifest.listed

    def require_plausible(self, orders: int) -> None:
        """Make sure that the list, said to have so many orders, has not lost most of the known ones.

        Raises `OrderIndexError`.
        """
        known = self.known()
        if (orders == 0 and known) or (known >= _FEW and orders < known / 2):
            raise OrderIndexError(
                f"the order list has {orders} orders, though {known} are known: that looks like a broken answer, or an "
                "account that may not see them all. The index stays as it was. If the orders are really gone, "
                "materialise order_index with accept_shorter_list: true"
            )

    def agrees_with(self, count: int, at: datetime, margin: timedelta) -> bool:
        """Whether the list, said to have `count` orders at a moment, is of the orders known with the rows taken.

        Orders created within `margin` of the moment may be in the count or not.
        """
        earlier = self._earlier()
        merged = self._merged(earlier, self._newest())
        high = self.known() + _count(is_listed(merged)) - _count(is_listed(earlier))
        recent = self._files.created_since(at - margin)["pk"]
        others = pc.invert(pc.is_in(recent, value_set=merged["pk"].combine_chunks()))
        created = pc.coalesce(merged["created_date"], merged["date_placed"])
        late = pc.and_(is_listed(merged), pc.greater_equal(created, pa.scalar(at - margin, created.type)))
        low = high - _count(others) - _count(late)
        unknown = self._unknown(merged)
        return low + unknown <= count <= high + unknown

    def vanished_before(self) -> int:
        """How many of the orders known before were gone from the list then."""
        return self._files.manifest.rows - self.known()

    def write(self, state: SyncState, *, keep: Callable[[IndexReport], bool] = lambda _report: True) -> IndexReport:
        """Write the index and the state. A state whose `whole_at` is this listing says that it was a whole one.

        Nothing is written where `keep`, given the report, says so.
        """
        while True:
            report = self._written(state, keep)
            if report is not None:
                return report
            # Another sync was quicker: what was found is laid over what that one wrote.
            self._files = IndexFiles(self._root)

    def _written(self, state: SyncState, keep: Callable[[IndexReport], bool]) -> IndexReport | None:
        """The report, after writing; None where the index is another one meanwhile."""
        newest, whole, before = self._newest(), state.whole_at == self.seen_at, self._files.manifest
        if not whole and before.state.whole_at is not None:
            state = replace(state, whole_at=max(before.state.whole_at, state.whole_at or before.state.whole_at))
        aside = self._aside_rows(whole=whole)
        hidden = 0 if whole else max(0, self.state.aside_count - len(self.state.aside))
        state = replace(state, aside=aside, aside_count=len(aside) + hidden)
        if whole:
            moving = self._moving()
            if moving.keys() - self.state.moving.keys():
                # On all orders at once that is no change of the orders; the next listing compares without them.
                for name in ("fingerprint", "row_digest"):
                    newest = _with(newest, name, pa.nulls(len(newest), pa.int64()))
                self._batches = [newest]
            state = replace(state, moving=moving, sample={str(pk): found for pk, found in self._sample.items()})
        next_index = _NextIndex(self._root, self._files, state, self.seen_at, rows_read=self.rows_read)
        if before.is_old or not before.rows or not self._as_changes(next_index, newest, whole=whole):
            next_index.begin_segments()
            for number, earlier, merged, here in self._slots(newest, whole=whole):
                next_index.take_slot(number, earlier, merged, here)
        report = self._report(next_index, state)
        if not keep(report):
            next_index.discard()
            return report
        return report if next_index.publish() else None

    def _as_changes(self, next_index: _NextIndex, newest: pa.Table, *, whole: bool) -> bool:
        """Lay what differs over the segments; says whether it is little enough for that."""
        most = next_index.most_changes - len(self._files.changes)
        if not whole and len(newest) + len(self._touched()) <= most:
            next_index.take_changes(earlier := self._earlier(), self._merged(earlier, newest), newest)
            return True
        found: list[tuple[pa.Table, ...]] = []
        for _, earlier, merged, here in self._slots(newest, whole=whole):
            other = merged.filter(differing(merged, earlier))
            most -= len(other)
            if most < 0:
                return False
            found.append(tuple(_only(rows, other["pk"]) for rows in (earlier, merged, here)))
        next_index.take_changes(*(pa.concat_tables(tables) for tables in zip(*found, strict=True)))
        return True

    def _slots(self, newest: pa.Table, *, whole: bool) -> Iterator[tuple[int, pa.Table, pa.Table, pa.Table]]:
        """For each stretch of days: what was known, what is known now, and the rows of the listing."""
        files = self._files
        moved = _moved_between_slots(files, newest) if len(newest) and files.manifest.rows else newest.slice(0, 0)
        homes = files.slots_of(newest["partition"])
        gone = moved["pk"].combine_chunks()
        for number in files.slots():
            here = newest.filter(pa.array(homes == number))
            earlier = files.slot(number)
            if len(moved):
                come = pc.is_in(moved["pk"], value_set=here["pk"].combine_chunks())
                left = pc.invert(pc.is_in(earlier["pk"], value_set=gone))
                earlier = pa.concat_tables([earlier.filter(left), moved.filter(come)])
            yield number, earlier, self._merged(earlier, here, whole=whole), here

    def _report(self, next_index: _NextIndex, state: SyncState) -> IndexReport:
        days = {day: of.listed for day, of in next_index.days.items() if of.listed}
        rows = sum(of.rows for of in next_index.days.values())
        today = self._instance.today()
        return IndexReport(
            orders=sum(days.values()),
            rows_read=self.rows_read,
            before_first_day=sum(count for day, count in days.items() if day < self._instance.first_day),
            new=next_index.new,
            changed=next_index.changed,
            children_changed=next_index.children_changed,
            row_changed=next_index.row_changed,
            vanished=rows - sum(days.values()),
            days=days,
            newest_change=next_index.newest_change,
            aside=state.aside,
            aside_count=state.aside_count,
            odd_columns=Counter(name for names in self._odd_columns.values() for name in names),
            moving=tuple(sorted(state.moving)),
            after_today=sum(count for day, count in days.items() if day > today),
            migrated=self._files.manifest.is_old,
        )

    def _key(self) -> str:
        """The key of the fingerprints: the one given, else one that the data root keeps."""
        given = self._row_key() if self._row_key is not None else ""
        return given or own_key(self._root / "index" / ".row-key")

    def _note_aside(self, row: AsideRow) -> None:
        self._aside[row if row.pk is None else row.pk] = row

    def _into_sample(self, row: Mapping[str, Any], fingerprint: Fingerprint) -> None:
        """Keep digests of the columns of a few orders, the same ones in every listing."""
        pk = row["pk"]
        place = (pk * _SPREAD % _PLACES, pk)
        if pk not in self._sample:
            if len(self._sampled) >= _SAMPLE:
                if place > self._sampled[-1]:
                    return
                del self._sample[self._sampled.pop()[1]]
            insort(self._sampled, place)
        self._sample[pk] = fingerprint.of_columns(row)

    def _moving(self) -> dict[str, int]:
        """The columns that change by themselves, with the number of whole listings that they stood still since."""
        found = moving_columns(self.state.sample, {str(pk): columns for pk, columns in self._sample.items()})
        still = {name: 0 if found.get(name) else count + (name in found) for name, count in self.state.moving.items()}
        moving = {name: count for name, count in still.items() if count < _STILL}
        return moving | {name: 0 for name, moves in found.items() if moves and name != "modified_date"}

    def _aside_rows(self, *, whole: bool) -> tuple[AsideRow, ...]:
        """The rows that could not be placed, by this listing and, where it was of a part, by those before."""
        self._flush()
        if whole or not self.state.aside:
            return tuple(self._aside.values())
        placed = set(self._newest()["pk"].to_pylist())
        rows: dict[object, AsideRow] = {}
        for row in (*(row for row in self.state.aside if row.pk not in placed), *self._aside.values()):
            rows[row if row.pk is None else row.pk] = row
        return tuple(rows.values())

    def _unknown(self, merged: pa.Table) -> int:
        """How many of the rows set aside are of no order of the index."""
        rows = self._aside_rows(whole=False)
        if not rows:
            return 0
        pks = pa.array(sorted({row.pk for row in rows if row.pk is not None}), pa.int64())
        known = {*merged["pk"].to_pylist(), *self._files.of_orders(pks)["pk"].to_pylist()}
        hidden = max(0, self.state.aside_count - len(self.state.aside))
        return sum(row.pk is None or row.pk not in known for row in rows) + hidden

    def _flush(self) -> None:
        """Judge the rows that wait, and keep them as columns."""
        rows, self._waiting = self._waiting, []
        if not rows:
            return
        if self._fingerprint is None:
            self._fingerprint = Fingerprint(self._key(), self._left_out)
        digests = [self._fingerprint.of_bytes(row) for row in rows]
        same, kept = self._unchanged(rows, digests)
        entries = [self._entry(row, digests[place], is_same=place in same) for place, row in enumerate(rows)]
        self._batches += [kept, *self._as_columns([entry for entry in entries if entry is not None])]

    def _entry(self, row: Mapping[str, Any], digest: int | None, *, is_same: bool) -> dict[str, Any] | None:
        """The columns of a row; None for one that is known as it is, and for one that is set aside."""
        assert self._fingerprint is not None  # noqa: S101 - made before the first row is judged
        pk = row["pk"]
        try:
            entry = None if is_same else entry_of(row, self._instance, self._fingerprint)
            if entry is None or "fingerprint" not in entry.odd:
                self._into_sample(row, self._fingerprint)
        except UnplacedRowError as error:
            self._note_aside(AsideRow(pk, str(error)))
            return None
        except Exception as error:  # noqa: BLE001 - what nobody foresaw in a row is that row's alone
            self._note_aside(AsideRow(pk, f"it cannot be read ({type(error).__name__})"))
            return None
        self._aside.pop(pk, None)
        self._odd_columns.pop(pk, None)
        if entry is None:
            return None
        if entry.odd:
            # What is odd is told at each listing.
            self._odd_columns[pk] = entry.odd
            digest = None
        return {**entry.values, "row_digest": digest}

    def _unchanged(self, rows: list[Mapping[str, Any]], digests: list[int | None]) -> tuple[set[int], pa.Table]:
        """The places of rows that came in the same way before, and what is known of them."""
        same: set[int] = set()
        pks = np.array([row["pk"] for row in rows], np.int64)
        segments = self._files.segments_around(int(pks.min()), int(pks.max()))
        if len(rows) < _FEW or not segments or len(segments) > _SEGMENTS_HELD:
            return same, INDEX_SCHEMA.empty_table()
        try:
            self._held = {s.file: self._held.get(s.file) or _Held(self._files.read_segment(s)) for s in segments}
            held = [_Held(self._files.changes), *self._held.values()]
        except OrderIndexError:
            # Another sync wrote it anew, and all else has to be judged.
            return same, INDEX_SCHEMA.empty_table()
        _, place_of, times = np.unique(pks, return_inverse=True, return_counts=True)
        left = (times[place_of] == 1) & np.array([digest is not None for digest in digests])
        wanted = np.array([digest or 0 for digest in digests], np.int64)
        found: list[pa.Table] = []
        for some in held:
            there, at = some.find(pks)
            equal = np.flatnonzero(left & there & (some.digest_at(at) == wanted))
            left &= ~there
            if len(equal):
                found.append(some.rows.take(pa.array(some.places[at[equal]])))
                same.update(equal.tolist())
        kept = pa.concat_tables([INDEX_SCHEMA.empty_table(), *found])
        return same, _with(kept, "gone_since", pa.nulls(len(kept), INDEX_SCHEMA.field("gone_since").type))

    def _as_columns(self, entries: list[dict[str, Any]]) -> list[pa.Table]:
        try:
            return [pa.Table.from_pylist(entries, INDEX_SCHEMA)]
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            # One of them does not fit; all others do.
            kept = []
            for entry in entries:
                try:
                    kept.append(pa.Table.from_pylist([entry], INDEX_SCHEMA))
                except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
                    self._note_aside(AsideRow(entry["pk"], f"it cannot be kept ({type(error).__name__})"))
            return kept

    def _newest(self) -> pa.Table:
        """The rows taken, one of each order."""
        self._flush()
        if len(self._batches) != 1:
            rows = pa.concat_tables(self._batches) if self._batches else INDEX_SCHEMA.empty_table()
            self._batches = [_last_of_each(rows)]
        return self._batches[0]

    def _touched(self) -> set[int]:
        """The orders that something is noted for beside the rows taken."""
        aside = {row.pk for row in self._aside.values() if row.pk is not None}
        return aside | self._children.keys() | self._marked

    def _earlier(self) -> pa.Table:
        """What is known of the orders that something was found of."""
        newest = self._newest()
        pks = pa.array(sorted({*newest["pk"].to_pylist(), *self._touched()}), pa.int64())
        key = (self._files, pks)
        if self._looked_up is None or self._looked_up[0] is not self._files or not self._looked_up[1].equals(pks):
            days = dict(zip(newest["pk"].to_pylist(), newest["partition"].to_pylist(), strict=True))
            self._looked_up = (*key, self._files.of_orders(pks, days))
        return self._looked_up[2]

    def _merged(self, earlier: pa.Table, newest: pa.Table, *, whole: bool = False) -> pa.Table:
        """The earlier rows, with those of a listing in the place of what was known of their orders.

        Orders that a `whole` listing did not have are gone from then on.
        """
        places = pc.index_in(newest["pk"], value_set=earlier["pk"].combine_chunks())
        if len(earlier):
            newest = _with_memory(newest, earlier, places, self.seen_at)
        gone_since = earlier["gone_since"]
        if whole:
            gone_since = pc.coalesce(gone_since, pa.scalar(self.seen_at, gone_since.type))
        if self._aside:
            # The shop still has them, whatever their rows are like.
            pks = pa.array([row.pk for row in self._aside.values() if row.pk is not None], pa.int64())
            still = pc.is_in(earlier["pk"], value_set=pks)
            gone_since = pc.if_else(still, pa.scalar(None, gone_since.type), gone_since)
        earlier = _with(earlier, "gone_since", gone_since)
        gone = pc.invert(pc.is_in(earlier["pk"], value_set=newest["pk"].combine_chunks()))
        merged = pa.concat_tables([newest, earlier.filter(gone)])
        merged = merged.sort_by([("partition", "ascending"), ("pk", "ascending")])
        if self._marked:
            marked = pc.is_in(merged["pk"], value_set=pa.array(sorted(self._marked), pa.int64()))
            moment = pa.scalar(self.seen_at, INDEX_SCHEMA.field("row_changed_at").type)
            merged = _with(merged, "row_changed_at", pc.if_else(marked, moment, merged["row_changed_at"]))
        if self._children:
            name = "children_modified_date"
            of_order = pc.index_in(merged["pk"], value_set=pa.array(list(self._children), pa.int64()))
            moments = pa.array(list(self._children.values()), INDEX_SCHEMA.field(name).type).take(of_order)
            merged = _with(merged, name, pc.coalesce(moments, merged[name]))
        return merged


class _Held:
    """The rows of a file of the index, to be found by pk."""

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows
        keys = rows["pk"].to_numpy()
        self.places = np.argsort(keys, kind="stable")
        self._keys = keys[self.places]
        # Nothing is equal to what is missing: a row whose digest is 0 is judged again.
        self._digests = rows["row_digest"].fill_null(0).to_numpy()[self.places]

    def find(self, pks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For each pk whether it is here, and its number among `places`."""
        at = np.searchsorted(self._keys, pks)
        at[at == len(self._keys)] = 0
        return (self._keys[at] == pks) if len(self._keys) else np.zeros(len(pks), bool), at

    def digest_at(self, at: np.ndarray) -> np.ndarray:
        """The digests by number among `places`."""
        return self._digests[at] if len(self._digests) else np.zeros(len(at), np.int64)


class _NextIndex:
    """The index as it is going to be, before its manifest says so, with the counts for the report."""

    def __init__(self, root: Path, files: IndexFiles, state: SyncState, seen_at: datetime, *, rows_read: int) -> None:
        self._root, self._files, self._seen_at = root, files, seen_at
        self._manifest = replace(files.manifest, state=state, is_old=False, exists=True)
        if rows_read:
            self._manifest = replace(self._manifest, listed_at=seen_at)
        self._changes: pa.Table | None = None
        self._written: list[str] = []
        self._moves: list[pa.Table] = []
        self.new = self.changed = self.row_changed = self.children_changed = 0

    @property
    def most_changes(self) -> int:
        """How many changes may stand beside the segments."""
        return self._manifest.most_changes

    @property
    def days(self) -> Mapping[date, DayOfIndex]:
        """The days as they are going to be."""
        return self._manifest.days

    @property
    def newest_change(self) -> datetime | None:
        """When the last order was changed."""
        return self._manifest.newest_change

    def take_changes(self, earlier: pa.Table, merged: pa.Table, newest: pa.Table) -> None:
        """Lay rows of some orders over the segments; of other orders nothing changes."""
        self._count(earlier, merged, newest)
        before = self._manifest
        other = merged.filter(differing(merged, earlier))
        earlier = _only(earlier, other["pk"])
        self._manifest = replace(
            before,
            days=combined(before.days, days_of(earlier), days_of(other)),
            newest_change=_later(before.newest_change, other),
            bare=before.bare - earlier["fingerprint"].null_count + other["fingerprint"].null_count,
        )
        if len(other):
            kept = pc.invert(pc.is_in(self._files.changes["pk"], value_set=other["pk"].combine_chunks()))
            self._changes = pa.concat_tables([self._files.changes.filter(kept), other])

    def begin_segments(self) -> None:
        """Let all rows come, one stretch of days after the other."""
        self._manifest = replace(self._manifest, segments=(), changes=None, days={}, newest_change=None, bare=0)

    def take_slot(self, number: int, earlier: pa.Table, merged: pa.Table, newest: pa.Table) -> None:
        """Write the rows of a stretch of days into segments, unless they are in one as they are."""
        self._count(earlier, merged, newest)
        before = self._manifest
        segment = self._files.unchanged_segment(number, merged, earlier)
        segments = [segment] if segment is not None else write_segments(self._root, merged)
        if segment is None:
            self._written += [some.file for some in segments]
        self._manifest = replace(
            before,
            segments=(*before.segments, *segments),
            days={**before.days, **days_of(merged)},
            newest_change=_later(before.newest_change, merged),
            bare=before.bare + merged["fingerprint"].null_count,
        )

    def publish(self) -> bool:
        """Let all of it count; says whether it does. A move that was noted twice is one, one that was not is lost."""
        note_moves(self._root, self._moves)
        if self._changes is not None:
            self._manifest = replace(self._manifest, changes=write_changes(self._root, self._changes))
            self._written += [self._manifest.changes or ""]
        if publish(self._root, self._manifest, self._files.manifest):
            return True
        self.discard()
        return False

    def discard(self) -> None:
        """Remove what was written."""
        discard(self._root, self._written)

    def _count(self, earlier: pa.Table, merged: pa.Table, newest: pa.Table) -> None:
        new, changed = _moved(newest, earlier)
        self.new += new
        self.changed += changed
        moment = pa.scalar(self._seen_at, INDEX_SCHEMA.field("row_changed_at").type)
        self.row_changed += _count(pc.equal(merged["row_changed_at"], moment))
        known = merged.filter(pc.is_in(merged["pk"], value_set=earlier["pk"].combine_chunks()))
        before = earlier.take(pc.index_in(known["pk"], value_set=earlier["pk"].combine_chunks()))
        now, was = (rows["children_modified_date"] for rows in (known, before))
        self.children_changed += _count(pc.and_(pc.is_valid(now), pc.fill_null(pc.not_equal(now, was), True)))
        self._moves.append(moved_rows(earlier, newest))


def _moved_between_slots(files: IndexFiles, newest: pa.Table) -> pa.Table:
    """What is known of the orders that are in another stretch of days now."""
    homes = files.slots_of(newest["partition"])
    missing: list[pa.ChunkedArray] = []
    left: dict[int, pa.ChunkedArray] = {}
    for number in files.slots():
        here, earlier = newest["pk"].filter(pa.array(homes == number)), files.slot(number, ("pk",))["pk"]
        missing.append(here.filter(pc.invert(pc.is_in(here, value_set=earlier.combine_chunks()))))
        left[number] = earlier.filter(pc.invert(pc.is_in(earlier, value_set=here.combine_chunks())))
    wanted = pa.concat_arrays([chunk for some in missing for chunk in some.chunks] or [pa.array([], pa.int64())])
    days: dict[int, date] = {}
    for number, some in left.items():
        moved = some.filter(pc.is_in(some, value_set=wanted)).to_pylist()
        days |= dict.fromkeys(moved, files.manifest.segments[number].first) if files.manifest.segments else {}
    return files.of_orders(pa.array(sorted(days), pa.int64()), days)


def _only(rows: pa.Table, pks: pa.ChunkedArray) -> pa.Table:
    return rows.filter(pc.is_in(rows["pk"], value_set=pks.combine_chunks()))


def _later(moment: datetime | None, rows: pa.Table) -> datetime | None:
    return max((m for m in (moment, pc.max(rows["modified_date"]).as_py()) if m is not None), default=None)


def _count(flags: pa.Array | pa.ChunkedArray) -> int:
    return int(pc.sum(flags).as_py() or 0)


def _unlike(rows: pa.Table, landed: pa.Table) -> Iterable[int]:
    """The orders of which an amount is not the landed one; columns that differ for most say something else."""
    places = pc.index_in(rows["pk"], value_set=landed["pk"].combine_chunks())
    rows, known = rows.filter(pc.is_valid(places)), landed.take(pc.drop_null(places))
    unlike: set[int] = set()
    for name in landed.column_names[1:]:
        differs = pc.fill_null(pc.not_equal(rows[name], known[name].cast(MONEY_TYPE)), False)
        found = rows["pk"].filter(differs).to_pylist()
        if len(found) <= max(_FEW, len(rows) // 2):
            unlike.update(found)
    return unlike


def _with_memory(newest: pa.Table, earlier: pa.Table, places: pa.ChunkedArray, seen_at: datetime) -> pa.Table:
    """The rows with what is remembered of their orders, and marked where the row is not as it was.

    `places` are those of the orders among the earlier rows, null for new ones.
    """
    known = pc.is_valid(places)
    before = earlier.take(pc.fill_null(places, 0).combine_chunks())
    for name in ("children_modified_date", "row_changed_at"):
        nothing = pa.scalar(None, INDEX_SCHEMA.field(name).type)
        newest = _with(newest, name, pc.if_else(known, before[name], nothing))
    same_time = pc.fill_null(pc.equal(newest["modified_date"], before["modified_date"]), False)
    no_time = pc.and_(pc.is_null(newest["modified_date"]), pc.is_null(before["modified_date"]))
    comparable = same_basis(newest["fingerprint"], before["fingerprint"])
    other_row = pc.and_(comparable, pc.fill_null(pc.not_equal(newest["fingerprint"], before["fingerprint"]), False))
    other_values = pa.chunked_array([pa.repeat(False, len(newest))])
    for name in _KNOWN:
        # A column that was or is null is not known.
        other_values = pc.or_(other_values, pc.fill_null(pc.not_equal(newest[name], before[name]), False))
    differs = pc.or_(other_row, pc.and_(pc.invert(comparable), other_values))
    marked = pc.and_(pc.and_(known, pc.or_(same_time, no_time)), differs)
    moment = pa.scalar(seen_at, INDEX_SCHEMA.field("row_changed_at").type)
    return _with(newest, "row_changed_at", pc.if_else(marked, moment, newest["row_changed_at"]))


def _with(rows: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    position = INDEX_SCHEMA.get_field_index(name)
    return rows.set_column(position, INDEX_SCHEMA.field(name), values)


def _last_of_each(rows: pa.Table) -> pa.Table:
    """One row of each order by ascending pk: the one changed last, of equal ones the one that came last."""
    if not rows.num_rows:
        return rows
    changed = pc.fill_null(rows["modified_date"], _NEVER)
    order = pa.table({"pk": rows["pk"], "changed": changed, "place": pa.array(range(rows.num_rows), pa.int64())})
    order = order.sort_by([("pk", "ascending"), ("changed", "ascending"), ("place", "ascending")])
    pks = order["pk"].combine_chunks()
    last = pa.concat_arrays([pc.not_equal(pks.slice(0, len(pks) - 1), pks.slice(1)), pa.array([True])])
    return rows.take(order["place"].filter(last))


def _moved(rows: pa.Table, earlier: pa.Table) -> tuple[int, int]:
    """How many of the rows are of orders not known earlier, and how many of orders that changed since."""
    places = pc.index_in(rows["pk"], value_set=earlier["pk"].combine_chunks())
    known = rows.filter(pc.is_valid(places))
    now, before = known["modified_date"], earlier["modified_date"].take(pc.drop_null(places))
    same = pc.or_(pc.fill_null(pc.equal(now, before), False), pc.and_(pc.is_null(now), pc.is_null(before)))
    return len(rows) - len(known), len(known) - (pc.sum(same).as_py() or 0)
