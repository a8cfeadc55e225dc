"""The index: which orders there are, which day each belongs to, and when each was last changed.

Asking it is here. It is written by `index_writer` into the files that `index_files` knows; which orders are fetched
because of it is decided in `refresh`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa

from order_assets.landing.index_files import (
    INDEX_SCHEMA,
    AsideRow,
    IndexFiles,
    Manifest,
    OrderIndexError,
    SyncState,
    index_file,
    is_listed,
    read_manifest,
)
from order_assets.landing.landing_schema import plain_rows

__all__ = [
    "INDEX_SCHEMA", "AsideRow", "ListedOrder", "OrderIndexError", "SyncState", "days_before", "index_file",
    "index_rows", "manifest_of", "orders_by_day", "orders_of_day", "read_index",
    "sync_state",
]  # fmt: skip

# What a run needs of an order.
_OF_ORDER = (
    "pk", "number", "status", "date_placed", "modified_date", "created_date", "checkout_provider_id", "partition",
    "gone_since", "children_modified_date", "fingerprint", "row_changed_at",
)  # fmt: skip


@dataclass(frozen=True)
class ListedOrder:
    """An order as the list knows it; times are UTC. `listed` is false when the last whole listing did not have it."""

    pk: int
    number: str
    date_placed: datetime
    modified_date: datetime | None
    created_date: datetime | None
    checkout_provider_id: str | None
    listed: bool
    status: str | None = None
    children_modified_date: datetime | None = None
    fingerprint: int | None = None
    row_changed_at: datetime | None = None


def orders_of_day(data_root: Path, day: date) -> list[ListedOrder]:
    """The orders of a day by ascending pk. Raises `OrderIndexError` when there is no index yet."""
    return orders_by_day(data_root, day, day).get(day, [])


def orders_by_day(
    data_root: Path, first: date, last: date, *, only: Collection[date] | None = None
) -> dict[date, list[ListedOrder]]:
    """The orders of the days from first to last, each day's by ascending pk; days without orders are not in it.

    With `only` other days are left out, which is much quicker for few days of many.

    Raises `OrderIndexError` when there is no index yet.
    """
    files = IndexFiles(data_root, manifest_of(data_root))
    days: dict[date, list[ListedOrder]] = {}
    for rows in files.of_days(_OF_ORDER, first, last, only):
        for row in plain_rows(rows.sort_by([("partition", "ascending"), ("pk", "ascending")])):
            day, gone_since = row.pop("partition"), row.pop("gone_since")
            order = ListedOrder(**row, listed=gone_since is None)
            days.setdefault(day, []).append(order)
    return days


def days_before(data_root: Path, first: date, until: date) -> tuple[int, int]:
    """How many days from first to the day before `until` have orders in the index, and how many orders.

    Raises `OrderIndexError` for an index that is missing or cannot be read.
    """
    counts = [of.rows for day, of in manifest_of(data_root).days.items() if first <= day < until]
    return len(counts), sum(counts)


def index_rows(
    data_root: Path, names: Sequence[str], first: date, last: date = date.max, *, only: Collection[date] | None = None
) -> Iterator[pa.Table]:
    """Columns of the orders of days, and `listed`; table by table, each with whole days, in the order of days.

    Raises `OrderIndexError` when there is no index yet, or for one that cannot be read.
    """
    files = IndexFiles(data_root, manifest_of(data_root))
    for rows in files.of_days((*names, "gone_since"), first, last, only):
        listed = is_listed(rows)
        yield rows.select(list(names)).append_column("listed", listed)


def read_index(data_root: Path, names: Sequence[str] = tuple(INDEX_SCHEMA.names)) -> pa.Table:
    """Columns of all orders, by day and pk; as large as the shop. Raises as `index_rows` does."""
    files = IndexFiles(data_root, manifest_of(data_root))
    columns = list(dict.fromkeys((*names, "partition", "pk")))
    rows = pa.concat_tables(files.slot(number, columns) for number in files.slots())
    return rows.sort_by([("partition", "ascending"), ("pk", "ascending")]).select(list(names))


def manifest_of(data_root: Path) -> Manifest:
    """What the index is. Raises `OrderIndexError` when there is none yet, or for one that cannot be read."""
    manifest = read_manifest(data_root)
    if not manifest.exists:
        raise OrderIndexError(f"there is no index in {data_root} yet: materialise order_index first")
    return manifest


def sync_state(data_root: Path) -> SyncState:
    """What the last listing left behind; an empty state where there is no index, or one without it."""
    return read_manifest(data_root).state
