"""The index: which orders there are, which day each belongs to, and when each was last changed.

It is written from the pages of the order list. Fetching orders is decided from it in `refresh`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from order_assets.landing.files import whole_file
from order_assets.landing.root import Instance
from order_assets.landing.scrub import scrub_text, scrub_value

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
    ]
)


class OrderIndexError(RuntimeError):
    """The index is missing or a row of the list cannot be placed in it."""


@dataclass(frozen=True)
class ListedOrder:
    """An order as the list knows it; times are UTC. `listed` is false when the last listing did not have it."""

    pk: int
    number: str
    date_placed: datetime
    modified_date: datetime | None
    created_date: datetime | None
    checkout_provider_id: str | None
    listed: bool


@dataclass(frozen=True)
class IndexReport:
    """What a listing gave: orders by day, how many lie before the first day, and what moved since the last one."""

    orders: int
    rows_read: int
    before_first_day: int
    new: int
    changed: int
    vanished: int
    days: Mapping[date, int]
    newest_change: datetime | None


def index_file(data_root: Path) -> Path:
    """Where the index is."""
    return data_root / "index" / "orders.parquet"


def write_index(
    data_root: Path, instance: Instance, rows: Iterable[Mapping[str, Any]], seen_at: datetime
) -> IndexReport:
    """Write the index from the rows of one whole listing.

    An order that comes twice is kept in its newest version. Orders of the last index that the listing does not have
    stay, with the time at which they were last seen. Raises `OrderIndexError` for a row without a usable date.
    """
    newest: dict[int, dict[str, Any]] = {}
    read = 0
    for row in rows:
        read += 1
        entry = _entry(row, instance, seen_at)
        known = newest.get(entry["pk"])
        if known is None or _changed_at(entry) >= _changed_at(known):
            newest[entry["pk"]] = entry
    earlier = {row["pk"]: row for row in _read(data_root).to_pylist()} if index_file(data_root).exists() else {}
    vanished = [row for pk, row in earlier.items() if pk not in newest]
    merged = sorted([*newest.values(), *vanished], key=lambda entry: entry["pk"])
    with whole_file(index_file(data_root)) as temporary:
        pq.write_table(pa.Table.from_pylist(merged, INDEX_SCHEMA), temporary, compression="zstd")
    days: dict[date, int] = {}
    for entry in newest.values():
        days[entry["partition"]] = days.get(entry["partition"], 0) + 1
    changes = [entry["modified_date"] for entry in newest.values() if entry["modified_date"]]
    return IndexReport(
        orders=len(newest),
        rows_read=read,
        before_first_day=sum(count for day, count in days.items() if day < instance.first_day),
        new=sum(1 for pk in newest if pk not in earlier),
        changed=sum(
            1 for pk, entry in newest.items() if pk in earlier and _changed_at(entry) != _changed_at(earlier[pk])
        ),
        vanished=len(vanished),
        days=dict(sorted(days.items())),
        newest_change=max(changes, default=None),
    )


def orders_of_day(data_root: Path, day: date) -> list[ListedOrder]:
    """The orders of a day by ascending pk. Raises `OrderIndexError` when there is no index yet."""
    return orders_by_day(data_root, day, day).get(day, [])


def orders_by_day(data_root: Path, first: date, last: date) -> dict[date, list[ListedOrder]]:
    """The orders of the days from first to last, each day's by ascending pk; days without orders are not in it.

    Raises `OrderIndexError` when there is no index yet.
    """
    if not index_file(data_root).exists():
        raise OrderIndexError(f"there is no index in {data_root} yet: materialise order_index first")
    rows = _read(data_root, [("partition", ">=", first), ("partition", "<=", last)])
    last_listing = _last_listing(data_root)
    days: dict[date, list[ListedOrder]] = {}
    for row in rows.to_pylist():
        order = ListedOrder(
            pk=row["pk"],
            number=row["number"],
            date_placed=row["date_placed"],
            modified_date=row["modified_date"],
            created_date=row["created_date"],
            checkout_provider_id=row["checkout_provider_id"],
            listed=row["last_seen"] == last_listing,
        )
        days.setdefault(row["partition"], []).append(order)
    return days


def _last_listing(data_root: Path) -> datetime | None:
    """When the newest listing began: the greatest `last_seen`, from the file's statistics."""
    metadata = pq.read_metadata(index_file(data_root))
    column = INDEX_SCHEMA.get_field_index("last_seen")
    groups = [metadata.row_group(group).column(column).statistics for group in range(metadata.num_row_groups)]
    newest: datetime | None = max(
        (group.max for group in groups if group is not None and group.has_min_max), default=None
    )
    return newest


def _read(data_root: Path, filters: Sequence[tuple[str, str, Any]] | None = None) -> pa.Table:
    try:
        return pq.read_table(index_file(data_root), schema=INDEX_SCHEMA, filters=filters)
    except (pa.ArrowException, OSError) as error:
        raise OrderIndexError(
            f"the index {index_file(data_root)} cannot be read ({type(error).__name__}): move it away and "
            "materialise order_index again"
        ) from error


def _changed_at(entry: Mapping[str, Any]) -> datetime:
    return entry["modified_date"] or datetime.min.replace(tzinfo=UTC)


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
