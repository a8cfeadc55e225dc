"""The index: which orders there are, which day each belongs to, and when each was last changed.

Reading it is here. It is written by `listed`; which orders are fetched because of it is decided in `refresh`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from order_assets.errors import OrderAssetsError
from order_assets.landing.landing_schema import plain_rows
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
        pa.field("last_seen", _TIME, nullable=False),
        # The newest change below the order that does not show in the order's own modified_date.
        ("children_modified_date", _TIME),
        ("currency", pa.string()),
        *((name, MONEY_TYPE) for name in MONEY),
        # Of the whole row, keyed; null where the row came under other rules, or before there were any.
        ("fingerprint", pa.int64()),
        # When a listing first found the row unlike the one before, whatever its modified_date says.
        ("row_changed_at", _TIME),
    ]
)
_STATE = b"order_assets.sync"
# What a run needs of an order.
_OF_ORDER = (
    "pk", "number", "status", "date_placed", "modified_date", "created_date", "checkout_provider_id", "partition",
    "last_seen", "children_modified_date", "fingerprint", "row_changed_at",
)  # fmt: skip


class OrderIndexError(OrderAssetsError):
    """The index is missing, a row of the list cannot be placed in it, or the list cannot be the whole one."""


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
    """What the next listing goes on from. It is kept inside the index file, so that both change at once.

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


_MOST_ASIDE = 1000
_TIMES = ("cursor", "transactions_cursor", "whole_at", "probed_at")


def index_file(data_root: Path) -> Path:
    """Where the index is."""
    return data_root / "index" / "orders.parquet"


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
    if not index_file(data_root).exists():
        raise OrderIndexError(f"there is no index in {data_root} yet: materialise order_index first")
    within: list[tuple[str, str, Any]] = [("partition", ">=", first), ("partition", "<=", last)]
    if only is not None:
        within.append(("partition", "in", sorted(only)))
    rows = read_index(data_root, within, columns=_OF_ORDER)
    listed_since = last_whole_listing(data_root)
    days: dict[date, list[ListedOrder]] = {}
    for row in plain_rows(rows):
        order = ListedOrder(
            pk=row["pk"],
            number=row["number"],
            date_placed=row["date_placed"],
            modified_date=row["modified_date"],
            created_date=row["created_date"],
            checkout_provider_id=row["checkout_provider_id"],
            listed=listed_since is None or row["last_seen"] >= listed_since,
            status=row["status"],
            children_modified_date=row["children_modified_date"],
            fingerprint=row["fingerprint"],
            row_changed_at=row["row_changed_at"],
        )
        days.setdefault(row["partition"], []).append(order)
    return days


def days_before(data_root: Path, first: date, until: date) -> tuple[int, int]:
    """How many days from first to the day before `until` have orders in the index, and how many orders.

    Raises `OrderIndexError` for an index that is missing or cannot be read.
    """
    if not index_file(data_root).exists():
        raise OrderIndexError(f"there is no index in {data_root} yet: materialise order_index first")
    within = [("partition", ">=", first), ("partition", "<", until)]
    days = read_index(data_root, within, columns=["partition"])["partition"]
    return len(days.unique()), len(days)


def read_index(
    data_root: Path,
    filters: Sequence[tuple[str, str, Any]] | None = None,
    *,
    columns: Sequence[str] = tuple(INDEX_SCHEMA.names),
) -> pa.Table:
    """Columns of the rows of the index under `INDEX_SCHEMA`; those that an older file lacks are null.

    Raises `OrderIndexError` for a file that cannot be read.
    """
    try:
        return pq.read_table(index_file(data_root), schema=INDEX_SCHEMA, columns=list(columns), filters=filters)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(data_root, error) from error


def sync_state(data_root: Path) -> SyncState:
    """What the last listing left behind; an empty state where there is no index, or one without it."""
    if not index_file(data_root).exists():
        return SyncState()
    try:
        kept = (pq.read_metadata(index_file(data_root)).metadata or {}).get(_STATE)
        if kept is None:
            return SyncState()
        values = json.loads(kept)
        times = {name: datetime.fromisoformat(values[name]) if values[name] else None for name in _TIMES}
        values.pop("window_requests", None)
        aside = tuple(AsideRow(**row) for row in values.pop("aside", ()))
        return SyncState(**{**values, **times, "aside": aside})
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        raise _unreadable(data_root, error) from error


def with_state(rows: pa.Table, state: SyncState) -> pa.Table:
    """The rows with the state in the file's metadata."""
    moments = {name: getattr(state, name) for name in _TIMES}
    values = {
        "capabilities": dict(state.capabilities),
        "contract_version": state.contract_version,
        "aside": [asdict(row) for row in state.aside[:_MOST_ASIDE]],
        "aside_count": state.aside_count,
        "moving": dict(state.moving),
        "sample": {pk: dict(columns) for pk, columns in state.sample.items()},
        **{name: None if moment is None else moment.isoformat() for name, moment in moments.items()},
    }
    return rows.replace_schema_metadata({_STATE: json.dumps(values).encode()})


def last_whole_listing(data_root: Path) -> datetime | None:
    """When the last listing of all orders began: orders seen earlier than that are gone from the list."""
    whole_at = sync_state(data_root).whole_at
    if whole_at is not None:
        return whole_at
    # An index of before the state was kept: every listing was a whole one.
    metadata = pq.read_metadata(index_file(data_root))
    if _STATE in (metadata.metadata or {}):
        return None
    column = INDEX_SCHEMA.get_field_index("last_seen")
    groups = [metadata.row_group(group).column(column).statistics for group in range(metadata.num_row_groups)]
    newest: datetime | None = max(
        (group.max for group in groups if group is not None and group.has_min_max), default=None
    )
    return newest


def _unreadable(data_root: Path, error: Exception) -> OrderIndexError:
    return OrderIndexError(
        f"the index {index_file(data_root)} cannot be read ({type(error).__name__}): move it away and "
        "materialise order_index again"
    )
