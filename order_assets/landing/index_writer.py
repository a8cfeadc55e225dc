"""Writing the index from the rows of a listing: all orders, or those that changed.

Belongs here: merging rows into what is known, and what differs from it. Not here: what a row says (`list_row`), reading
the index (`index`) and asking the API. Nothing is on disk before `write`; then rows and sync state change at once.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from order_assets.core.store import whole_file
from order_assets.landing.index import (
    INDEX_SCHEMA,
    AsideRow,
    OrderIndexError,
    SyncState,
    index_file,
    last_whole_listing,
    read_index,
    sync_state,
    with_state,
)
from order_assets.landing.list_row import (
    MONEY,
    MONEY_TYPE,
    Fingerprint,
    RowEntry,
    UnplacedRowError,
    entry_of,
    moving_columns,
    same_basis,
)
from order_assets.landing.moves import note_moves
from order_assets.landing.shop_identity import Instance
from order_assets.redaction.privacy import own_key

# Rows are turned into columns this many at a time: as Python objects a long list would not fit into memory.
_BATCH = 5000
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
    listing to listing by themselves and are not compared. `after_today` orders are of days to come.
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
        self._root, self._instance, self._seen_at = data_root, instance, seen_at
        self.state = sync_state(data_root)
        exists = index_file(data_root).exists()
        self._earlier = read_index(data_root) if exists else INDEX_SCHEMA.empty_table()
        self._earlier_whole_at = last_whole_listing(data_root) if exists else None
        self._row_key, self._left_out = row_key, {*left_out, *self.state.moving}
        self._fingerprint: Fingerprint | None = None
        self._entries: list[dict[str, Any]] = []
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
        pk = row["pk"]
        try:
            if self._fingerprint is None:
                self._fingerprint = Fingerprint(self._key(), self._left_out)
            entry = entry_of(row, self._instance, self._seen_at, self._fingerprint)
            if "fingerprint" not in entry.odd:
                self._into_sample(row, self._fingerprint)
        except UnplacedRowError as error:
            self.set_aside(AsideRow(pk, str(error)))
            return
        except Exception as error:  # noqa: BLE001 - what nobody foresaw in a row is that row's alone
            self.set_aside(AsideRow(pk, f"it cannot be read ({type(error).__name__})"))
            return
        self._keep(entry)

    def set_aside(self, row: AsideRow) -> None:
        """Note a row that could not be placed."""
        self._aside[row if row.pk is None else row.pk] = row

    def restart(self) -> None:
        """Forget what was set aside: the list is read again from the beginning."""
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
        newest = self._newest()
        if len(self._earlier):
            bare = self._earlier["pk"].filter(pc.is_null(self._earlier["fingerprint"]))
            newest = newest.filter(pc.is_in(newest["pk"], value_set=bare.combine_chunks()))
        if len(newest):
            self.mark(_unlike(newest, landed()))

    def require_placed(self) -> None:
        """Make sure that not every row had to be set aside. Raises `OrderIndexError`."""
        if self._aside and not len(self._newest()):
            first = next(iter(self._aside.values()))
            raise OrderIndexError(
                f"none of the {len(self._aside)} rows of the order list can be placed, for example {first}. The index "
                "stays as it was. Compare the list with what the API documents; its rows need pk and date_placed"
            )

    def known(self) -> int:
        """How many orders were listed before."""
        return int(pc.sum(_listed(self._earlier, self._earlier_whole_at)).as_py() or 0)

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
        merged = self._merged()
        listed = _listed(merged, self._earlier_whole_at)
        created = pc.coalesce(merged["created_date"], merged["date_placed"])
        before = pc.less(created, pa.scalar(at - margin, created.type))
        unknown = self._unknown(merged)
        low, high = int(pc.sum(pc.and_(listed, before)).as_py() or 0), int(pc.sum(listed).as_py() or 0)
        return bool(low + unknown <= count <= high + unknown)

    def vanished_before(self) -> int:
        """How many of the orders known before were gone from the list then."""
        return int(self._earlier.num_rows) - self.known()

    def write(self, state: SyncState, *, keep: Callable[[IndexReport], bool] = lambda _report: True) -> IndexReport:
        """Write the index and the state. A state whose `whole_at` is this listing says that it was a whole one.

        Nothing is written where `keep`, given the report, says so.
        """
        newest, whole = self._newest(), state.whole_at == self._seen_at
        aside = self._aside_rows(whole=whole)
        hidden = 0 if whole else max(0, self.state.aside_count - len(self.state.aside))
        state = replace(state, aside=aside, aside_count=len(aside) + hidden)
        if whole:
            moving = self._moving()
            if moving.keys() - self.state.moving.keys():
                # On all orders at once that is no change of the orders; the next listing compares without them.
                newest = _with(newest, "fingerprint", pa.nulls(len(newest), pa.int64()))
                self._batches = [newest]
            state = replace(state, moving=moving, sample={str(pk): found for pk, found in self._sample.items()})
        merged = self._merged()
        report = self._report(merged, newest, state)
        if keep(report):
            # First: a move that was noted twice is one, and one that was not is lost for the history of the order.
            note_moves(self._root, self._earlier, newest)
            with whole_file(index_file(self._root)) as temporary:
                pq.write_table(with_state(merged, state), temporary, compression="zstd")
        return report

    def _report(self, merged: pa.Table, newest: pa.Table, state: SyncState) -> IndexReport:
        listed = merged.filter(_listed(merged, state.whole_at or self._earlier_whole_at))
        new, changed = _moved(newest, self._earlier)
        counts = pc.value_counts(listed["partition"].combine_chunks()).to_pylist()
        days = {entry["values"]: entry["counts"] for entry in counts}
        now = pa.scalar(self._seen_at, INDEX_SCHEMA.field("row_changed_at").type)
        today = self._instance.today()
        return IndexReport(
            orders=listed.num_rows,
            rows_read=self.rows_read,
            before_first_day=sum(count for day, count in days.items() if day < self._instance.first_day),
            new=new,
            changed=changed,
            children_changed=len(self._children),
            row_changed=int(pc.sum(pc.equal(merged["row_changed_at"], now)).as_py() or 0),
            vanished=merged.num_rows - listed.num_rows,
            days=dict(sorted(days.items())),
            newest_change=pc.max(merged["modified_date"]).as_py(),
            aside=state.aside,
            aside_count=state.aside_count,
            odd_columns=Counter(name for names in self._odd_columns.values() for name in names),
            moving=tuple(sorted(state.moving)),
            after_today=sum(count for day, count in days.items() if day > today),
        )

    def _key(self) -> str:
        """The key of the fingerprints: the one given, else one that the data root keeps."""
        given = self._row_key() if self._row_key is not None else ""
        return given or own_key(self._root / "index" / ".row-key")

    def _keep(self, entry: RowEntry) -> None:
        pk = entry.values["pk"]
        self._entries.append(entry.values)
        self._aside.pop(pk, None)
        self._odd_columns.pop(pk, None)
        if entry.odd:
            self._odd_columns[pk] = entry.odd
        if len(self._entries) >= _BATCH:
            self._flush()

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
        known = pc.is_in(pa.array([row.pk for row in rows], pa.int64()), value_set=merged["pk"].combine_chunks())
        return len(rows) - int(pc.sum(known).as_py() or 0) + max(0, self.state.aside_count - len(self.state.aside))

    def _flush(self) -> None:
        if not self._entries:
            return
        try:
            self._batches.append(pa.Table.from_pylist(self._entries, INDEX_SCHEMA))
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            # One of them does not fit; all others do.
            for entry in self._entries:
                try:
                    self._batches.append(pa.Table.from_pylist([entry], INDEX_SCHEMA))
                except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
                    self.set_aside(AsideRow(entry["pk"], f"it cannot be kept ({type(error).__name__})"))
        self._entries = []

    def _newest(self) -> pa.Table:
        """The rows taken, one of each order."""
        self._flush()
        rows = pa.concat_tables(self._batches) if self._batches else INDEX_SCHEMA.empty_table()
        kept = _last_of_each(rows)
        self._batches = [kept]
        return kept

    def _merged(self) -> pa.Table:
        """What was known, with the rows taken in the place of what was known of their orders."""
        newest = self._newest()
        places = pc.index_in(newest["pk"], value_set=self._earlier["pk"].combine_chunks())
        earlier = self._earlier
        if len(earlier):
            newest = _with_memory(newest, earlier, places, self._seen_at)
        if self._aside:
            # The shop still has them, whatever their rows are like.
            pks = pa.array([row.pk for row in self._aside.values() if row.pk is not None], pa.int64())
            seen = pa.scalar(self._seen_at, INDEX_SCHEMA.field("last_seen").type)
            still = pc.is_in(earlier["pk"], value_set=pks)
            earlier = _with(earlier, "last_seen", pc.if_else(still, seen, earlier["last_seen"]))
        gone = pc.invert(pc.is_in(earlier["pk"], value_set=newest["pk"].combine_chunks()))
        merged = pa.concat_tables([newest, earlier.filter(gone)]).sort_by("pk")
        if self._marked:
            marked = pc.is_in(merged["pk"], value_set=pa.array(sorted(self._marked), pa.int64()))
            moment = pa.scalar(self._seen_at, INDEX_SCHEMA.field("row_changed_at").type)
            merged = _with(merged, "row_changed_at", pc.if_else(marked, moment, merged["row_changed_at"]))
        if self._children:
            merged = _with(merged, "children_modified_date", self._with_children(merged))
        return merged

    def _with_children(self, rows: pa.Table) -> pa.Array:
        kept = rows["children_modified_date"].to_pylist()
        moments = [self._children.get(pk, before) for pk, before in zip(rows["pk"].to_pylist(), kept, strict=True)]
        return pa.array(moments, INDEX_SCHEMA.field("children_modified_date").type)


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


def _listed(rows: pa.Table, whole_at: datetime | None) -> pa.ChunkedArray:
    """For each row, whether the order is listed."""
    if whole_at is None:
        return pc.is_valid(rows["pk"])
    return pc.greater_equal(rows["last_seen"], pa.scalar(whole_at, INDEX_SCHEMA.field("last_seen").type))


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
