"""Writing the index from the rows of a listing: all orders, or those that changed.

Belongs here: what a row of the list says, and merging it into what is known. Not here: reading the index (`index`) and
asking the API. Nothing is on disk before `write`; then rows and sync state change at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from order_assets.disk import whole_file
from order_assets.landing.index import (
    INDEX_SCHEMA,
    OrderIndexError,
    SyncState,
    index_file,
    last_whole_listing,
    read_index,
    sync_state,
    with_state,
)
from order_assets.landing.root import Instance
from order_assets.landing.scrub import scrub_text, scrub_value

# Rows are turned into columns this many at a time: as Python objects a long list would not fit into memory.
_BATCH = 5000
# A list that has lost more than half of at least so many orders is taken for a broken one.
_FEW = 100
_NEVER = pa.scalar(datetime(1, 1, 1, tzinfo=UTC), INDEX_SCHEMA.field("modified_date").type)


@dataclass(frozen=True)
class IndexReport:
    """What a listing gave.

    `orders` are listed now, on `days` by partition, `before_first_day` of them before the first day. Of the rows read
    some were `new`, some `changed` since the last listing. `vanished` orders are known but gone from the list.
    `children_changed` orders have a change below them that their own `modified_date` does not show.
    """

    orders: int
    rows_read: int
    before_first_day: int
    new: int
    changed: int
    children_changed: int
    vanished: int
    days: Mapping[date, int]
    newest_change: datetime | None


def write_index(
    data_root: Path, instance: Instance, rows: Iterable[Mapping[str, Any]], seen_at: datetime
) -> IndexReport:
    """Write the index from the rows of a listing of all orders that began at `seen_at`.

    Raises `OrderIndexError` for a row without a usable date and for a list that cannot be the whole one.
    """
    draft = IndexDraft(data_root, instance, seen_at)
    for row in rows:
        draft.take(row)
    draft.require_plausible(draft.found())
    return draft.write(replace(draft.state, whole_at=seen_at))


class IndexDraft:
    """The next index while a listing is read."""

    def __init__(self, data_root: Path, instance: Instance, seen_at: datetime) -> None:
        self._root, self._instance, self._seen_at = data_root, instance, seen_at
        self.state = sync_state(data_root)
        exists = index_file(data_root).exists()
        self._earlier = read_index(data_root) if exists else INDEX_SCHEMA.empty_table()
        self._earlier_whole_at = last_whole_listing(data_root) if exists else None
        self._entries: list[dict[str, Any]] = []
        self._batches: list[pa.Table] = []
        self._children: dict[int, datetime] = {}
        self.rows_read = 0

    def take(self, row: Mapping[str, Any]) -> None:
        """Take a row of the list; of two of one order the newer counts, and of equal ones the later.

        Raises `OrderIndexError` for a row without a usable date.
        """
        self._entries.append(_entry(row, self._instance, self._seen_at))
        self.rows_read += 1
        if len(self._entries) >= _BATCH:
            self._flush()

    def children_changed(self, moments: Mapping[int, datetime]) -> None:
        """Note for orders, by pk, when something below them changed."""
        self._children.update(moments)

    def found(self) -> int:
        """How many orders the rows taken so far are of."""
        return len(self._newest())

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
        return int(pc.sum(pc.and_(listed, before)).as_py() or 0) <= count <= int(pc.sum(listed).as_py() or 0)

    def write(self, state: SyncState) -> IndexReport:
        """Write the index and the state. A state whose `whole_at` is this listing says that it was a whole one."""
        merged, newest = self._merged(), self._newest()
        with whole_file(index_file(self._root)) as temporary:
            pq.write_table(with_state(merged, state), temporary, compression="zstd")
        listed = merged.filter(_listed(merged, state.whole_at or self._earlier_whole_at))
        new, changed = _moved(newest, self._earlier)
        counts = pc.value_counts(listed["partition"].combine_chunks()).to_pylist()
        days = {entry["values"]: entry["counts"] for entry in counts}
        return IndexReport(
            orders=listed.num_rows,
            rows_read=self.rows_read,
            before_first_day=sum(count for day, count in days.items() if day < self._instance.first_day),
            new=new,
            changed=changed,
            children_changed=len(self._children),
            vanished=merged.num_rows - listed.num_rows,
            days=dict(sorted(days.items())),
            newest_change=pc.max(merged["modified_date"]).as_py(),
        )

    def _flush(self) -> None:
        if self._entries:
            self._batches.append(pa.Table.from_pylist(self._entries, INDEX_SCHEMA))
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
        if len(self._earlier):
            children = pc.if_else(
                pc.is_valid(places),
                self._earlier["children_modified_date"].take(pc.fill_null(places, 0)),
                pa.scalar(None, INDEX_SCHEMA.field("children_modified_date").type),
            )
            newest = _with(newest, "children_modified_date", children)
        gone = pc.invert(pc.is_in(self._earlier["pk"], value_set=newest["pk"].combine_chunks()))
        merged = pa.concat_tables([newest, self._earlier.filter(gone)]).sort_by("pk")
        if self._children:
            merged = _with(merged, "children_modified_date", self._with_children(merged))
        return merged

    def _with_children(self, rows: pa.Table) -> pa.Array:
        kept = rows["children_modified_date"].to_pylist()
        moments = [self._children.get(pk, before) for pk, before in zip(rows["pk"].to_pylist(), kept, strict=True)]
        return pa.array(moments, INDEX_SCHEMA.field("children_modified_date").type)


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


def _entry(row: Mapping[str, Any], instance: Instance, seen_at: datetime) -> dict[str, Any]:
    placed = _moment(row, "date_placed")
    if placed is None:
        raise OrderIndexError(f"order {row['pk']} has no date_placed in the order list, so it belongs to no day")
    channel = row.get("channel")
    if isinstance(channel, dict):
        channel = channel.get("pk")
    return {
        "pk": row["pk"],
        "number": str(row["number"]),
        "channel": channel if type(channel) is int else None,
        "status": _text(row.get("status")),
        "date_placed": placed,
        "modified_date": _moment(row, "modified_date"),
        "created_date": _moment(row, "created_date"),
        "checkout_provider_id": _text(row.get("checkout_provider_id")),
        "partition": instance.day_of(placed),
        "last_seen": seen_at,
    }


def _text(value: Any) -> str | None:
    """A value of the list as text, without credentials: the list does not pass the gate."""
    if value is None:
        return None
    if isinstance(value, str):
        return scrub_text(value, long_runs=False)[0]
    return json.dumps(scrub_value(value)[0], ensure_ascii=False, default=str)


def _moment(row: Mapping[str, Any], name: str) -> datetime | None:
    text = row.get(name)
    if text in (None, ""):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise OrderIndexError(f"order {row['pk']} has a {name} in the order list that is not a time") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
